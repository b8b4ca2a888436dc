//! How often one address may try to log in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);
const MAX_ADDRESSES: usize = 10_000;

/// Attempts per minute and address.
#[derive(Debug)]
pub struct PerAddress {
    allowed: u32,
    seen: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl PerAddress {
    /// So many attempts a minute.
    pub fn new(allowed: u32) -> Self {
        Self { allowed, seen: Mutex::default() }
    }

    /// Count an attempt; the seconds to wait when there were too many. IPv6 counts by /64.
    pub fn attempt(&self, address: IpAddr) -> Result<(), u64> {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(|e| e.into_inner());
        if seen.len() >= MAX_ADDRESSES {
            seen.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        if seen.len() >= MAX_ADDRESSES {
            return Err(WINDOW.as_secs());
        }
        let (since, count) = seen.entry(network(address)).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count > self.allowed {
            return Err((WINDOW - now.duration_since(*since)).as_secs().max(1));
        }
        Ok(())
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 one.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let s = v6.segments();
            std::net::Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}
