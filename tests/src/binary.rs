//! Where the built binary is, and running it to its end. I/O.

use std::path::PathBuf;
use std::process::Command;

/// The binary `farero` of this build: beside the test programs' folder.
///
/// # Panics
/// It was not built: `cargo xtask test` builds it before the tests.
pub fn path() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let path = test.parent().and_then(|deps| deps.parent()).expect("tests lie in deps").join("farero");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p farero`, or all tests with `cargo xtask test`",
        path.display()
    );
    path
}

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs the binary to its end.
///
/// # Panics
/// It cannot be started.
pub fn run(arguments: &[&str]) -> Ran {
    let output = Command::new(path())
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("FARERO_LANGUAGE", "en")
        .output()
        .expect("farero can be started");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The repository's root.
///
/// # Panics
/// Never: a package has a parent folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the root").to_owned()
}
