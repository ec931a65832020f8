//! Programs that the tests build or fetch once and keep beside the build: from Go modules, PyPI and npm, at fixed versions.
//! I/O: the network, the first time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Version of Pebble, the ACME authority that Let's Encrypt tests its clients with.
const PEBBLE: &str = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1";

/// Version of schemathesis, which tries an API against its OpenAPI document.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// One tool at a time is made; tests of one program run side by side.
static MAKING: Mutex<()> = Mutex::new(());

/// The folder of the tools.
///
/// # Panics
/// It cannot be made.
pub fn folder() -> PathBuf {
    let kept = std::env::var_os("FARERO_TEST_TOOLS").map(PathBuf::from);
    let beside = || crate::binary::path().parent().and_then(Path::parent).expect("a target folder").join("test-tools");
    let folder = kept.unwrap_or_else(beside);
    std::fs::create_dir_all(&folder).expect("a folder for tools");
    folder
}

/// Pebble, built from its Go module.
///
/// # Panics
/// Go is missing, or the module cannot be fetched or built.
pub fn pebble() -> PathBuf {
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = folder().join("pebble");
    if !path.exists() {
        run(Command::new(go()).args(["install", PEBBLE]).env("GOBIN", folder()).env("GOFLAGS", "-buildvcs=false"));
    }
    path
}

/// A program that asks a server by every method of Prometheus's own Go client (`tests/clients/prometheus`). Go builds it anew only where
/// something has changed.
///
/// # Panics
/// Go is missing, or a module cannot be fetched or built.
pub fn prometheus_client() -> PathBuf {
    go_program("prometheus", "prometheus-client")
}

/// An exporter over Prometheus's own Go client, with metrics of every kind (`tests/clients/exporter`).
///
/// # Panics
/// Go is missing, or a module cannot be fetched or built.
pub fn exporter() -> PathBuf {
    go_program("exporter", "exporter")
}

fn go_program(source: &str, name: &str) -> PathBuf {
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = folder().join(name);
    let source = crate::binary::root().join("tests/clients").join(source);
    run(Command::new(go()).args(["build", "-buildvcs=false", "-o"]).arg(&path).arg(".").current_dir(source));
    path
}

/// schemathesis, from PyPI into a folder of its own.
///
/// # Panics
/// Python is missing, or the package cannot be fetched.
pub fn schemathesis() -> PathBuf {
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let environment = folder().join("schemathesis");
    let path = environment.join("bin/schemathesis");
    if !path.exists() {
        let _ = std::fs::remove_dir_all(&environment);
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let pip = environment.join("bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", SCHEMATHESIS]));
    }
    path
}

/// A package from npm (`name@version`) with all that it needs, in a folder of its own, which is returned. It is made elsewhere
/// first, so that what was left half done by a test that was ended is never taken for whole.
///
/// # Panics
/// Node.js with npm is missing, or the package cannot be fetched.
pub fn npm(package: &str) -> PathBuf {
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = folder().join(package.replace('/', "-"));
    if !path.exists() {
        let making = path.with_extension("making");
        let _ = std::fs::remove_dir_all(&making);
        std::fs::create_dir_all(&making).expect("a folder");
        run(Command::new("npm")
            .args(["install", "--prefix", ".", "--no-fund", "--no-audit", package])
            .current_dir(&making));
        std::fs::rename(&making, &path).expect("a folder of tools");
    }
    path
}

fn go() -> &'static str {
    if Path::new("/usr/local/go/bin/go").exists() { "/usr/local/go/bin/go" } else { "go" }
}

/// How often something is fetched before a test fails, as registries answer badly now and then.
const ATTEMPTS: usize = 3;

/// How long it waits between attempts.
const PAUSE: Duration = Duration::from_secs(3);

fn run(command: &mut Command) {
    for attempt in 1..=ATTEMPTS {
        let output = command.output().unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
        if output.status.success() {
            return;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(attempt < ATTEMPTS, "{command:?} failed {ATTEMPTS} times:\n{said}\n{printed}");
        std::thread::sleep(PAUSE);
    }
}

/// The system's Python, which users other than the tests' may run too.
pub fn python() -> &'static str {
    if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" }
}
