//! Listening sockets and the processes behind them, as `ss -lntup` lists them.

use serde::{Deserialize, Serialize};

use super::is_default;

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
