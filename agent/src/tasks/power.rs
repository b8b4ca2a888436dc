//! Restart and shutdown. A restart is reported when the machine is back, by its new boot; a shutdown before it goes down.

use std::time::Duration;

use agent_protocol::core_command::Power;
use plugin_api::error::encode;
use plugin_runtime::CommandIo as _;
use serde::Serialize;

use super::{
    builtin::{Call, Finished, Surroundings, failed},
    job::Job,
    packages::find_program,
};
use crate::clock::now_ms;

/// How long the machine may take to go down after it was told to.
const GOING_DOWN: Duration = Duration::from_secs(300);
/// How long the program that begins it may take.
const ORDER: Duration = Duration::from_secs(30);
/// Said to people who are logged in when nobody gave a message.
const MESSAGE: &str = "An administrator asked for it through SysManage.";

/// The result of a restart.
#[derive(Serialize)]
struct Rebooted<'a> {
    boot_id_before: &'a str,
    boot_id_after: &'a str,
    /// From the order until the agent ran again.
    away_ms: i64,
}

/// The result of a shutdown.
#[derive(Serialize)]
struct GoingDown {
    /// In so many minutes, as the system counts it.
    minutes: u32,
}

/// `core.power.reboot`
pub(super) async fn reboot(around: &Surroundings, call: &Call<'_>, asked: &Power) -> Finished {
    let Some(boot_id) = boot_id(around) else {
        return failed(
            "not_supported",
            "This system does not tell one boot from another; restart it by hand.",
        );
    };
    let due = now_ms().saturating_add(i64::from(asked.delay_s) * 1000);
    let job = Job::Reboot { boot_id: boot_id.clone(), due, message: asked.message.clone() };
    if let Err(error) = call.dir.create(&job) {
        return failed("not_started", format!("The restart cannot be written down: {error}."));
    }
    await_reboot(around, call, &boot_id, due, &asked.message).await
}

/// Wait for the time, give the order, wait to go down; after the restart, report it.
pub(super) async fn await_reboot(
    around: &Surroundings,
    call: &Call<'_>,
    before: &str,
    due: i64,
    message: &str,
) -> Finished {
    let ordered: Option<i64> = call.dir.read("ordered").ok().flatten();
    if let Some(after) = boot_id(around).filter(|now| now != before) {
        let away_ms = now_ms().saturating_sub(ordered.unwrap_or(due));
        return Finished::Answer(encode(&Rebooted {
            boot_id_before: before,
            boot_id_after: &after,
            away_ms,
        }));
    }
    let ordered = match ordered {
        Some(at) => at,
        None => match wait_and_order(around, call, due, message).await {
            Ok(at) => at,
            Err(end) => return end,
        },
    };
    let left = ordered.saturating_add(i64::try_from(GOING_DOWN.as_millis()).unwrap_or(0)) - now_ms();
    tokio::select! {
        () = around.leave.cancelled() => Finished::Left,
        () = tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))) => {
            failed("still_up", "The machine was told to restart and is still up after five minutes.")
        }
    }
}

async fn wait_and_order(
    around: &Surroundings,
    call: &Call<'_>,
    due: i64,
    message: &str,
) -> Result<i64, Finished> {
    let left = u64::try_from(due.saturating_sub(now_ms())).unwrap_or(0);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(left)) => {}
        () = call.io.cancelled() => return Err(failed("cancelled", "The restart was called off.")),
        () = around.leave.cancelled() => return Err(Finished::Left),
    }
    let at = now_ms();
    // Written first: an order that is given twice restarts twice.
    if let Err(error) = call.dir.write("ordered", &at) {
        return Err(failed("not_started", format!("The restart cannot be written down: {error}.")));
    }
    order(&around.power.reboot, 0, message).await.map_err(|why| failed("not_started", why))?;
    Ok(at)
}

/// `core.power.shutdown`
pub(super) async fn shutdown(around: &Surroundings, asked: &Power) -> Finished {
    // A minute at least, so that the result still reaches the host.
    let minutes = asked.delay_s.div_ceil(60).max(1);
    match order(&around.power.shutdown, minutes, &asked.message).await {
        Ok(()) => Finished::Answer(encode(&GoingDown { minutes })),
        Err(why) => failed("not_started", why),
    }
}

fn boot_id(around: &Surroundings) -> Option<String> {
    around.inventory.root().line("proc/sys/kernel/random/boot_id")
}

async fn order(words: &[String], minutes: u32, message: &str) -> Result<(), String> {
    let message = if message.is_empty() { MESSAGE } else { message };
    let filled =
        |word: &String| word.replace("{minutes}", &minutes.to_string()).replace("{message}", message);
    let Some((program, args)) = words.split_first() else {
        return Err("No program is configured for it.".into());
    };
    let found = find_program(program).unwrap_or_else(|| program.into());
    let mut command = tokio::process::Command::new(found);
    command.args(args.iter().map(filled)).stdin(std::process::Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(ORDER, command.output()).await {
        Err(_) => Err(format!("`{program}` did not end in time.")),
        Ok(Err(error)) => Err(format!("`{program}` cannot be started: {error}.")),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{program}` ended with {}: {}", output.status, said.trim()))
        }
    }
}
