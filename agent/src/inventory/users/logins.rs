//! Last logins, from `lastlog` and `wtmp`: records of fixed size, read one by one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
};

use super::User;
use crate::inventory::source::Root;

/// Size of a record of `lastlog`: a time of 32 bits, a line of 32 bytes, a host of 256.
const LASTLOG: usize = 292;
/// No more of `wtmp` is read than this, from its end.
const MOST_WTMP: u64 = 4 << 20;

/// How a record of `wtmp` is laid out: its size, and where the seconds are and how many bytes they take.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    size: usize,
    seconds: usize,
    wide: bool,
}

/// Of this machine's C library.
pub const LAYOUT: Layout =
    if cfg!(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "s390x")) {
        Layout { size: 400, seconds: 344, wide: true }
    } else {
        Layout { size: 384, seconds: 340, wide: false }
    };

/// A login: when and from where.
pub type Login = (i64, String);

/// Add each user's last login.
pub fn add(root: &Root, users: &mut [User]) {
    let written = File::open(root.path("var/log/wtmp")).map(wtmp).unwrap_or_default();
    let mut lastlog = File::open(root.path("var/log/lastlog")).ok();
    for user in users {
        let kept = lastlog.as_mut().and_then(|file| lastlog_of(file, user.uid));
        let login = kept.into_iter().chain(written.get(&user.name).cloned()).max_by_key(|login| login.0);
        if let Some((at, from)) = login {
            user.last_login = Some(at);
            user.last_login_from = Some(from).filter(|from| !from.is_empty());
        }
    }
}

/// The record of one user in `lastlog`.
pub fn lastlog_of(file: &mut (impl Read + Seek), uid: u32) -> Option<Login> {
    let mut record = [0; LASTLOG];
    file.seek(SeekFrom::Start(u64::from(uid) * LASTLOG as u64)).ok()?;
    file.read_exact(&mut record).ok()?;
    let at = i64::from(u32::from_ne_bytes(record[..4].try_into().ok()?));
    (at > 0).then(|| (at, text(&record[36..])))
}

fn wtmp(mut file: File) -> BTreeMap<String, Login> {
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    let size = LAYOUT.size as u64;
    // From the start of a record.
    let start = length.saturating_sub(MOST_WTMP) / size * size;
    if file.seek(SeekFrom::Start(start)).is_err() {
        return BTreeMap::new();
    }
    parse_wtmp(BufReader::with_capacity(16 << 10, file.take(MOST_WTMP + size)), LAYOUT)
}

/// The last login of each user in `wtmp`.
pub fn parse_wtmp(mut reader: impl Read, layout: Layout) -> BTreeMap<String, Login> {
    let mut found: BTreeMap<String, Login> = BTreeMap::new();
    let mut record = vec![0; layout.size];
    while reader.read_exact(&mut record).is_ok() {
        // 7 is a user's process; others are boots, ends and terminals that wait.
        if i16::from_ne_bytes([record[0], record[1]]) != 7 {
            continue;
        }
        let (name, host) = (text(&record[44..76]), text(&record[76..332]));
        let at = seconds(&record[layout.seconds..], layout.wide);
        let newer = found.get(&name).is_none_or(|(seen, _)| *seen <= at);
        if !name.is_empty() && at > 0 && newer {
            found.insert(name, (at, host));
        }
    }
    found
}

fn seconds(bytes: &[u8], wide: bool) -> i64 {
    match (wide, bytes) {
        (true, [a, b, c, d, e, f, g, h, ..]) => i64::from_ne_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        (false, [a, b, c, d, ..]) => i64::from(u32::from_ne_bytes([*a, *b, *c, *d])),
        _ => 0,
    }
}

/// The text before the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
