//! CPU seconds by mode, boot time, processes: `/proc/stat`. I/O around pure parsing.

use std::io;

use kernel::probe::Reading;

use super::proc_file::ProcFile;

/// Ticks in a second in `/proc`; 100 on every architecture that Linux supports today (`USER_HZ`).
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// A ratio over fewer ticks than this would be noise (a check asked twice in a moment): the last one is given again.
const FEWEST_TICKS: f64 = 20.0;

/// Modes in the order of the file; guest time is part of user and nice.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// Reads CPU counters and keeps those of the sample before.
#[derive(Debug)]
pub(crate) struct StatReader {
    file: ProcFile,
    before: Option<Ticks>,
    ratio: Option<f64>,
}

impl Default for StatReader {
    fn default() -> Self {
        Self { file: ProcFile::new("/proc/stat"), before: None, ratio: None }
    }
}

/// All CPUs together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ticks {
    all: f64,
    unused: f64,
}

impl StatReader {
    pub(crate) fn read(&mut self, out: &mut Vec<Reading>) -> io::Result<()> {
        let now = parse_stat(self.file.read()?, out)
            .ok_or_else(|| io::Error::other("/proc/stat holds no line `cpu`: this is not Linux's"))?;
        match self.before {
            Some(before) if now.all - before.all < FEWEST_TICKS => {}
            Some(before) => {
                self.ratio = Some(used_ratio(before, now));
                self.before = Some(now);
            }
            None => self.before = Some(now),
        }
        out.extend(self.ratio.map(|r| Reading::new("farero_host_cpu_used_ratio", r)));
        Ok(())
    }
}

/// The share of time in which the CPUs worked. Idle counters may step back a little: the result stays in 0 to 1.
fn used_ratio(before: Ticks, now: Ticks) -> f64 {
    (1.0 - (now.unused - before.unused) / (now.all - before.all)).clamp(0.0, 1.0)
}

fn parse_stat(text: &str, out: &mut Vec<Reading>) -> Option<Ticks> {
    let mut all = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next() else { continue };
        let metric = match name {
            "cpu" => {
                all = Some(parse_ticks(words));
                continue;
            }
            "btime" => "node_boot_time_seconds",
            "ctxt" => "node_context_switches_total",
            "processes" => "node_forks_total",
            "procs_running" => "node_procs_running",
            "procs_blocked" => "node_procs_blocked",
            _ => {
                if let Some(cpu) = name.strip_prefix("cpu") {
                    push_cpu(cpu, words, out);
                }
                continue;
            }
        };
        out.extend(words.next().and_then(|v| v.parse().ok()).map(|v| Reading::new(metric, v)));
    }
    all
}

fn push_cpu<'a>(cpu: &str, words: impl Iterator<Item = &'a str>, out: &mut Vec<Reading>) {
    for (mode, ticks) in MODES.into_iter().zip(words) {
        let Ok(ticks) = ticks.parse::<f64>() else { continue };
        let reading = Reading::new("node_cpu_seconds_total", ticks / TICKS_PER_SECOND);
        out.push(reading.label("cpu", cpu).label("mode", mode));
    }
}

fn parse_ticks<'a>(words: impl Iterator<Item = &'a str>) -> Ticks {
    let mut ticks = Ticks::default();
    for (mode, word) in MODES.into_iter().zip(words) {
        let n: f64 = word.parse().unwrap_or(0.0);
        ticks.all += n;
        if matches!(mode, "idle" | "iowait") {
            ticks.unused += n;
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 0 50 800 50 0 0 0 7 0\ncpu0 100 0 50 800 50 0 0 0 7 0\nintr 5 1 2\nctxt 42\n\
                        btime 1770102000\nprocesses 9\nprocs_running 2\nprocs_blocked 0\nsoftirq 1 2\n";

    #[test]
    fn met_05_cpu_by_mode() {
        let mut out = Vec::new();
        let ticks = parse_stat(STAT, &mut out).unwrap();
        assert_eq!(ticks, Ticks { all: 1000.0, unused: 850.0 });
        assert_eq!(out.len(), 8 + 5);
        let idle = Reading::new("node_cpu_seconds_total", 8.0).label("cpu", "0").label("mode", "idle");
        assert!(out.contains(&idle), "{out:?}");
        assert!(out.contains(&Reading::new("node_boot_time_seconds", 1_770_102_000.0)));
    }

    #[test]
    fn chk_06_cpu_ratio_is_between_two_samples() {
        let at = |all, unused| Ticks { all, unused };
        assert_eq!(used_ratio(at(0.0, 0.0), at(100.0, 25.0)), 0.75);
        assert_eq!(used_ratio(at(0.0, 50.0), at(100.0, 40.0)), 1.0);
        assert_eq!(parse_stat("nothing", &mut Vec::new()), None);
    }
}
