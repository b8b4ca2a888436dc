//! Addresses and networks in one numbering: sixteen bytes, IPv4 mapped into IPv6.

use std::net::{IpAddr, Ipv6Addr};

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Net {
    first: IpAddr,
    prefix: u8,
}

impl Net {
    /// Read `10.0.0.0/8`, `fd00::/8` or a lone address. Bits after the prefix are cleared.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most {
            return None;
        }
        let first = match address {
            IpAddr::V4(a) => IpAddr::V4((a.to_bits() & mask(prefix + 96) as u32).into()),
            IpAddr::V6(a) => IpAddr::V6((a.to_bits() & mask(prefix)).into()),
        };
        Some(Self { first, prefix })
    }

    /// The first and the last address of the network.
    pub fn bounds(&self) -> ([u8; 16], [u8; 16]) {
        let first = mapped(self.first);
        let bits = if self.first.is_ipv4() { self.prefix + 96 } else { self.prefix };
        (first.octets(), Ipv6Addr::from_bits(first.to_bits() | !mask(bits)).octets())
    }

    /// Whether the network holds an address.
    pub fn holds(&self, address: IpAddr) -> bool {
        let (first, last) = self.bounds();
        (first..=last).contains(&mapped(address).octets())
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = if self.first.is_ipv4() { 32 } else { 128 };
        match self.prefix == whole {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}/{}", self.first, self.prefix),
        }
    }
}

/// The sixteen bytes of an address as text, without a zone such as `%eth0`.
pub fn bytes_of(text: &str) -> Option<[u8; 16]> {
    let bare = text.split(['%', '/']).next().unwrap_or_default();
    bare.parse().ok().map(|address| mapped(address).octets())
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(a) => a.to_ipv6_mapped(),
        IpAddr::V6(a) => a,
    }
}

/// The first `bits` bits set.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let net = Net::parse("10.1.2.3/16").expect("is a network");
        assert_eq!(net.to_string(), "10.1.0.0/16");
        for (address, inside) in [("10.1.255.255", true), ("10.2.0.0", false), ("::ffff:10.1.0.1", true)] {
            assert_eq!(net.holds(address.parse().expect("is an address")), inside, "{address}");
        }
        let all = Net::parse("0.0.0.0/0").expect("is a network");
        assert!(all.holds("8.8.8.8".parse().expect("is an address")));
        assert!(!all.holds("fd00::1".parse().expect("is an address")));
        assert!(Net::parse("fd00::/8").is_some_and(|n| n.holds("fd12::1".parse().expect("is an address"))));
        for wrong in ["10.0.0.0/33", "10.0.0", "::/129", "x", "10.0.0.0/"] {
            assert_eq!(Net::parse(wrong), None, "{wrong}");
        }
        assert_eq!(bytes_of("fe80::1%eth0"), bytes_of("fe80::1"));
    }
}
