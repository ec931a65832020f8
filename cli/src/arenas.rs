//! How glibc's allocator keeps memory: settings that can only be made by the environment, before the program starts. I/O.
//!
//! A long-running command starts itself again, once, in the same process (`exec`: same PID, same arguments). Where that is not
//! possible it goes on as it is, with more memory. See `docs/decisions/system-allocator.md`.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc's own variables with their values. One that is set already stays as it is.
const SETTINGS: [(&str, &str); 3] = [
    // glibc gives almost each thread an arena of its own, which at 1,000 checks costs 5 MiB of 60. Two: the loops allocate in turns,
    // pages now and then beside them.
    ("MALLOC_ARENA_MAX", "2"),
    // Large pieces (answers, blocks that are being made) come from the system and go back to it. Else glibc raises this by itself to
    // 32 MiB, and what such pieces leave between small ones stays.
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    // What is free at the end goes back too.
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// Starts this program again with these settings, unless the environment has them already.
pub(crate) fn limit() {
    let missing: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    let error = again.args(arguments).envs(missing).exec();
    // Only a failure comes back; more memory is used then, nothing else.
    tracing::debug!(%error, "the allocator stays as it is");
}
