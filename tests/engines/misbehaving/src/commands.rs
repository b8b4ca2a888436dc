//! Commands that fail.

use std::time::Duration;

use plugin_sdk::{CommandContext, Commands, EngineResult};
use serde_json::Value;

use crate::faults;

/// Commands of the manifest.
pub fn all() -> Commands {
    Commands::new()
        .on("panic", panic)
        .on("abort", abort)
        .on("segfault", segfault)
        .on("hang", hang)
        .on("spin", spin)
        .on("flood", flood)
        .on("leak", leak)
        .on("exit", exit)
}

/// A command that no manifest declares.
pub async fn undeclared(_: CommandContext, _: Value) -> EngineResult {
    Ok(())
}

async fn panic(ctx: CommandContext, _: Value) -> EngineResult {
    ctx.stdout("about to panic\n").await;
    panic!("a command panics")
}

async fn abort(_: CommandContext, _: Value) -> EngineResult {
    std::process::abort()
}

async fn segfault(_: CommandContext, _: Value) -> EngineResult {
    faults::segfault();
    Ok(())
}

async fn hang(ctx: CommandContext, _: Value) -> EngineResult {
    ctx.stdout("hanging\n").await;
    std::future::pending().await
}

async fn spin(_: CommandContext, seconds: Option<u64>) -> EngineResult {
    faults::spin(Duration::from_secs(seconds.unwrap_or(86_400)));
    Ok(())
}

async fn flood(ctx: CommandContext, _: Value) -> EngineResult {
    let chunk = [b'x'; 65_536];
    while ctx.stdout(chunk).await {}
    Ok(())
}

async fn leak(_: CommandContext, mib: Option<usize>) -> EngineResult {
    faults::leak(mib.unwrap_or(usize::MAX));
    Ok(())
}

async fn exit(_: CommandContext, _: Value) -> EngineResult {
    std::process::exit(0)
}
