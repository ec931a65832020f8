//! Which file systems are mounted, and which of them are worth measuring. Pure.

/// One line of `/proc/self/mountinfo`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mount {
    /// `major:minor`: the same for every mount of one file system.
    pub(crate) id: String,
    /// The folder of the file system that is mounted; `/` for all of it.
    pub(crate) root: String,
    pub(crate) mountpoint: String,
    pub(crate) fstype: String,
    pub(crate) device: String,
    pub(crate) readonly: bool,
}

/// File systems that hold no files of their own (node_exporter's list, and memory ones).
const UNREAL_TYPES: [&str; 28] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "fuse.lxcfs",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "rootfs",
];

/// Mount points below which nothing is measured unless the plan names it (node_exporter's list).
const UNREAL_FOLDERS: [&str; 6] =
    ["/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers/storage"];

/// Types whose answer comes from this machine's own kernel and disks, and so at once. All others are asked in a thread
/// of their own: a dead NFS server would hold the caller for ever.
const LOCAL_TYPES: [&str; 16] = [
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs3", "overlay", "ramfs", "reiserfs",
    "tmpfs", "vfat", "xfs", "zfs",
];

impl Mount {
    /// Whether measuring it cannot hang on another machine.
    pub(crate) fn is_local(&self) -> bool {
        LOCAL_TYPES.contains(&self.fstype.as_str())
    }

    fn is_real(&self) -> bool {
        let below = |folder: &str| {
            self.mountpoint.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !UNREAL_TYPES.contains(&self.fstype.as_str()) && !UNREAL_FOLDERS.into_iter().any(below)
    }
}

/// All mounts; of several on one mount point the last, which is the one in use.
pub(crate) fn parse_mountinfo(text: &str) -> Vec<Mount> {
    let mut out: Vec<Mount> = Vec::new();
    for mount in text.lines().filter_map(parse_line) {
        out.retain(|m| m.mountpoint != mount.mountpoint);
        out.push(mount);
    }
    out
}

/// `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/sda1 rw` (proc_pid_mountinfo(5)).
fn parse_line(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let (id, root, mountpoint, options) = (left.next()?, left.next()?, left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (fstype, device, super_options) = (right.next()?, right.next()?, right.next().unwrap_or(""));
    let is_readonly = |options: &str| options.split(',').any(|o| o == "ro");
    Some(Mount {
        id: id.to_owned(),
        root: unescape(root),
        mountpoint: unescape(mountpoint),
        fstype: fstype.to_owned(),
        device: unescape(device),
        readonly: is_readonly(options) || is_readonly(super_options),
    })
}

/// `\040` is a space, and so on: three octal digits.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                out.push(byte);
                rest = &tail[3..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The mounts to measure: those that the plan names, else all real ones, each file system once (bind mounts are left
/// out), else, as in a container, the root alone.
pub(crate) fn choose_mounts(mounts: Vec<Mount>, wanted: &[String]) -> Vec<Mount> {
    if !wanted.is_empty() {
        return mounts.into_iter().filter(|m| wanted.contains(&m.mountpoint)).collect();
    }
    let root = mounts.iter().find(|m| m.mountpoint == "/").cloned();
    let mut out: Vec<Mount> = Vec::new();
    for mount in mounts.into_iter().filter(Mount::is_real) {
        let rank = |m: &Mount| (m.root != "/", m.mountpoint.len());
        match out.iter_mut().find(|m| m.id == mount.id) {
            Some(same) if rank(&mount) < rank(same) => *same = mount,
            Some(_) => {}
            None => out.push(mount),
        }
    }
    if out.is_empty() { root.into_iter().collect() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
23 22 0:21 / /proc rw,nosuid - proc proc rw\n\
24 22 0:22 / /run rw,nosuid shared:2 - tmpfs tmpfs rw,size=400k\n\
25 22 8:1 / /srv/data\\040one ro,relatime - xfs /dev/sda1 rw\n\
26 22 254:1 /var/lib /mnt/bind rw - ext4 /dev/vda1 rw\n\
27 22 0:40 / /var/lib/docker/overlay2/x rw - ext4 /dev/sdb rw\n\
28 22 0:50 / /srv/nas rw - nfs4 nas:/export rw,addr=10.0.0.1\n\
29 22 0:51 / /over rw - overlay overlay rw\n";

    fn check(wanted: &[&str], expect: &[&str]) {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        let chosen = choose_mounts(parse_mountinfo(MOUNTS), &wanted);
        assert_eq!(chosen.iter().map(|m| m.mountpoint.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn chk_06_real_mounts_once() {
        check(&[], &["/", "/srv/data one", "/srv/nas"]);
        check(&["/run", "/mnt/bind"], &["/run", "/mnt/bind"]);
        check(&["/none"], &[]);
    }

    #[test]
    fn knows_read_only_and_what_may_hang() {
        let mounts = parse_mountinfo(MOUNTS);
        let at = |p: &str| mounts.iter().find(|m| m.mountpoint == p).unwrap();
        assert!(at("/srv/data one").readonly && !at("/").readonly);
        assert!(at("/").is_local() && !at("/srv/nas").is_local());
    }

    #[test]
    fn a_container_has_at_least_its_root() {
        let one = parse_mountinfo("1 0 0:9 / / rw - overlay overlay rw\n2 1 0:3 / /proc rw - proc proc rw\n");
        assert_eq!(choose_mounts(one, &[])[0].mountpoint, "/");
    }
}
