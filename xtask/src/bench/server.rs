//! The server that is probed: answers `/p/N` at once and notes when each N arrived. I/O.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Every so many paths answer 503, so that both outcomes are seen.
const FAIL_EVERY: usize = 100;
/// Threads that answer: more than enough for some thousand short requests a second.
const THREADS: usize = 4;

/// A running server; its threads end with the program.
pub(super) struct Server {
    pub(super) port: u16,
    arrivals: Arc<Mutex<HashMap<usize, Vec<Instant>>>>,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
        let port = listener.local_addr()?.port();
        let arrivals: Arc<Mutex<HashMap<usize, Vec<Instant>>>> = Arc::default();
        for _ in 0..THREADS {
            let (listener, arrivals) = (listener.clone(), arrivals.clone());
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    // A prober that breaks off is its own affair; the count shows it.
                    let _ = answer(stream, &arrivals);
                }
            });
        }
        Ok(Self { port, arrivals })
    }

    /// Forgets what arrived so far.
    pub(super) fn forget(&self) {
        if let Ok(mut all) = self.arrivals.lock() {
            all.clear();
        }
    }

    /// How many arrived, and the 99th percentile and maximum of their lateness in milliseconds: each against the
    /// best-fitting grid of its own path.
    pub(super) fn lateness(&self, every: Duration) -> (usize, f64, f64) {
        let Ok(all) = self.arrivals.lock() else { return (0, f64::NAN, f64::NAN) };
        let mut late: Vec<f64> = Vec::new();
        for times in all.values().filter(|t| !t.is_empty()) {
            let off = |t: &Instant| {
                let since = t.duration_since(times[0]).as_secs_f64();
                since - (since / every.as_secs_f64()).round() * every.as_secs_f64()
            };
            let least = times.iter().map(off).fold(f64::INFINITY, f64::min);
            late.extend(times.iter().map(|t| (off(t) - least) * 1e3));
        }
        late.sort_by(f64::total_cmp);
        let p99 = late.get(late.len() * 99 / 100).copied().unwrap_or(f64::NAN);
        (late.len(), p99, late.last().copied().unwrap_or(f64::NAN))
    }
}

fn answer(mut stream: TcpStream, arrivals: &Mutex<HashMap<usize, Vec<Instant>>>) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut bytes = [0u8; 2048];
    loop {
        let mut length = 0;
        while !bytes[..length].windows(4).any(|w| w == b"\r\n\r\n") {
            let read = stream.read(&mut bytes[length..])?;
            if read == 0 {
                return Ok(());
            }
            length += read;
        }
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let number = text.split(' ').nth(1).and_then(|p| p.strip_prefix("/p/")).and_then(|n| n.parse::<usize>().ok());
        let fails = number.is_some_and(|n| n % FAIL_EVERY == 0);
        if let (Some(number), Ok(mut all)) = (number, arrivals.lock()) {
            all.entry(number).or_default().push(Instant::now());
        }
        let status = if fails { "503 Service Unavailable" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")?;
        if text.to_ascii_lowercase().contains("connection: close") {
            return Ok(());
        }
    }
}
