//! CPU time, memory, medians. I/O.

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this process in seconds.
pub fn cpu() -> f64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

/// Anonymous resident bytes of a process.
pub fn anonymous(pid: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// The median, and the least and the most, of what `run` gives `n` times.
pub fn median(n: usize, mut run: impl FnMut() -> f64) -> (f64, f64, f64) {
    let mut all: Vec<f64> = (0..n).map(|_| run()).collect();
    all.sort_by(f64::total_cmp);
    (all[n / 2], all[0], all[n - 1])
}
