//! The spikes as a scraping server: HTTP, gzip, cache, columns, log. `scraper PORTSFILE INTERVAL_S WARM_S SECONDS whole|hashed gzip|plain DIR LEVEL`
//! One thread; a commit with `fdatasync` each second.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::{Decompress, FlushDecompress, Status};
use series_spikes::engine::Engine;
use series_spikes::measure::{anonymous, cpu};
use series_spikes::wal::Wal;

struct Client {
    request: Vec<u8>,
    answer: Vec<u8>,
    body: Vec<u8>,
    inflate: Decompress,
    /// CPU of inflating.
    inflating: f64,
}

impl Client {
    /// Fetches into `self.body`.
    fn fetch(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&self.request)?;
        self.answer.resize(self.answer.capacity().max(1 << 17), 0);
        let (mut have, mut need, mut start) = (0, usize::MAX, 0);
        let mut gzip = false;
        while have < need {
            if have == self.answer.len() {
                self.answer.resize(have * 2, 0);
            }
            let n = stream.read(&mut self.answer[have..])?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            have += n;
            if need == usize::MAX
                && let Some(end) = memchr::memmem::find(&self.answer[..have], b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&self.answer[..end]).to_ascii_lowercase();
                gzip = head.contains("content-encoding: gzip");
                let length =
                    head.lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
                start = end + 4;
                need = start + length.ok_or(io::ErrorKind::InvalidData)?;
            }
        }
        let content = &self.answer[start..need];
        self.body.clear();
        if !gzip {
            self.body.extend_from_slice(content);
            return Ok(());
        }
        let begun = cpu();
        // A header without extras, as Go and zlib write it, then deflate, then CRC and length.
        let (content, tail) = content.split_at(content.len() - 8);
        if content.get(..4) != Some(&[0x1f, 0x8b, 8, 0]) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = u32::from_le_bytes([tail[4], tail[5], tail[6], tail[7]]) as usize;
        self.body.reserve(length + 64);
        self.inflate.reset(false);
        let status = self.inflate.decompress_vec(&content[10..], &mut self.body, FlushDecompress::Finish)?;
        if status != Status::StreamEnd || crc32fast::hash(&self.body).to_le_bytes() != tail[..4] {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.inflating += cpu() - begun;
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| args[i].parse::<f64>().map_err(io::Error::other);
    let (interval, warm, seconds) = (number(2)?, number(3)?, number(4)?);
    let ports: Vec<u16> = std::fs::read_to_string(&args[1])?.lines().filter_map(|p| p.parse().ok()).collect();
    let before = anonymous("self");
    let accept = if args[6] == "gzip" { "Accept-Encoding: gzip\r\n" } else { "" };
    let mut client = Client {
        request: format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{accept}\r\n").into_bytes(),
        answer: Vec::new(),
        body: Vec::new(),
        inflate: Decompress::new(false),
        inflating: 0.0,
    };
    let mut streams = ports.iter().map(|p| TcpStream::connect(("127.0.0.1", *p))).collect::<io::Result<Vec<_>>>()?;
    streams.iter().try_for_each(|s| s.set_nodelay(true))?;
    let mut engine = Engine::default();
    engine.add(ports.len(), args[5] == "whole", true);
    let level = number(8)? as i32;
    engine.wal = Some(Wal::create(&Path::new(&args[7]).join("scraper.wal"), (level > 0).then_some(level))?);
    let start = Instant::now();
    let mut taking = 0.0;
    let (mut from, mut committed, mut late, mut i) = (None, Instant::now(), 0.0f64, 0usize);
    loop {
        let due = i as f64 * interval / ports.len() as f64;
        let now = start.elapsed().as_secs_f64();
        if now < due {
            std::thread::sleep(Duration::from_secs_f64(due - now));
        } else {
            late = late.max(now - due);
        }
        if committed.elapsed().as_secs_f64() >= 1.0 {
            engine.commit()?;
            committed = Instant::now();
        }
        if from.is_none() && due >= warm {
            (taking, client.inflating) = (0.0, 0.0);
            from = Some((cpu(), engine.samples, engine.wal.as_ref().map_or(0, |w| w.written)));
        }
        if due >= warm + seconds {
            break;
        }
        let target = i % ports.len();
        client.fetch(&mut streams[target])?;
        let begun = cpu();
        engine.scrape(target, (due * 1e3) as i64, &client.body);
        taking += cpu() - begun;
        i += 1;
    }
    engine.commit()?;
    let (cpu0, samples0, written0) = from.unwrap_or_default();
    let taken = (engine.samples - samples0) as f64;
    println!(
        "{} {}: {:.3} CPU s per M samples (inflating {:.3}, parsing and columns {:.3}, the rest network, log and waking up), {:.0} B anonymous per series (counted {:.0}), {:.2} B per sample to the log, {} series, {:.0} samples, latest {:.2} s late",
        args[5],
        args[6],
        (cpu() - cpu0) * 1e6 / taken,
        client.inflating * 1e6 / taken,
        taking * 1e6 / taken,
        (anonymous("self") - before) as f64 / engine.registry.len() as f64,
        engine.heap().iter().map(|h| h.1).sum::<usize>() as f64 / engine.registry.len() as f64,
        (engine.wal.as_ref().map_or(0, |w| w.written) - written0) as f64 / taken,
        engine.registry.len(),
        taken,
        late
    );
    Ok(())
}
