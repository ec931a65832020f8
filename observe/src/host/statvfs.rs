//! How full a file system is, without waiting for one that does not answer. I/O.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::mounts::Mount;

/// How long a file system on another machine may take to answer. Once over it, it is not waited for again until the
/// answer has come: a dead server costs this once.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Most threads that wait for file systems on other machines; further ones are not measured.
const MOST_WAITERS: usize = 32;

/// What statvfs(3) says, in bytes and files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Space {
    pub(crate) size: f64,
    pub(crate) free: f64,
    pub(crate) available: f64,
    pub(crate) files: f64,
    pub(crate) files_free: f64,
}

/// Asks file systems.
#[derive(Debug, Default)]
pub(crate) struct SpaceReader {
    waiters: HashMap<String, Waiter>,
}

/// A thread that asks one file system whenever it is told to.
#[derive(Debug)]
struct Waiter {
    ask: Sender<()>,
    answers: Receiver<io::Result<Space>>,
    pending: bool,
}

impl SpaceReader {
    pub(crate) fn read(&mut self, mount: &Mount) -> io::Result<Space> {
        if mount.is_local() {
            return read_space(&mount.mountpoint);
        }
        let waiters = self.waiters.len();
        let waiter = match self.waiters.entry(mount.mountpoint.clone()) {
            Entry::Occupied(waiter) => waiter.into_mut(),
            Entry::Vacant(_) if waiters >= MOST_WAITERS => {
                return Err(io::Error::other(format!("more than {MOST_WAITERS} file systems on other machines")));
            }
            Entry::Vacant(place) => {
                let path = mount.mountpoint.clone();
                place.insert(Waiter::start(move || read_space(&path))?)
            }
        };
        let answer = waiter.ask(LONGEST_WAIT);
        if matches!(&answer, Err(e) if e.kind() == io::ErrorKind::BrokenPipe) {
            self.waiters.remove(&mount.mountpoint);
        }
        answer
    }

    /// Lets go of file systems that are mounted no more.
    pub(crate) fn keep(&mut self, is_mounted: impl Fn(&str) -> bool) {
        self.waiters.retain(|mountpoint, _| is_mounted(mountpoint));
    }
}

impl Waiter {
    fn start(read: impl Fn() -> io::Result<Space> + Send + 'static) -> io::Result<Self> {
        let (ask, asked) = channel();
        let (answer, answers) = channel();
        std::thread::Builder::new()
            .name("statvfs".to_owned())
            .spawn(move || while asked.recv().is_ok() && answer.send(read()).is_ok() {})?;
        Ok(Self { ask, answers, pending: false })
    }

    fn ask(&mut self, wait: Duration) -> io::Result<Space> {
        // Still busy with the last question: look whether the answer is there by now, without waiting.
        let wait = if self.pending { Duration::ZERO } else { wait };
        if !self.pending {
            self.ask.send(()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
        match self.answers.recv_timeout(wait) {
            Ok(answer) => {
                self.pending = false;
                answer
            }
            Err(RecvTimeoutError::Timeout) => {
                self.pending = true;
                Err(io::Error::from(io::ErrorKind::TimedOut))
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }
}

fn read_space(path: &str) -> io::Result<Space> {
    let s = nix::sys::statvfs::statvfs(path)?;
    let block = s.fragment_size() as f64;
    Ok(Space {
        size: s.blocks() as f64 * block,
        free: s.blocks_free() as f64 * block,
        available: s.blocks_available() as f64 * block,
        files: s.files() as f64,
        files_free: s.files_free() as f64,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;

    #[test]
    fn chk_06_a_dead_file_system_is_waited_for_once() {
        let space = Space { size: 1.0, free: 1.0, available: 1.0, files: 1.0, files_free: 1.0 };
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let mut dead = Waiter::start(move || {
            let _ = gate.lock().unwrap().recv();
            Ok(space)
        })
        .unwrap();
        let wait = Duration::from_millis(50);
        assert_eq!(dead.ask(wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(dead.ask(wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert!(began.elapsed() < wait * 100);
        drop(release);
        let mut answer = dead.ask(wait);
        while answer.is_err() {
            std::thread::yield_now();
            answer = dead.ask(wait);
        }
        assert_eq!(answer.unwrap(), space);
    }

    #[test]
    fn reads_the_root() {
        let space = read_space("/").unwrap();
        assert!(space.size > 0.0 && space.free <= space.size && space.available <= space.free, "{space:?}");
    }
}
