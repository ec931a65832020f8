//! From start to ready, on an empty folder and on one that was used. I/O.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::median;
use super::probes::{Folder, start_farero, write_plan};
use super::server::Server;

const STARTS: usize = 7;

pub(super) fn run(farero: &Path) -> Result<()> {
    let server = Server::start()?;
    let folder = Folder::make("start")?;
    write_plan(&folder.0.join("plan"), server.port, 1_000, Duration::from_secs(10))?;
    let mut first = Vec::new();
    let mut again = Vec::new();
    for _ in 0..STARTS {
        let _ = std::fs::remove_dir_all(folder.0.join("data"));
        first.push(start_farero(farero, &folder.0)?.0.ready_after.as_secs_f64() * 1e3);
        let (process, _) = start_farero(farero, &folder.0)?;
        std::thread::sleep(Duration::from_secs(12));
        drop(process);
        again.push(start_farero(farero, &folder.0)?.0.ready_after.as_secs_f64() * 1e3);
    }
    println!(
        "start     ready after {:.0} ms on an empty folder, {:.0} ms with data, 1,000 checks (medians of {STARTS}; aim < 300)",
        median(first),
        median(again)
    );
    Ok(())
}
