//! A file of /proc or /sys that is opened once and read many times. I/O.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Most bytes taken from one such file: a machine with 1,000 CPUs has a `/proc/stat` of 100 KB.
const MOST_BYTES: usize = 4 << 20;

/// An open file and the buffer for its text.
#[derive(Debug)]
pub(crate) struct ProcFile {
    path: &'static str,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl ProcFile {
    pub(crate) const fn new(path: &'static str) -> Self {
        Self { path, file: None, buffer: Vec::new() }
    }

    /// Its text as it is now. The kernel writes these files anew for each read from the start.
    pub(crate) fn read(&mut self) -> io::Result<&str> {
        let read = self.fill();
        if read.is_err() {
            self.file = None;
        }
        let len = read?;
        std::str::from_utf8(&self.buffer[..len]).map_err(|_| io::Error::other(format!("{} is not text", self.path)))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(self.path)?),
        };
        if self.buffer.is_empty() {
            self.buffer.resize(8 << 10, 0);
        }
        let mut len = 0;
        loop {
            if len == self.buffer.len() {
                if len >= MOST_BYTES {
                    return Err(io::Error::other(format!("{} is longer than {MOST_BYTES} bytes", self.path)));
                }
                self.buffer.resize(len * 2, 0);
            }
            match file.read_at(&mut self.buffer[len..], len as u64) {
                Ok(0) => return Ok(len),
                Ok(n) => len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_anew_each_time() {
        let mut uptime = ProcFile::new("/proc/uptime");
        let first: f64 = uptime.read().unwrap().split(' ').next().unwrap().parse().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let second: f64 = uptime.read().unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(second > first, "{second} after {first}");
        assert!(ProcFile::new("/proc/none").read().is_err());
    }
}
