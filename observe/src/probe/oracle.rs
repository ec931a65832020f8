//! Oracle: its TNS listener answers, for a service where one is named; an own command asks the rest (CHK-03). I/O.
//!
//! What the listener says is judged without logging in ([`tns`]): *accept* and *redirect* mean that the service is there,
//! *refuse* gives a reason (`ERR=12514`: the listener does not know the service). Without a service the listener is
//! pinged as `tnsping` does. Used connections and own SQL need the command: there is no free client for Oracle.
//!
//! No Oracle runs in the tests: they replay the packets of published exchanges, byte for byte.

use kernel::probe::Phase;
use plan_model::check::OracleCheck;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::command::{Invocation, prepare_invocation, probe_invocation};
use super::dial::{self, Target};
use super::{Attempt, PrepareError, Preparing, Probed};

mod tns;

use tns::Answer;

const USUAL_PORT: u16 = 1521;

/// A listener that asks for the question once more gets it this often; Oracle's own clients see it once.
const MOST_RESENDS: usize = 3;

/// An Oracle check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedOracle {
    target: Target,
    service: Option<String>,
    command: Option<Invocation>,
}

/// Makes the check ready.
pub(crate) fn prepare_oracle(check: &OracleCheck, with: &Preparing<'_>) -> Result<PreparedOracle, PrepareError> {
    let target = Target::parse("address", with.resolve(&check.address)?.expose(), Some(USUAL_PORT))?;
    let service = match &check.service {
        None => None,
        Some(service) => Some(with.resolve(service)?.expose().to_owned()),
    };
    if let Some(service) = &service
        && (service.is_empty() || service.len() > 255 || service.contains(['(', ')', '=', '\\', '\'', '"']))
    {
        return Err(PrepareError::unusable("service", "it is no name of a service: no brackets, quotes or signs"));
    }
    let command = match check.command.as_slice() {
        [] => None,
        argv => Some(prepare_invocation("command", argv, with)?),
    };
    Ok(PreparedOracle { target, service, command })
}

/// Asks once: the listener, then the command.
pub(crate) async fn probe_oracle(oracle: &PreparedOracle, attempt: &Attempt) -> Probed {
    let mut stream = match dial::connect(&oracle.target, attempt).await {
        Ok(stream) => stream,
        Err(e) => return Probed::down(e),
    };
    attempt.begin(Phase::Processing);
    attempt.doing("waiting for the listener's answer");
    let question = tns::connect_packet(oracle.service.as_deref(), &oracle.target.host.to_string(), oracle.target.port);
    let answer = match ask(&mut stream, &question).await {
        Ok(answer) => answer,
        Err(e) => return Probed::down(e),
    };
    drop(stream);
    let verdict = judge(&answer, oracle.service.as_deref(), attempt);
    match &oracle.command {
        Some(command) if verdict.outcome.is_success() => probe_invocation(command, attempt).await,
        _ => verdict,
    }
}

async fn ask(stream: &mut TcpStream, question: &[u8]) -> Result<Answer, String> {
    let broke = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "it closed the connection without an answer: no TNS listener?".to_owned(),
        _ => format!("the connection broke: {e}"),
    };
    for _ in 0..=MOST_RESENDS {
        stream.write_all(question).await.map_err(broke)?;
        let mut header = [0; tns::HEADER_BYTES];
        stream.read_exact(&mut header).await.map_err(broke)?;
        let length = tns::body_length(&header).ok_or("it answers something else than Oracle's TNS protocol")?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.map_err(broke)?;
        match tns::decode(header[4], &body) {
            Some(Answer::Resend) => {}
            Some(answer) => return Ok(answer),
            None => return Err("it answers something else than Oracle's TNS protocol".to_owned()),
        }
    }
    Err(format!("the listener wanted the question again {MOST_RESENDS} times"))
}

fn judge(answer: &Answer, service: Option<&str>, attempt: &Attempt) -> Probed {
    match answer {
        Answer::Accept { version } => {
            attempt.fact("tns version", version.to_string());
            Probed::up().with_status("accepted")
        }
        Answer::Redirect => Probed::up().with_status("redirected"),
        Answer::Resend => Probed::down("the listener wanted the question again").with_status("resend"),
        Answer::Refuse(data) => {
            if let Some(version) = tns::release(data) {
                attempt.fact("version", version);
            }
            match tns::error_code(data) {
                Some(0) if service.is_none() => Probed::up().with_status("ERR=0"),
                Some(code) => {
                    let why = format!("the listener refuses: ORA-{code:05} {}", tns::explain(code));
                    Probed::down(why).with_status(format!("ERR={code}")).with_body(data.as_bytes())
                }
                None => Probed::down("the listener refuses and gives no reason").with_body(data.as_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
