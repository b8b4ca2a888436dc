//! Block devices from `/sys/block` and mounted filesystems from `/proc/mounts`.

pub mod devices;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// Disks and what is mounted from them. How full they are is a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disks {
    /// Devices and their partitions, by name.
    pub devices: Vec<Device>,
    /// Mounted filesystems that hold data, by mount point.
    pub filesystems: Vec<Filesystem>,
}

/// A block device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Kernel name, e.g. `sda`.
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Model, where the device tells.
    #[serde(skip_serializing_if = "is_default")]
    pub model: Option<String>,
    /// Spins.
    pub rotational: bool,
    /// May be taken out.
    pub removable: bool,
    /// Cannot be written.
    pub read_only: bool,
    /// `disk`, `part`, `rom`, `lvm`, `crypt`, `raid`, `dm`: the words of `lsblk`.
    pub kind: String,
    /// The devices it is a part of or made from.
    #[serde(skip_serializing_if = "is_default")]
    pub parents: Vec<String>,
    /// Name that the device mapper gives, e.g. `vg0-root`.
    #[serde(skip_serializing_if = "is_default")]
    pub label: Option<String>,
    /// Vendor, where the device tells.
    #[serde(skip_serializing_if = "is_default")]
    pub vendor: Option<String>,
    /// Serial number, where the device tells.
    #[serde(skip_serializing_if = "is_default")]
    pub serial: Option<String>,
    /// How it is attached: `nvme`, `sata`, `usb`, `virtio`, `scsi`, `mmc`.
    #[serde(skip_serializing_if = "is_default")]
    pub transport: Option<String>,
}

/// A mounted filesystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// Device or source.
    pub source: String,
    /// Type, e.g. `ext4`.
    pub kind: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Mounted read-only.
    pub read_only: bool,
}

/// One line of `/proc/mounts`, escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Device or source.
    pub source: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// Filesystem type.
    pub kind: String,
    /// Mounted read-only.
    pub read_only: bool,
}

/// Filesystem types that hold no data of the machine's own.
const PSEUDO: [&str; 30] = [
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
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.snapfuse",
    "hugetlbfs",
    "mqueue",
    "nsfs",
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
    "fuse.squashfuse",
    "iso9660",
];

/// Types that live on another machine: asking for their size may hang, so it is not asked.
const REMOTE: [&str; 9] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs"];

impl Mount {
    /// Whether it holds data of this machine: not virtual, not remote.
    pub fn is_local(&self) -> bool {
        // The root of a container is an overlay, and all the disk it has.
        if self.kind == "overlay" {
            return self.mount_point == "/";
        }
        !PSEUDO.contains(&self.kind.as_str()) && !REMOTE.contains(&self.kind.as_str())
    }
}

/// Parse `/proc/mounts`; lines with fewer than four fields are left out.
pub fn parse_mounts(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let (source, point, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some(Mount {
                source: unescape(source),
                mount_point: unescape(point),
                kind: kind.to_owned(),
                read_only: options.split(',').any(|option| option == "ro"),
            })
        })
        .collect()
}

/// Resolve the `\040` escapes of `/proc/mounts`.
pub fn unescape(field: &str) -> String {
    let bytes = field.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match octal(&bytes[at..]) {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn octal(bytes: &[u8]) -> Option<u8> {
    let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = bytes else { return None };
    Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
}

/// Local data filesystems of the machine, each mount point once (the last mount covers the earlier).
pub fn local_mounts(text: &str) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in parse_mounts(text).into_iter().filter(Mount::is_local) {
        mounts.retain(|seen| seen.mount_point != mount.mount_point);
        mounts.push(mount);
    }
    mounts.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
    mounts
}

#[cfg(target_os = "linux")]
pub(super) fn collect(root: &Root) -> Result<Disks, CollectError> {
    let mounts = root.text("proc/self/mounts").map_err(CollectError::Read)?;
    let mut filesystems: Vec<Filesystem> = Vec::new();
    for mount in local_mounts(&mounts) {
        let size_bytes = Usage::of(&mount.mount_point).map_or(0, |usage| usage.total);
        // A bind mount of a single file or a sub-folder repeats its device; the shortest path tells enough.
        if filesystems
            .iter()
            .any(|f| f.source == mount.source && mount.mount_point.starts_with(&f.mount_point))
        {
            continue;
        }
        filesystems.push(Filesystem {
            source: mount.source,
            mount_point: mount.mount_point,
            kind: mount.kind,
            size_bytes,
            read_only: mount.read_only,
        });
    }
    let devices = devices::list(root);
    Ok(Disks { devices, filesystems })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn collect(_root: &Root) -> Result<Disks, CollectError> {
    Err(CollectError::NotSupported)
}

/// How full a filesystem is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Size.
    pub total: u64,
    /// In use, with what is kept for root.
    pub used: u64,
    /// Free for ordinary users.
    pub available: u64,
}

impl Usage {
    /// Of the filesystem at `path`.
    #[cfg(unix)]
    pub fn of(path: &str) -> Option<Self> {
        let stat = rustix::fs::statvfs(path).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Some(Self {
            total: bytes(stat.f_blocks),
            used: bytes(stat.f_blocks.saturating_sub(stat.f_bfree)),
            available: bytes(stat.f_bavail),
        })
    }

    /// Of the filesystem at `path`: not supported on this system yet.
    #[cfg(not(unix))]
    pub fn of(_path: &str) -> Option<Self> {
        None
    }
}
