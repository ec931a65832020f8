//! The overview page with 1,000 checks. I/O.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::median;
use super::probes::{Folder, start_farero, write_plan};
use super::process::get_with;
use super::server::Server;

const REQUESTS: usize = 50;

pub(super) fn run(farero: &Path) -> Result<()> {
    let server = Server::start()?;
    let folder = Folder::make("overview")?;
    write_plan(&folder.0.join("plan"), server.port, 1_000, Duration::from_secs(10))?;
    let (_process, port) = start_farero(farero, &folder.0)?;
    std::thread::sleep(Duration::from_secs(15));
    let cookie = log_in(port, &folder.0.join("farero.log"))?;
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..REQUESTS {
        let began = Instant::now();
        let (status, body) = get_with(port, "/s/bench", &format!("cookie: {cookie}\r\n"))?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(status == 200, "the overview answered {status}");
        size = body.len();
    }
    println!("overview  {:.1} ms, {} KB, 1,000 checks (median of {REQUESTS}; aim < 50)", median(times), size / 1_000);
    Ok(())
}

/// Creates the administrator with the one-time link of the log, and keeps the session's cookie.
pub(super) fn log_in(port: u16, log: &Path) -> Result<String> {
    let text = std::fs::read_to_string(log)?;
    let link = text.lines().find_map(|l| l.split_once("/setup/")).map(|(_, t)| t.trim().to_owned());
    let token = link.context("the log shows no link to create the administrator")?;
    super::process::post_form(
        port,
        &format!("/setup/{token}"),
        "name=bench&password=a-long-enough-password&again=a-long-enough-password",
    )
}
