//! A small HTTP server for tests of this room. I/O.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// Gives the bytes to answer a request's head with; `None` closes the connection.
pub(crate) type Answer = Arc<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// What a server saw.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<Mutex<usize>>,
}

pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}

pub(crate) fn text(body: &str) -> Vec<u8> {
    ok("Content-Type: text/plain; version=0.0.4\r\n", body.as_bytes())
}

/// Serves on a port of its own until the runtime ends.
pub(crate) async fn serve(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen, answer) = (listener.local_addr().unwrap(), Seen::default(), Arc::new(answer) as Answer);
    let all = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            *all.connections.lock() += 1;
            tokio::spawn(talk(stream, Arc::clone(&answer), all.clone()));
        }
    });
    (address, seen)
}

pub(crate) async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer, seen: Seen) {
    let mut bytes = VecDeque::new();
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if let Some(b) = bytes.pop_front() {
                head.push(b);
                continue;
            }
            let mut more = [0; 4096];
            match stream.read(&mut more).await {
                Ok(n) if n > 0 => bytes.extend(&more[..n]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        seen.requests.lock().push(head.clone());
        let Some(out) = answer(&head) else { return };
        if stream.write_all(&out).await.is_err() {
            return;
        }
        bytes.clear();
    }
}

/// Says that a test found no counterpart here and looked at nothing.
#[expect(clippy::print_stderr, reason = "whoever runs tests should see it")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
