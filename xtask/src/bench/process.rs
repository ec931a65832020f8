//! A server under measurement: started in a folder of its own, its CPU time and memory read from /proc, killed at the end. I/O.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A server may take this long until it answers.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Clock ticks a second in /proc (USER_HZ, 100 on every Linux this runs on).
const TICKS: f64 = 100.0;

/// A running program; killed when dropped.
pub(super) struct Process {
    child: Child,
    /// From start to the first good answer.
    pub(super) ready_after: Duration,
}

impl Process {
    /// Starts a program and waits until a path on its port answers with 2xx.
    pub(super) fn start(command: &mut Command, log: &Path, port: u16, ready: &str) -> Result<Self> {
        let file = std::fs::File::create(log)?;
        let began = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{:?} cannot be started", command.get_program()))?;
        let mut process = Self { child, ready_after: Duration::ZERO };
        while !get(port, ready).is_ok_and(|(status, _)| (200..300).contains(&status)) {
            if began.elapsed() > READY_LIMIT || process.child.try_wait()?.is_some() {
                bail!("{:?} did not become ready: {}", command.get_program(), std::fs::read_to_string(log)?);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        process.ready_after = began.elapsed();
        Ok(process)
    }

    /// CPU seconds used so far, children that ended included.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after = text.rsplit_once(')').map(|(_, rest)| rest).context("/proc/PID/stat has another form")?;
        let ticks = after.split_whitespace().skip(11).take(4).map(|n| n.parse::<f64>().unwrap_or(0.0)).sum::<f64>();
        Ok(ticks / TICKS)
    }

    /// Resident memory: the most there was, and what of it is not backed by files; MiB.
    pub(super) fn memory_mib(&self) -> Result<(f64, f64)> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = text.lines().find(|l| l.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Ok((field("VmHWM:").unwrap_or(0.0) / 1024.0, field("RssAnon:").unwrap_or(0.0) / 1024.0))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port on 127.0.0.1.
pub(super) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Status and body of a GET.
pub(super) fn get(port: u16, path: &str) -> Result<(u16, String)> {
    get_with(port, path, "")
}

/// As [`get`], with further header lines, each ending in CR LF.
pub(super) fn get_with(port: u16, path: &str, headers: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{headers}connection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no HTTP answer")?;
    Ok((status, text))
}

/// Posts a form as a browser of the same origin would; the session cookie of the answer.
pub(super) fn post_form(port: u16, path: &str, form: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{form}",
        form.len()
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let cookie = text.lines().filter_map(|l| l.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case("set-cookie"));
    let cookie = cookie.and_then(|(_, value)| value.split(';').next()).map(ToOwned::to_owned);
    cookie.with_context(|| format!("{path} gave no session: {text}"))
}
