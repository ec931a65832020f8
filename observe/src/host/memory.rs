//! Memory: `/proc/meminfo`. I/O around pure parsing.

use std::io;

use kernel::probe::Reading;

use super::proc_file::ProcFile;

/// What is exported; the rest of the file's 50 lines is for kernel developers.
const FIELDS: [&str; 22] = [
    "MemTotal",
    "MemFree",
    "MemAvailable",
    "Buffers",
    "Cached",
    "SwapCached",
    "Active",
    "Inactive",
    "SwapTotal",
    "SwapFree",
    "Dirty",
    "Writeback",
    "AnonPages",
    "Mapped",
    "Shmem",
    "Slab",
    "SReclaimable",
    "SUnreclaim",
    "KernelStack",
    "PageTables",
    "CommitLimit",
    "Committed_AS",
];

/// Reads memory.
#[derive(Debug)]
pub(crate) struct MemoryReader(ProcFile);

impl Default for MemoryReader {
    fn default() -> Self {
        Self(ProcFile::new("/proc/meminfo"))
    }
}

impl MemoryReader {
    pub(crate) fn read(&mut self, out: &mut Vec<Reading>) -> io::Result<()> {
        parse_meminfo(self.0.read()?, out);
        Ok(())
    }
}

fn parse_meminfo(text: &str, out: &mut Vec<Reading>) {
    let (mut total, mut available) = (None, None);
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let mut words = rest.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|n| n.parse::<f64>().ok()) else { continue };
        if !FIELDS.contains(&name) {
            continue;
        }
        let bytes = if words.next() == Some("kB") { number * 1_024.0 } else { number };
        match name {
            "MemTotal" => total = Some(bytes),
            "MemAvailable" => available = Some(bytes),
            _ => {}
        }
        out.push(Reading::new(&format!("node_memory_{name}_bytes"), bytes));
    }
    if let (Some(total), Some(available)) = (total, available)
        && total > 0.0
    {
        out.push(Reading::new("farero_host_memory_used_ratio", 1.0 - available / total));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_06_memory_used_is_what_is_not_available() {
        let mut out = Vec::new();
        parse_meminfo("MemTotal:  8000 kB\nMemFree: 100 kB\nMemAvailable: 2000 kB\nHugePages_Total: 3\n", &mut out);
        let expect = [
            Reading::new("node_memory_MemTotal_bytes", 8_192_000.0),
            Reading::new("node_memory_MemFree_bytes", 102_400.0),
            Reading::new("node_memory_MemAvailable_bytes", 2_048_000.0),
            Reading::new("farero_host_memory_used_ratio", 0.75),
        ];
        assert_eq!(out, expect);
    }
}
