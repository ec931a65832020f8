//! Fewer memory arenas: glibc gives almost each thread an arena of its own, which at 1,000 checks costs 5 MiB of 60. I/O.
//!
//! The number can only be set by the environment, before the program starts; so a long-running command starts itself again, once,
//! in the same process (`exec`: same PID, same arguments). Where that is not possible it goes on as it is.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// The variable, glibc's own.
const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Two: the loops allocate in turns, pages now and then beside them.
const ARENAS: &str = "2";

/// Starts this program again with few arenas, unless the environment says how many already.
pub(crate) fn limit() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    let error = again.args(arguments).env(VARIABLE, ARENAS).exec();
    // Only a failure comes back; more memory is used then, nothing else.
    tracing::debug!(%error, "memory arenas are not limited");
}
