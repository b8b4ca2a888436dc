//! `greet`: prints a greeting, a line at a time.

use std::time::Duration;

use plugin_sdk::{CommandContext, EngineError, EngineResult};
use serde::{Deserialize, Serialize};

/// Whom to greet.
#[derive(Deserialize)]
pub struct Greet {
    name: String,
    #[serde(default = "one")]
    times: u32,
    /// Wait between lines.
    #[serde(default)]
    pause_ms: u64,
}

fn one() -> u32 {
    1
}

/// What was done.
#[derive(Serialize)]
pub struct Greeted {
    lines: u32,
}

pub async fn run(ctx: CommandContext, greet: Greet) -> EngineResult<Greeted> {
    if greet.name.is_empty() || greet.times > 10_000 {
        return Err(EngineError::new("bad_payload", "A name, and at most 10 000 times."));
    }
    for line in 1..=greet.times {
        if !ctx.stdout(format!("Hello {}\n", greet.name)).await {
            return Err(EngineError::new("output_closed", "Nobody reads the output any longer."));
        }
        ctx.progress(line.into(), greet.times.into(), "greeting");
        tokio::select! {
            () = ctx.cancelled() => return Err(EngineError::new("cancelled", "The greeting was cut short.")),
            () = tokio::time::sleep(Duration::from_millis(greet.pause_ms)) => {}
        }
    }
    Ok(Greeted { lines: greet.times })
}
