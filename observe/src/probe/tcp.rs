//! TCP connection, and what is said over it. I/O.

use bytes::Bytes;
use kernel::probe::Phase;
use plan_model::check::TcpCheck;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::dial::{Target, connect};
use super::{Attempt, PrepareError, Preparing, Probed};

/// The expected text has to come within this many bytes.
const ANSWER_LIMIT_BYTES: usize = 64 * 1_024;

/// A TCP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedTcp {
    target: Target,
    send: Option<Bytes>,
    expect: Option<String>,
}

/// Makes the check ready.
pub(crate) fn prepare_tcp(check: &TcpCheck, with: &Preparing<'_>) -> Result<PreparedTcp, PrepareError> {
    let send = check.send.as_ref().map(|text| with.resolve(text)).transpose()?;
    Ok(PreparedTcp {
        target: Target::parse("tcp.address", with.resolve(&check.address)?.expose(), None)?,
        send: send.map(|text| Bytes::from(text.expose().to_owned())),
        expect: check.expect.clone(),
    })
}

/// Asks once.
pub(crate) async fn probe_tcp(check: &PreparedTcp, attempt: &Attempt) -> Probed {
    let mut stream = match connect(&check.target, attempt).await {
        Ok(stream) => stream,
        Err(error) => return Probed::down(error),
    };
    if let Some(text) = &check.send {
        attempt.begin(Phase::Processing);
        if let Err(e) = stream.write_all(text).await {
            return Probed::down(format!("the text could not be sent: {e}"));
        }
    }
    match &check.expect {
        Some(expected) => wait_for(&mut stream, expected, attempt).await,
        None => Probed::up(),
    }
}

async fn wait_for(stream: &mut TcpStream, expected: &str, attempt: &Attempt) -> Probed {
    attempt.begin(Phase::Processing);
    attempt.doing("waiting for the expected text");
    let mut answer = Vec::with_capacity(1_024);
    let error = loop {
        match stream.read_buf(&mut answer).await {
            Ok(0) => break format!("the connection was closed after {} bytes without `{expected}`", answer.len()),
            Ok(_) if String::from_utf8_lossy(&answer).contains(expected) => return Probed::up().with_body(&answer),
            Ok(_) if answer.len() > ANSWER_LIMIT_BYTES => {
                break format!("`{expected}` is not within the first {ANSWER_LIMIT_BYTES} bytes");
            }
            Ok(_) => {}
            Err(e) => break format!("the connection broke off: {e}"),
        }
    };
    Probed::down(error).with_body(&answer)
}
