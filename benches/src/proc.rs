//! What the kernel says of a process.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Resident memory in bytes.
pub fn rss(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Processor time used so far, user and system, by the process and its living children.
pub fn cpu(pid: u32) -> Result<Duration> {
    let own = cpu_of(pid)?;
    Ok(children(pid)?.into_iter().filter_map(|child| cpu_of(child).ok()).fold(own, |sum, c| sum + c))
}

fn cpu_of(pid: u32) -> Result<Duration> {
    let stat = stat(pid)?;
    let ticks: u64 =
        stat.get(11).context("utime")?.parse::<u64>()? + stat.get(12).context("stime")?.parse::<u64>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Fields of `/proc/<pid>/stat` after the name.
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(") ").context("odd stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn children(pid: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let parent = stat(child).ok().and_then(|s| s.get(1)?.parse::<u32>().ok());
        if parent == Some(pid) {
            found.push(child);
        }
    }
    Ok(found)
}

/// Let this process and those it starts open as many files as the system allows.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let own = std::process::id();
        assert!(rss(own).expect("read") > 100_000);
        cpu(own).expect("read");
    }
}
