//! What disks read and wrote: `/proc/diskstats`. I/O around pure parsing.

use std::io;

use kernel::probe::Reading;

use super::proc_file::ProcFile;

/// Sectors in `/proc` are of this size, whatever the disk's own are.
const SECTOR_BYTES: f64 = 512.0;

/// Counters in the order of the file after the device's name, and what one unit is; `""` is not exported.
/// Source: Documentation/admin-guide/iostats.rst of the kernel.
const FIELDS: [(&str, f64); 11] = [
    ("node_disk_reads_completed_total", 1.0),
    ("", 1.0),
    ("node_disk_read_bytes_total", SECTOR_BYTES),
    ("node_disk_read_time_seconds_total", 0.001),
    ("node_disk_writes_completed_total", 1.0),
    ("", 1.0),
    ("node_disk_written_bytes_total", SECTOR_BYTES),
    ("node_disk_write_time_seconds_total", 0.001),
    ("node_disk_io_now", 1.0),
    ("node_disk_io_time_seconds_total", 0.001),
    ("node_disk_io_time_weighted_seconds_total", 0.001),
];

/// Reads disks.
#[derive(Debug)]
pub(crate) struct DiskReader(ProcFile);

impl Default for DiskReader {
    fn default() -> Self {
        Self(ProcFile::new("/proc/diskstats"))
    }
}

impl DiskReader {
    pub(crate) fn read(&mut self, out: &mut Vec<Reading>) -> io::Result<()> {
        parse_diskstats(self.0.read()?, out);
        Ok(())
    }
}

fn parse_diskstats(text: &str, out: &mut Vec<Reading>) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(2);
        let Some(device) = words.next().filter(|d| is_whole_disk(d)) else { continue };
        for ((metric, unit), word) in FIELDS.into_iter().zip(words) {
            if let (false, Ok(n)) = (metric.is_empty(), word.parse::<f64>()) {
                out.push(Reading::new(metric, n * unit).label("device", device));
            }
        }
    }
}

/// Whole disks only: no RAM disks, loops, floppies, and no partitions (node_exporter's default).
fn is_whole_disk(device: &str) -> bool {
    let name = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if name.len() == device.len() {
        return true;
    }
    let is_partition = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|letter| letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase())
    };
    let nvme_partition = name.starts_with("nvme") && name.ends_with('p');
    !(["ram", "zram", "loop", "fd"].contains(&name)
        || ["hd", "sd", "vd", "xvd"].into_iter().any(is_partition)
        || nvme_partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_and_ram_are_no_disks() {
        let disks = ["sda", "vda", "xvda", "nvme0n1", "dm-0", "md0", "mmcblk0", "sr0"];
        let others = ["sda1", "vda15", "xvda1", "nvme0n1p2", "ram0", "zram0", "loop7", "fd0", "hdb3"];
        assert_eq!(disks.into_iter().filter(|d| !is_whole_disk(d)).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(others.into_iter().filter(|d| is_whole_disk(d)).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn met_05_disk_counters_have_units() {
        let mut out = Vec::new();
        parse_diskstats("   8  0 sda 10 1 20 3000 40 4 50 6000 7 8000 9000 0 0 0 0\n   8  1 sda1 1 1 1 1\n", &mut out);
        let got: Vec<(&str, f64)> = out.iter().map(|r| (r.metric.as_str(), r.value)).collect();
        assert_eq!(got.len(), 9);
        assert!(got.contains(&("node_disk_read_bytes_total", 10_240.0)), "{got:?}");
        assert!(got.contains(&("node_disk_written_bytes_total", 25_600.0)), "{got:?}");
        assert!(got.contains(&("node_disk_io_now", 7.0)), "{got:?}");
        assert!(got.contains(&("node_disk_io_time_seconds_total", 8.0)), "{got:?}");
    }
}
