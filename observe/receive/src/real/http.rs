//! As much of HTTP/1.1 as tests need: one request for each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

pub(crate) type Response = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// Serves until the test ends; answers its address.
pub(crate) fn serve(handle: impl Fn(Request) -> Response + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || answer(stream, &*handle));
        }
    });
    address
}

fn answer(stream: TcpStream, handle: &dyn Fn(Request) -> Response) {
    let mut reader = BufReader::new(&stream);
    let Some((first, headers)) = head(&mut reader) else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut request = Request { path, headers, body: Vec::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    request.body = vec![0; length];
    if reader.read_exact(&mut request.body).is_err() {
        return;
    }
    let (status, headers, body) = handle(request);
    let mut out = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = &stream;
    let _ = stream
        .write_all(out.as_bytes())
        .and_then(|()| stream.write_all(b"\r\n"))
        .and_then(|()| stream.write_all(&body));
}

fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let headers = lines.get(1..)?.iter().filter_map(|line| line.split_once(':'));
    Some((lines.first()?.clone(), headers.map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect()))
}

/// Status and body; `None` when nobody answers.
pub(crate) fn ask(address: &str, method: &str, path: &str) -> Option<(u16, Vec<u8>)> {
    let stream = TcpStream::connect(address).ok()?;
    let request = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    (&stream).write_all(request.as_bytes()).ok()?;
    let mut reader = BufReader::new(&stream);
    let (first, _) = head(&mut reader)?;
    let mut body = Vec::new();
    reader.read_to_end(&mut body).ok()?;
    Some((first.split(' ').nth(1)?.parse().ok()?, body))
}

/// Text as a part of a URL.
pub(crate) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
