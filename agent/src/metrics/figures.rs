//! Figures by name, for history: what is read now, and rates from counters since the look before.

use std::{collections::BTreeMap, time::Instant};

use agent_protocol::metrics::Metrics;

use super::{Sampler, busy_percent};
use crate::inventory::source::Root;

/// Processors, file systems and interfaces with figures of their own.
const MAX_PARTS: usize = 32;
/// Rates over less than this are noise.
const SHORTEST_S: f64 = 0.5;

/// Values by name.
pub type Figures = BTreeMap<String, f64>;

/// Takes looks that tell rates.
#[derive(Debug)]
pub struct Observer {
    root: Root,
    sampler: Sampler,
    last: Option<Look>,
}

/// What the next look is compared with.
#[derive(Debug)]
struct Look {
    at: Instant,
    uptime_s: u64,
    cores: Vec<(u64, u64)>,
    counters: BTreeMap<String, u64>,
}

impl Observer {
    /// Of the tree at `root`.
    pub fn new(root: Root) -> Self {
        Self { sampler: Sampler::new(root.clone()), root, last: None }
    }

    /// Look. The first look knows no rates.
    pub fn look(&mut self) -> Figures {
        let first = self.last.is_none();
        let metrics = self.sampler.sample();
        let mut figures = Figures::new();
        plain(&metrics, &mut figures);
        if first {
            figures.remove("cpu.percent");
        }
        self.pressure(&mut figures);
        self.others(&mut figures);
        let cores = parse_cores(&self.root.text("proc/stat").unwrap_or_default());
        let look =
            Look { at: Instant::now(), uptime_s: metrics.uptime_s, cores, counters: counters(&metrics) };
        if let Some(last) = self.last.take() {
            rates(&last, &look, &mut figures);
        }
        self.last = Some(look);
        figures
    }

    fn pressure(&self, figures: &mut Figures) {
        for what in ["cpu", "memory", "io"] {
            let text = self.root.text(&format!("proc/pressure/{what}")).unwrap_or_default();
            for (kind, value) in parse_pressure(&text) {
                let part = if kind == "some" { String::new() } else { format!("{{{kind}}}") };
                figures.insert(format!("pressure.{what}_percent{part}"), value);
            }
        }
    }

    fn others(&self, figures: &mut Figures) {
        let is_process = |name: &String| name.bytes().all(|b| b.is_ascii_digit());
        let processes = self.root.names("proc").iter().filter(|name| is_process(name)).count();
        figures.insert("processes".into(), processes as f64);
        // systemd keeps a file for each session that is open.
        let sessions = self.root.names("run/systemd/sessions");
        figures.insert("users".into(), sessions.iter().filter(|name| !name.ends_with(".ref")).count() as f64);
        let hottest = self
            .root
            .names("sys/class/hwmon")
            .into_iter()
            .take(MAX_PARTS)
            .flat_map(|chip| {
                let folder = format!("sys/class/hwmon/{chip}");
                let inputs = self.root.names(&folder).into_iter();
                inputs
                    .filter(|name| name.starts_with("temp") && name.ends_with("_input"))
                    .map(move |name| format!("{folder}/{name}"))
            })
            .chain(
                self.root
                    .names("sys/class/thermal")
                    .into_iter()
                    .filter(|name| name.starts_with("thermal_zone"))
                    .map(|zone| format!("sys/class/thermal/{zone}/temp")),
            )
            .take(4 * MAX_PARTS)
            .filter_map(|path| self.root.number::<f64>(&path))
            .map(|thousandths| thousandths / 1000.0)
            .filter(|degrees| (-50.0..200.0).contains(degrees))
            .reduce(f64::max);
        figures.extend(hottest.map(|degrees| ("temperature_c".to_owned(), degrees)));
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0))
}

fn plain(metrics: &Metrics, figures: &mut Figures) {
    let mut put =
        |name: &str, value: Option<f64>| figures.extend(value.map(|value| (name.to_owned(), value)));
    put("cpu.percent", Some(metrics.cpu_percent.into()));
    put("load1", Some(metrics.load.0.into()));
    put("load5", Some(metrics.load.1.into()));
    put("load15", Some(metrics.load.2.into()));
    put("uptime_s", Some(metrics.uptime_s as f64));
    put("memory.total_bytes", Some(metrics.memory_total as f64));
    put("memory.available_bytes", Some(metrics.memory_available as f64));
    let used = metrics.memory_total.saturating_sub(metrics.memory_available);
    put("memory.used_percent", percent(used, metrics.memory_total));
    put("swap.used_percent", percent(metrics.swap_used, metrics.swap_total));
    let mut worst: [Option<f64>; 2] = [None, None];
    for disk in metrics.disks.iter().take(MAX_PARTS) {
        let filled = percent(disk.used, disk.total);
        let inodes = inodes_percent(&disk.mount);
        let names = ["disk.used_percent", "disk.inodes_percent"];
        for ((name, value), worst) in names.into_iter().zip([filled, inodes]).zip(&mut worst) {
            put(&format!("{name}{{{}}}", disk.mount), value);
            *worst = [*worst, value].into_iter().flatten().reduce(f64::max);
        }
    }
    put("disk.used_percent", worst[0]);
    put("disk.inodes_percent", worst[1]);
}

#[cfg(unix)]
fn inodes_percent(mount: &str) -> Option<f64> {
    let stat = rustix::fs::statvfs(mount).ok()?;
    percent(stat.f_files.saturating_sub(stat.f_ffree), stat.f_files)
}

#[cfg(not(unix))]
fn inodes_percent(_mount: &str) -> Option<f64> {
    None
}

fn counters(metrics: &Metrics) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for disk in metrics.disks.iter().take(MAX_PARTS) {
        counters.insert(format!("disk.read_bps{{{}}}", disk.mount), disk.read_bytes);
        counters.insert(format!("disk.write_bps{{{}}}", disk.mount), disk.written_bytes);
    }
    for net in metrics.nets.iter().take(MAX_PARTS) {
        counters.insert(format!("net.received_bps{{{}}}", net.name), net.received_bytes);
        counters.insert(format!("net.sent_bps{{{}}}", net.name), net.sent_bytes);
    }
    counters
}

/// Rates since the last look, each part and all together. A counter that went back was reset: it tells nothing.
fn rates(last: &Look, now: &Look, figures: &mut Figures) {
    let seconds = now.at.duration_since(last.at).as_secs_f64();
    if seconds < SHORTEST_S || now.uptime_s < last.uptime_s {
        return;
    }
    for (name, after) in &now.counters {
        let Some(moved) = last.counters.get(name).and_then(|before| after.checked_sub(*before)) else {
            continue;
        };
        let rate = moved as f64 / seconds;
        let whole = name.split('{').next().unwrap_or(name).to_owned();
        *figures.entry(whole).or_default() += rate;
        if name.starts_with("net.") {
            figures.insert(name.clone(), rate);
        }
    }
    if last.cores.len() == now.cores.len() && now.cores.len() > 1 {
        for (core, (before, after)) in last.cores.iter().zip(&now.cores).enumerate().take(MAX_PARTS) {
            figures.insert(format!("cpu.percent{{{core}}}"), busy_percent(*before, *after).into());
        }
    }
}

/// Busy and total ticks of each processor in `/proc/stat`.
pub fn parse_cores(text: &str) -> Vec<(u64, u64)> {
    let is_core = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let as_total = |line: &str| {
        let ticks = line.split_once(' ').map_or("", |(_, ticks)| ticks);
        super::parse_cpu_times(&format!("cpu {ticks}"))
    };
    text.lines().filter(is_core).map(as_total).collect()
}

/// The averages over ten seconds in a file of `/proc/pressure`: `some` and `full`.
pub fn parse_pressure(text: &str) -> Vec<(&str, f64)> {
    let line = |line| {
        let (kind, rest) = str::split_once(line, " avg10=")?;
        let value: f64 = rest.split(' ').next()?.parse().ok()?;
        (matches!(kind, "some" | "full") && (0.0..=100.0).contains(&value)).then_some((kind, value))
    };
    text.lines().filter_map(line).collect()
}

/// What a value is rounded to before it travels: small enough for a chart, large enough that quiet figures stay equal.
pub fn quantum(name: &str) -> f32 {
    let whole = name.split('{').next().unwrap_or(name);
    match whole {
        "load1" | "load5" | "load15" => 0.01,
        "uptime_s" | "processes" | "users" => 1.0,
        _ if whole.ends_with("_bytes") => 65_536.0,
        _ if whole.ends_with("_bps") => 16.0,
        "temperature_c" => 0.5,
        _ => 0.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: Instant, uptime_s: u64, received: u64) -> Look {
        let counters = BTreeMap::from([("net.received_bps{eth0}".into(), received)]);
        Look { at, uptime_s, cores: Vec::new(), counters }
    }

    #[test]
    fn a_counter_that_was_reset_and_a_machine_that_restarted_tell_no_rate() {
        let (begin, minute) = (Instant::now(), std::time::Duration::from_secs(60));
        let of = |last: Look, now: Look| {
            let mut figures = Figures::new();
            rates(&last, &now, &mut figures);
            figures
        };
        let moved = of(look(begin, 10, 1000), look(begin + minute, 70, 7000));
        assert_eq!(moved["net.received_bps"], 100.0);
        assert_eq!(moved["net.received_bps{eth0}"], 100.0);
        assert!(of(look(begin, 10, 7000), look(begin + minute, 70, 1000)).is_empty());
        assert!(of(look(begin, 90, 1000), look(begin + minute, 5, 7000)).is_empty());
    }

    #[test]
    fn pressure_and_processors_are_read_as_the_kernel_writes_them() {
        let text = "some avg10=1.25 avg60=0.50 avg300=0.10 total=123\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=9\n";
        assert_eq!(parse_pressure(text), [("some", 1.25), ("full", 0.5)]);
        assert!(parse_pressure("some avg10=x\n").is_empty());
        let stat = "cpu  3 0 0 5 0 0 0 0 0 0\ncpu0 1 0 0 3 0 0 0 0 0 0\ncpu1 2 0 0 2 0 0 0 0 0 0\nintr 1\n";
        assert_eq!(parse_cores(stat), [(1, 4), (2, 4)]);
    }
}
