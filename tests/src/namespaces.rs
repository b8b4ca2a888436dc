//! Machines with a network of their own: namespaces on a bridge, so that a link can be taken down as by pulling a cable.

use std::{net::Ipv4Addr, path::Path, process::Command};

use anyhow::{Context, Result, bail};

/// A bridge with the host's namespace and some machines around it; dropping it takes all of it away.
pub struct Network {
    prefix: String,
    machines: u8,
}

/// Whether this process may make one: it is root, and `ip` is there.
pub fn possible() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    root && Path::new("/usr/sbin/ip").exists() | Path::new("/sbin/ip").exists()
}

impl Network {
    /// A network for this many machines, 100 at most. The host's namespace holds the bridge.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(machines: u8) -> Result<Self> {
        let network = Self { prefix: format!("sm{}", std::process::id()), machines };
        let host = network.host();
        ip(&["netns", "add", &host])?;
        ip(&["-n", &host, "link", "set", "lo", "up"])?;
        ip(&["-n", &host, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", &host, "addr", "add", &format!("{}/24", network.address()), "dev", "br0"])?;
        ip(&["-n", &host, "link", "set", "br0", "up"])?;
        for machine in 0..machines {
            network.add(machine)?;
        }
        Ok(network)
    }

    fn add(&self, machine: u8) -> Result<()> {
        let (host, own, port) = (self.host(), self.machine(machine), port(machine));
        ip(&["netns", "add", &own])?;
        ip(&["-n", &own, "link", "set", "lo", "up"])?;
        ip(&["-n", &host, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &own])?;
        ip(&["-n", &host, "link", "set", &port, "master", "br0", "up"])?;
        ip(&["-n", &own, "addr", "add", &format!("10.213.0.{}/24", 100 + machine), "dev", "eth0"])?;
        ip(&["-n", &own, "link", "set", "eth0", "up"])
    }

    /// The host's address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, 0, 1)
    }

    fn host(&self) -> String {
        format!("{}-host", self.prefix)
    }

    fn machine(&self, machine: u8) -> String {
        format!("{}-{machine}", self.prefix)
    }

    /// What starts a program in the host's namespace.
    pub fn on_host(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.host()].map(str::to_owned).into()
    }

    /// What starts a program on a machine that calls itself `name`.
    pub fn on_machine(&self, machine: u8, name: &str) -> Vec<String> {
        let named = format!("hostname {name} && exec \"$@\"");
        ["ip", "netns", "exec", &self.machine(machine), "unshare", "--uts", "sh", "-c", &named, "sh"]
            .map(str::to_owned)
            .into()
    }

    /// Pull a machine's cable out, or put it in.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn link(&self, machine: u8, up: bool) -> Result<()> {
        ip(&["-n", &self.host(), "link", "set", &port(machine), if up { "up" } else { "down" }])
    }
}

fn port(machine: u8) -> String {
    format!("port{machine}")
}

fn ip(args: &[&str]) -> Result<()> {
    let out = Command::new("ip").args(args).output().context("ip cannot be started")?;
    if !out.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

impl Drop for Network {
    fn drop(&mut self) {
        for machine in 0..self.machines {
            let _ = ip(&["netns", "del", &self.machine(machine)]);
        }
        let _ = ip(&["netns", "del", &self.host()]);
    }
}
