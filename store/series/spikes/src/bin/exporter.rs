//! An exporter that replays a corpus on many loopback ports: `exporter CORPUS PORTS INTERVAL_S PORTSFILE SECONDS`.
//! All clients see the same body at the same age; gzip for those who ask, packed once per body.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use series_spikes::corpus::Corpus;

struct Shared {
    bodies: Vec<Vec<u8>>,
    packed: Vec<OnceLock<Vec<u8>>>,
    start: Instant,
    interval: f64,
}

impl Shared {
    fn serve(&self, stream: TcpStream, port: usize) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::with_capacity(2048, stream);
        loop {
            let (mut gzip, mut line) = (false, String::new());
            loop {
                line.clear();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                gzip |= line.to_ascii_lowercase().starts_with("accept-encoding:") && line.contains("gzip");
                if line == "\r\n" {
                    break;
                }
            }
            let age = (self.start.elapsed().as_secs_f64() / self.interval) as usize;
            let i = (age + port * 7) % self.bodies.len();
            let mut out = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n".to_vec();
            let body = if gzip {
                out.extend_from_slice(b"Content-Encoding: gzip\r\n");
                self.packed[i].get_or_init(|| {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
                    encoder.write_all(&self.bodies[i]).and_then(|()| encoder.finish()).unwrap_or_default()
                })
            } else {
                &self.bodies[i]
            };
            write!(out, "Content-Length: {}\r\n\r\n", body.len())?;
            out.extend_from_slice(body);
            writer.write_all(&out)?;
        }
    }
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| args[i].parse::<f64>().map_err(std::io::Error::other);
    let corpus = Corpus::open(Path::new(&args[1]))?;
    let bodies = corpus.load(0, corpus.len())?;
    let packed = bodies.iter().map(|_| OnceLock::new()).collect();
    let shared = Arc::new(Shared { bodies, packed, start: Instant::now(), interval: number(3)? });
    let mut ports = Vec::new();
    for port in 0..number(2)? as usize {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        ports.push(listener.local_addr()?.port().to_string());
        let shared = shared.clone();
        std::thread::Builder::new().stack_size(1 << 16).spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                let spawned = std::thread::Builder::new().stack_size(1 << 18).spawn(move || shared.serve(stream, port));
                drop(spawned);
            }
        })?;
    }
    std::fs::write(&args[4], ports.join("\n"))?;
    std::thread::sleep(Duration::from_secs_f64(number(5)?));
    Ok(())
}
