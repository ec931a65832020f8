//! What the kernel says of one process: `/proc/PID/stat`. I/O around pure parsing.

use std::fs;

/// Ticks in a second in `/proc`; 100 on every architecture that Linux supports today (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProcessFacts {
    pub(crate) pid: i32,
    pub(crate) name: String,
    /// `R` running, `S` sleeping, `D` waiting for a disk, `T` stopped, `Z` ended but not waited for.
    pub(crate) state: char,
    pub(crate) cpu_seconds: f64,
    pub(crate) threads: f64,
    pub(crate) resident_bytes: f64,
}

impl ProcessFacts {
    /// Neither ended nor about to be taken away.
    pub(crate) const fn is_running(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The facts of a process; `None` when there is no such process.
pub(crate) fn read_facts(pid: i32) -> Option<ProcessFacts> {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4_096);
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, page as f64)
}

/// `1 (name with ) and spaces) S …`: the name ends at the last parenthesis (proc_pid_stat(5)).
fn parse_stat(text: &str, page_bytes: f64) -> Option<ProcessFacts> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 3 of the manual page is the first word here.
    let field = |number: usize| words.get(number - 3)?.parse::<f64>().ok();
    Some(ProcessFacts {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: words.first()?.chars().next()?,
        cpu_seconds: (field(14)? + field(15)?) / TICKS_PER_SECOND,
        threads: field(20)?,
        resident_bytes: field(24)? * page_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let text = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 3 0 100 1000 25 18446744073709551615";
        let facts = parse_stat(text, 4096.0).unwrap();
        assert_eq!((facts.pid, facts.name.as_str(), facts.state), (42, "a) b (c", 'S'));
        assert_eq!((facts.cpu_seconds, facts.threads, facts.resident_bytes), (2.0, 3.0, 102_400.0));
        assert_eq!(parse_stat("42 (a) S 1", 4096.0), None);
    }

    #[test]
    fn reads_its_own() {
        let own = read_facts(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.is_running() && own.resident_bytes > 0.0, "{own:?}");
        assert_eq!(read_facts(i32::MAX), None);
    }
}
