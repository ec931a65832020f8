//! A mail server that keeps what it is given: the part of RFC 5321 that a sender needs. I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Inbox;

/// A mail may have this many bytes.
const MAIL_BYTES: usize = 1 << 20;
/// A command may have this many bytes (RFC 5321 section 4.5.3.1.4 asks for 512).
const LINE_BYTES: u64 = 2_048;

pub(super) async fn serve(inbox: Inbox, refuse: Arc<AtomicBool>) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (inbox, refuse) = (inbox.clone(), refuse.clone());
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &inbox, &refuse).await {
                    tracing::debug!(%error, "a mail conversation broke off");
                }
            });
        }
    });
    Ok(port)
}

async fn converse(stream: TcpStream, inbox: &Inbox, refuse: &AtomicBool) -> Result<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 farero demo").await?;
    let mut receivers: Vec<String> = Vec::new();
    loop {
        let Some(line) = read_line(&mut stream).await? else { return Ok(()) };
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say(&mut stream, "250-farero demo\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
            "HELO" | "NOOP" => say(&mut stream, "250 ok").await?,
            "MAIL" if refuse.load(Ordering::Relaxed) => {
                say(&mut stream, "451 the demo's mail server refuses for now").await?
            }
            "MAIL" | "RSET" => {
                receivers.clear();
                say(&mut stream, "250 ok").await?;
            }
            "RCPT" => {
                receivers.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                say(&mut stream, "250 ok").await?;
            }
            "DATA" => {
                say(&mut stream, "354 end with a single dot").await?;
                let mail = read_mail(&mut stream).await?;
                keep(inbox, &receivers, &mail);
                say(&mut stream, "250 kept").await?;
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "502 not here").await?,
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    Ok(())
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Result<Option<String>> {
    let mut line = Vec::new();
    let read = (&mut *stream).take(LINE_BYTES).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
}

/// Everything up to the line with a single dot; doubled dots at a line's begin are undone (RFC 5321 section 4.5.2).
async fn read_mail(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = stream.read_until(b'\n', &mut line).await?;
        if read == 0 || line == b".\r\n" || line == b".\n" {
            return Ok(mail);
        }
        anyhow::ensure!(mail.len() + line.len() <= MAIL_BYTES, "a mail of more than {MAIL_BYTES} bytes");
        mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn keep(inbox: &Inbox, receivers: &[String], mail: &[u8]) {
    let parsed = MessageParser::default().parse(mail);
    let subject = parsed.as_ref().and_then(|m| m.subject()).unwrap_or_default().to_owned();
    let text = parsed.as_ref().and_then(|m| m.body_text(0)).unwrap_or_default().into_owned();
    inbox.add("email", receivers.join(", "), subject, text);
}
