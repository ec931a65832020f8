//! File systems: space, files, read-only. I/O.

use std::io;

use kernel::probe::Reading;

use super::mounts::{Mount, choose_mounts, parse_mountinfo};
use super::proc_file::ProcFile;
use super::statvfs::{Space, SpaceReader};

/// Most file systems measured: more are container layers and mistakes.
const MOST_MOUNTS: usize = 128;

/// Reads file systems.
#[derive(Debug)]
pub(crate) struct FilesystemReader {
    mounts: ProcFile,
    space: SpaceReader,
}

impl Default for FilesystemReader {
    fn default() -> Self {
        Self { mounts: ProcFile::new("/proc/self/mountinfo"), space: SpaceReader::default() }
    }
}

impl FilesystemReader {
    pub(crate) fn read(&mut self, wanted: &[String], out: &mut Vec<Reading>) -> io::Result<()> {
        let mut mounts = choose_mounts(parse_mountinfo(self.mounts.read()?), wanted);
        let over = mounts.len() > MOST_MOUNTS;
        mounts.truncate(MOST_MOUNTS);
        self.space.keep(|mountpoint| mounts.iter().any(|m| m.mountpoint == mountpoint));
        for mount in &mounts {
            push_mount(mount, self.space.read(mount), out);
        }
        if over {
            return Err(io::Error::other(format!("more than {MOST_MOUNTS} file systems: name those that matter")));
        }
        Ok(())
    }
}

fn push_mount(mount: &Mount, space: io::Result<Space>, out: &mut Vec<Reading>) {
    let mut push = |metric: &str, value: f64| {
        let reading = Reading::new(metric, value);
        out.push(
            reading
                .label("device", mount.device.as_str())
                .label("fstype", mount.fstype.as_str())
                .label("mountpoint", mount.mountpoint.as_str()),
        );
    };
    push("node_filesystem_device_error", f64::from(u8::from(space.is_err())));
    let Ok(space) = space else { return };
    push("node_filesystem_readonly", f64::from(u8::from(mount.readonly)));
    push("node_filesystem_size_bytes", space.size);
    push("node_filesystem_free_bytes", space.free);
    push("node_filesystem_avail_bytes", space.available);
    push("node_filesystem_files", space.files);
    push("node_filesystem_files_free", space.files_free);
    let mut push_ratio = |metric: &str, ratio: Option<f64>| {
        let point = mount.mountpoint.as_str();
        out.extend(ratio.map(|r| Reading::new(metric, r).label("mountpoint", point)));
    };
    push_ratio("farero_host_disk_used_ratio", disk_used_ratio(&space));
    push_ratio("farero_host_inodes_used_ratio", inodes_used_ratio(&space));
}

/// As `df` counts: what root keeps for itself is neither used nor free.
fn disk_used_ratio(space: &Space) -> Option<f64> {
    let used = space.size - space.free;
    let usable = used + space.available;
    (usable > 0.0).then(|| used / usable)
}

/// File systems that make inodes as they go (btrfs) say 0 and have no ratio.
fn inodes_used_ratio(space: &Space) -> Option<f64> {
    (space.files > 0.0).then(|| (space.files - space.files_free) / space.files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_06_disk_used_is_what_df_says() {
        let space = Space { size: 100.0, free: 30.0, available: 25.0, files: 10.0, files_free: 9.0 };
        assert_eq!(disk_used_ratio(&space), Some(70.0 / 95.0));
        assert_eq!(inodes_used_ratio(&space), Some(0.1));
        let empty = Space { size: 0.0, free: 0.0, available: 0.0, files: 0.0, files_free: 0.0 };
        assert_eq!((disk_used_ratio(&empty), inodes_used_ratio(&empty)), (None, None));
    }

    #[test]
    fn chk_06_a_mount_that_does_not_answer_is_said() {
        let mount = parse_mountinfo("1 0 0:9 / /nas rw - nfs4 nas:/x rw\n").remove(0);
        let mut out = Vec::new();
        push_mount(&mount, Err(io::Error::from(io::ErrorKind::TimedOut)), &mut out);
        assert_eq!(out.len(), 1);
        assert_eq!((out[0].metric.as_str(), out[0].value), ("node_filesystem_device_error", 1.0));
    }
}
