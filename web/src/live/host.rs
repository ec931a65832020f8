//! How much of a host is in use: CPU, memory, disks. Pure.

use kernel::Timestamp;

/// One mounted file system.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskUse {
    /// Where it is mounted.
    pub mount: String,
    /// Percent of its bytes in use.
    pub percent: f64,
    /// Bytes in use and in all, where known.
    pub bytes: Option<(f64, f64)>,
}

/// A host at one time; what could not be read is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostUse {
    /// When it was read.
    pub at: Timestamp,
    /// Percent of all cores busy.
    pub cpu: Option<f64>,
    /// Cores.
    pub cores: Option<u32>,
    /// Percent of memory in use.
    pub memory: Option<f64>,
    /// Bytes of memory in use and in all.
    pub memory_bytes: Option<(f64, f64)>,
    /// File systems, in the order of the plan or of their mounts.
    pub disks: Vec<DiskUse>,
}
