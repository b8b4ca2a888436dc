//! Release binaries without development keys, and the agent's size budget.

use anyhow::{Result, bail};

use crate::{console, project::Project};

const AGENT_MAX_BYTES: u64 = 8 << 20;

/// Build and check.
pub fn run(project: &Project) -> Result<()> {
    console::build(project)?;
    project.run("cargo", ["build", "--locked", "--release", "-p", "sysmanage"])?;
    project.run("cargo", ["build", "--locked", "--profile", "agent", "-p", "sysmanage-agent"])?;
    let out = project.root.join("dist/out");
    std::fs::create_dir_all(&out)?;
    for (profile, name) in [("release", "sysmanage"), ("agent", "sysmanage-agent")] {
        let size = std::fs::copy(project.target().join(profile).join(name), out.join(name))?;
        println!("{name}: {:.1} MiB", size as f64 / f64::from(1 << 20));
        if name == "sysmanage-agent" && size > AGENT_MAX_BYTES {
            bail!("the agent has {size} bytes; its budget is {AGENT_MAX_BYTES}");
        }
    }
    Ok(())
}
