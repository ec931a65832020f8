//! SMTP greeting and EHLO, with STARTTLS where wanted (RFC 5321, RFC 3207); sends no mail. I/O.

use std::net::{IpAddr, SocketAddr};

use kernel::probe::Phase;
use plan_model::check::SmtpCheck;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};

use super::dial::{Target, connect};
use super::lines::read_line;
use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

/// Lines that one reply may have.
const MOST_REPLY_LINES: usize = 100;

/// An SMTP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSmtp {
    target: Target,
    starttls: Option<TlsClient>,
}

/// Makes the check ready.
pub(crate) fn prepare_smtp(check: &SmtpCheck, with: &Preparing<'_>) -> Result<PreparedSmtp, PrepareError> {
    let target = Target::parse("smtp.address", with.resolve(&check.address)?.expose(), Some(25))?;
    let starttls = check.starttls.then(|| TlsClient::prepare(&check.tls, Offer::Nothing, with)).transpose()?;
    Ok(PreparedSmtp { target, starttls })
}

/// Asks once.
pub(crate) async fn probe_smtp(check: &PreparedSmtp, attempt: &Attempt) -> Probed {
    let mut last = String::new();
    let probed = match converse(check, attempt, &mut last).await {
        Ok(()) => Probed::up(),
        Err(error) => Probed::down(error),
    };
    if last.is_empty() { probed } else { probed.with_status(last) }
}

/// `last` is the last line that the server said, with which the evidence begins.
async fn converse(check: &PreparedSmtp, attempt: &Attempt, last: &mut String) -> Result<(), String> {
    let stream = connect(&check.target, attempt).await?;
    let hello = hello(stream.local_addr().ok());
    let mut stream = BufStream::with_capacity(1_024, 256, stream);
    attempt.begin(Phase::Processing);
    attempt.doing("waiting for the greeting");
    read_reply(&mut stream, "220", last).await?;
    attempt.fact("greeting", last.clone());
    let extensions = say_hello(&mut stream, &hello, attempt, last).await?;
    let Some(tls) = &check.starttls else {
        return say_goodbye(&mut stream, attempt).await;
    };
    if !extensions.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
        return Err("the server does not offer STARTTLS".to_owned());
    }
    attempt.doing("asking for STARTTLS");
    say(&mut stream, "STARTTLS\r\n").await?;
    read_reply(&mut stream, "220", last).await?;
    let (stream, _) = tls.shake_hands(stream.into_inner(), &check.target.host, attempt).await?;
    let mut stream = BufStream::with_capacity(1_024, 256, stream);
    attempt.begin(Phase::Processing);
    say_hello(&mut stream, &hello, attempt, last).await?;
    say_goodbye(&mut stream, attempt).await
}

/// `EHLO` with an address literal: a monitor has no mail domain of its own (RFC 5321 section 4.1.3).
fn hello(own: Option<SocketAddr>) -> String {
    match own.map(|address| address.ip()) {
        Some(IpAddr::V6(address)) => format!("EHLO [IPv6:{address}]\r\n"),
        Some(IpAddr::V4(address)) => format!("EHLO [{address}]\r\n"),
        None => "EHLO [127.0.0.1]\r\n".to_owned(),
    }
}

async fn say_hello<S>(stream: &mut S, hello: &str, attempt: &Attempt, last: &mut String) -> Result<Vec<String>, String>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    attempt.doing("waiting for the reply to EHLO");
    say(stream, hello).await?;
    read_reply(stream, "250", last).await
}

/// The server's job is done: that it takes leave as well is not waited for.
async fn say_goodbye(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), attempt: &Attempt) -> Result<(), String> {
    attempt.doing("taking leave");
    say(stream, "QUIT\r\n").await
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> Result<(), String> {
    let lost = |e| format!("the connection broke off: {e}");
    stream.write_all(text.as_bytes()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)
}

/// The lines of one reply without their code; an error when the code is another one.
async fn read_reply<S: AsyncBufRead + Unpin>(
    stream: &mut S,
    code: &str,
    last: &mut String,
) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    while lines.len() < MOST_REPLY_LINES {
        let line = read_line(stream).await?;
        last.clone_from(&line);
        let Some(rest) = line.strip_prefix(code) else {
            return Err(format!("the server says `{line}` where {code} is expected"));
        };
        match rest.strip_prefix('-') {
            Some(rest) => lines.push(rest.trim().to_owned()),
            None => {
                lines.push(rest.trim().to_owned());
                return Ok(lines);
            }
        }
    }
    Err(format!("a reply has more than {MOST_REPLY_LINES} lines"))
}
