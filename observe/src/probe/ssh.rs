//! SSH banner (RFC 4253 section 4.2); no log-in. I/O.

use kernel::probe::Phase;
use plan_model::check::SshCheck;
use tokio::io::BufReader;

use super::dial::{Target, connect};
use super::lines::read_line;
use super::{Attempt, PrepareError, Preparing, Probed};

/// Lines that a server may send before its banner.
const MOST_LINES_BEFORE: usize = 50;

/// An SSH check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSsh {
    target: Target,
    expect: Option<String>,
}

/// Makes the check ready.
pub(crate) fn prepare_ssh(check: &SshCheck, with: &Preparing<'_>) -> Result<PreparedSsh, PrepareError> {
    let target = Target::parse("ssh.address", with.resolve(&check.address)?.expose(), Some(22))?;
    Ok(PreparedSsh { target, expect: check.expect.clone() })
}

/// Asks once.
pub(crate) async fn probe_ssh(check: &PreparedSsh, attempt: &Attempt) -> Probed {
    let banner = match read_banner(&check.target, attempt).await {
        Ok(banner) => banner,
        Err(error) => return Probed::down(error),
    };
    let speaks_two = banner.starts_with("SSH-2.0-") || banner.starts_with("SSH-1.99-");
    let probed = match &check.expect {
        _ if !speaks_two => Probed::down("the server does not speak version 2 of SSH"),
        Some(text) if !banner.contains(text) => Probed::down(format!("the banner does not hold `{text}`")),
        _ => Probed::up(),
    };
    probed.with_status(banner)
}

async fn read_banner(target: &Target, attempt: &Attempt) -> Result<String, String> {
    let mut stream = BufReader::with_capacity(512, connect(target, attempt).await?);
    attempt.begin(Phase::Processing);
    attempt.doing("waiting for the banner");
    for _ in 0..=MOST_LINES_BEFORE {
        let line = read_line(&mut stream).await?;
        if line.starts_with("SSH-") {
            return Ok(line);
        }
    }
    Err(format!("no SSH banner within {MOST_LINES_BEFORE} lines: does it speak SSH on this port?"))
}
