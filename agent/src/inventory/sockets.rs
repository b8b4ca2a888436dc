//! Listening sockets and the processes behind them, as `ss -lntup` lists them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use super::{
    CollectError, is_default,
    processes::{self, Owner},
    source::Root,
};

/// Listening sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sockets {
    /// Sockets by protocol, port and address.
    pub sockets: Vec<Socket>,
    /// The list was cut.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
}

/// A socket that waits for others: TCP listening, or UDP bound and not connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Socket {
    /// `tcp/0.0.0.0:22`, `udp/[::1]:53`.
    pub key: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Address it waits at; `0.0.0.0` or `::` for all.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Program; absent when it is not known.
    #[serde(skip_serializing_if = "is_default")]
    pub process: String,
    /// Its process id, the lowest of several.
    #[serde(skip_serializing_if = "is_default")]
    pub pid: Option<u32>,
    /// User id of the socket's owner.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: Option<u32>,
    /// systemd unit it belongs to.
    #[serde(skip_serializing_if = "is_default")]
    pub unit: String,
}

/// Sockets beyond this many are left out.
const MOST: usize = 4096;

/// A line of `/proc/net/{tcp,udp}{,6}` that waits for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Address.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
    /// Owner.
    pub uid: u32,
    /// What links it to a process.
    pub inode: u64,
}

/// Sockets of `/proc/net/tcp` and its like that are in `state` (hexadecimal).
pub fn parse_proc_net(text: &str, state: &str) -> Vec<Waiting> {
    text.lines().skip(1).filter_map(|line| waiting(line, state)).take(MOST).collect()
}

fn waiting(line: &str, state: &str) -> Option<Waiting> {
    let mut words = line.split_ascii_whitespace();
    let local = words.nth(1)?;
    if words.nth(1)? != state {
        return None;
    }
    let uid = words.nth(3)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    Some(Waiting { address: address_of(address)?, port: u16::from_str_radix(port, 16).ok()?, uid, inode })
}

/// The kernel prints addresses as numbers of 32 bits in the machine's byte order.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(IpAddr::V4(word(0)?.into())),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::V6(bytes.into()))
        }
        _ => None,
    }
}

impl Socket {
    /// A socket with its key; nothing known of its process.
    pub fn new(protocol: &str, address: IpAddr, port: u16) -> Self {
        Self {
            key: format!("{protocol}/{}", SocketAddr::new(address, port)),
            protocol: protocol.into(),
            address: address.to_string(),
            port,
            ..Self::default()
        }
    }
}

pub(super) fn collect(root: &Root) -> Result<Sockets, CollectError> {
    let mut found: Vec<(Socket, u64)> = Vec::new();
    // 0A is LISTEN; 07 is what the kernel says of UDP that is bound and not connected.
    for (file, protocol, state) in
        [("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"), ("udp6", "udp", "07")]
    {
        let text = match root.text(&format!("proc/net/{file}")) {
            Ok(text) => text,
            Err(error) if file == "tcp" => return Err(CollectError::Read(error)),
            Err(_) => continue,
        };
        found.extend(parse_proc_net(&text, state).into_iter().map(|waiting| {
            let socket = Socket::new(protocol, waiting.address, waiting.port);
            (Socket { uid: Some(waiting.uid), ..socket }, waiting.inode)
        }));
    }
    let truncated = found.len() > MOST;
    found.truncate(MOST);
    name_processes(root, &mut found);
    Ok(Sockets { sockets: sorted(found.into_iter().map(|(socket, _)| socket).collect()), truncated })
}

/// Sockets by protocol, port and address, each once: several processes may share one.
pub fn sorted(mut sockets: Vec<Socket>) -> Vec<Socket> {
    sockets.sort_by(|a, b| {
        let place = |s: &Socket| (s.protocol.clone(), s.port, s.address.clone());
        place(a).cmp(&place(b)).then(a.pid.unwrap_or(u32::MAX).cmp(&b.pid.unwrap_or(u32::MAX)))
    });
    sockets.dedup_by(|later, first| later.key == first.key);
    sockets
}

/// Look through the open files of all processes until every socket has one.
fn name_processes(root: &Root, sockets: &mut [(Socket, u64)]) {
    let mut wanted: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, (_, inode)) in sockets.iter().enumerate() {
        wanted.entry(*inode).or_default().push(at);
    }
    for id in processes::ids(root) {
        if wanted.is_empty() {
            return;
        }
        let Ok(files) = std::fs::read_dir(root.path(&format!("proc/{id}/fd"))) else { continue };
        for file in files.flatten() {
            let Some(inode) = std::fs::read_link(file.path()).ok().and_then(|target| inode(target.to_str()?))
            else {
                continue;
            };
            let Some(places) = wanted.remove(&inode) else { continue };
            let process = processes::name(root, id);
            let unit = match processes::owner(root, id) {
                Owner::Unit(unit) => unit,
                Owner::Session | Owner::Unknown => String::new(),
            };
            for at in places {
                let socket = &mut sockets[at].0;
                (socket.process, socket.pid, socket.unit) = (process.clone(), Some(id), unit.clone());
            }
        }
    }
}

/// The number in `socket:[123]`.
fn inode(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}
