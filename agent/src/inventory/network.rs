//! Network interfaces with their addresses, and the default routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{CollectError, source::Root};

/// The machine's network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Interfaces by name.
    pub interfaces: Vec<Interface>,
    /// Default routes.
    pub default_routes: Vec<DefaultRoute>,
    /// Name servers of `resolv.conf`.
    pub name_servers: Vec<String>,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Name, e.g. `eth0`.
    pub name: String,
    /// Hardware address, lower-case with colons.
    pub mac: Option<String>,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Link state as the kernel has it, e.g. `up`.
    pub state: String,
    /// The loopback.
    pub loopback: bool,
    /// Has no hardware behind it.
    pub is_virtual: bool,
    /// Addresses with prefix length, e.g. `192.0.2.2/24`, sorted.
    pub addresses: Vec<String>,
}

/// Where packets for elsewhere go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// `interface/gateway/metric`.
    #[serde(default)]
    pub key: String,
    /// Interface.
    pub interface: String,
    /// Gateway.
    pub gateway: String,
    /// The smallest wins.
    pub metric: u32,
}

impl DefaultRoute {
    /// A route with its key.
    pub fn new(interface: &str, gateway: IpAddr, metric: u32) -> Self {
        Self {
            key: format!("{interface}/{gateway}/{metric}"),
            interface: interface.into(),
            gateway: gateway.to_string(),
            metric,
        }
    }
}

/// Default routes of `/proc/net/route`.
pub fn parse_routes_v4(text: &str) -> Vec<DefaultRoute> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().take(8).collect();
            let [interface, destination, gateway, _, _, _, metric, mask] = words[..] else { return None };
            if destination != "00000000" || mask != "00000000" {
                return None;
            }
            // The kernel prints the address as a number in the machine's byte order.
            let gateway = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
            (!gateway.is_unspecified())
                .then(|| DefaultRoute::new(interface, gateway.into(), metric.parse().unwrap_or(0)))
        })
        .collect()
}

/// Default routes of `/proc/net/ipv6_route`.
pub fn parse_routes_v6(text: &str) -> Vec<DefaultRoute> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
            let [destination, length, _, _, gateway, metric, _, _, _, interface] = words[..] else {
                return None;
            };
            if length != "00" || destination.bytes().any(|b| b != b'0') {
                return None;
            }
            let gateway = Ipv6Addr::from(u128::from_str_radix(gateway, 16).ok()?);
            (!gateway.is_unspecified()).then(|| {
                DefaultRoute::new(interface, gateway.into(), u32::from_str_radix(metric, 16).unwrap_or(0))
            })
        })
        .collect()
}

/// Name servers of `resolv.conf(5)`.
pub fn parse_resolv_conf(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next()).flatten().map(str::to_owned)
        })
        .take(16)
        .collect()
}

/// The prefix length of a netmask; `None` when its ones are not together.
pub fn prefix_length(mask: IpAddr) -> Option<u32> {
    let (ones, zeros, width) = match mask {
        IpAddr::V4(v4) => {
            let bits = u32::from(v4);
            (bits.leading_ones(), bits.trailing_zeros(), 32)
        }
        IpAddr::V6(v6) => {
            let bits = u128::from(v6);
            (bits.leading_ones(), bits.trailing_zeros(), 128)
        }
    };
    (ones + zeros >= width).then_some(ones)
}

#[cfg(target_os = "linux")]
pub(super) fn collect(root: &Root) -> Result<Network, CollectError> {
    let mut interfaces: Vec<Interface> =
        root.names("sys/class/net").into_iter().filter_map(|name| interface(root, name)).collect();
    for (name, address) in addresses()? {
        if let Some(interface) = interfaces.iter_mut().find(|i| i.name == name) {
            interface.addresses.push(address);
        }
    }
    for interface in &mut interfaces {
        interface.addresses.sort();
        interface.addresses.dedup();
    }
    let mut default_routes = root.text("proc/net/route").map(|t| parse_routes_v4(&t)).unwrap_or_default();
    default_routes.extend(root.text("proc/net/ipv6_route").map(|t| parse_routes_v6(&t)).unwrap_or_default());
    default_routes.sort();
    let name_servers = root.text("etc/resolv.conf").map(|t| parse_resolv_conf(&t)).unwrap_or_default();
    Ok(Network { interfaces, default_routes, name_servers })
}

#[cfg(target_os = "linux")]
fn interface(root: &Root, name: String) -> Option<Interface> {
    let base = format!("sys/class/net/{name}");
    let mtu = root.number(&format!("{base}/mtu"))?;
    let kind: u32 = root.number(&format!("{base}/type")).unwrap_or(0);
    let mac = root.line(&format!("{base}/address")).filter(|mac| mac.bytes().any(|b| b != b'0' && b != b':'));
    Some(Interface {
        mac,
        mtu,
        state: root.line(&format!("{base}/operstate")).unwrap_or_else(|| "unknown".into()),
        // ARPHRD_LOOPBACK
        loopback: kind == 772,
        is_virtual: !root.path(&format!("{base}/device")).exists(),
        addresses: Vec::new(),
        name,
    })
}

#[cfg(target_os = "linux")]
fn addresses() -> Result<Vec<(String, String)>, CollectError> {
    let list = nix::ifaddrs::getifaddrs().map_err(|e| CollectError::Read(e.into()))?;
    Ok(list
        .filter_map(|entry| {
            let address = ip(entry.address.as_ref()?)?;
            let text = match entry.netmask.as_ref().and_then(ip).and_then(prefix_length) {
                Some(length) => format!("{address}/{length}"),
                None => address.to_string(),
            };
            Some((entry.interface_name, text))
        })
        .collect())
}

#[cfg(target_os = "linux")]
fn ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn collect(_root: &Root) -> Result<Network, CollectError> {
    Err(CollectError::NotSupported)
}
