//! What the tests need of Debian, and installing it. I/O.

use std::process::Command;

use anyhow::{Context, Result};

/// A program that the tests run, and the package that brings it.
const NEEDED: &[(&str, &str)] = &[
    ("/usr/lib/postgresql/*/bin/postgres", "postgresql"),
    ("/usr/sbin/mariadbd", "mariadb-server"),
    ("/usr/bin/redis-server", "redis-server"),
    ("/usr/sbin/nginx", "nginx"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("/usr/sbin/dnsmasq", "dnsmasq"),
    ("/usr/sbin/chronyd", "chrony"),
    ("/usr/lib/python3/dist-packages/aiosmtpd/__init__.py", "python3-aiosmtpd"),
    ("/usr/lib/python3/dist-packages/grpc/__init__.py", "python3-grpcio"),
    ("/usr/lib/python3/dist-packages/websockets/__init__.py", "python3-websockets"),
    ("/usr/sbin/dockerd", "docker.io"),
    ("/bin/busybox", "busybox-static"),
    ("/usr/bin/prometheus-node-exporter", "prometheus-node-exporter"),
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/chromedriver", "chromium-driver"),
    ("/usr/bin/promtool", "prometheus"),
    ("/usr/bin/prometheus-alertmanager", "prometheus-alertmanager"),
    // Builds the allocator.
    ("/usr/bin/make", "make"),
    // Builds the ACME authority that the stories speak with.
    ("/usr/local/go/bin/go|/usr/bin/go", "golang-go"),
    // Holds schemathesis.
    ("/usr/lib/*/ensurepip/__init__.py", "python3-venv"),
    ("/usr/bin/setpriv", "util-linux"),
];

/// Installs what is missing, or says what is.
///
/// # Errors
/// Something is missing and may not or cannot be installed.
pub(crate) fn provide(install: bool) -> Result<()> {
    let missing: Vec<&str> = NEEDED.iter().filter(|(path, _)| !exists(path)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install {}", missing.join(" "));
    anyhow::ensure!(install, "the tests need programs that are missing; install them with: {by_hand}");
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0"));
    anyhow::ensure!(root, "the tests need programs that are missing, and only root can install them: sudo {by_hand}");
    println!("installing for the tests: {}", missing.join(" "));
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&missing);
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Services that a package would start are of no use here: the tests start their own.
        .env("RUNLEVEL", "1")
        .stdout(std::process::Stdio::null())
        .status()
        .context("apt-get cannot be run: this is for Debian; install the programs by hand and use --no-install")?;
    anyhow::ensure!(status.success(), "apt-get {} failed", arguments.join(" "));
    Ok(())
}

/// Whether a path exists, or one of several between `|`; `*` stands for any one name.
fn exists(pattern: &str) -> bool {
    pattern.split('|').any(exists_one)
}

fn exists_one(pattern: &str) -> bool {
    match pattern.split_once("/*/") {
        None => std::path::Path::new(pattern).exists(),
        Some((folder, rest)) => {
            std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|e| e.path().join(rest).exists()))
        }
    }
}
