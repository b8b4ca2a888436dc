//! `sysmanage-agent run`: run, hand over to another version of itself and take back, until told to stop.

use std::{io, path::Path, time::Duration};

use tokio_util::sync::CancellationToken;

use super::runtime;
use crate::{
    agent,
    config::Config,
    update::{self, Staged, Tried},
};

/// Run until SIGTERM.
pub(super) fn run(data: &Path, folder: &Path, config: &Config) -> anyhow::Result<()> {
    update::know_yourself(data);
    if let Some(program) = update::successor(data) {
        tracing::info!(program = %program.display(), "a newer release is chosen");
        let error = update::become_program(&program);
        tracing::error!(%error, "the chosen release cannot be started; this agent runs");
    }
    while let Some(staged) = serve(data, folder, config)? {
        tracing::info!(version = %staged.version, "trying a new agent out");
        let runtime = runtime()?;
        let tried = runtime.block_on(update::try_out(data, &staged, signalled()));
        runtime.shutdown_timeout(Duration::from_secs(2));
        match tried {
            Tried::Passed => take_over(&staged),
            Tried::Failed => {}
            Tried::Stopped => break,
        }
    }
    Ok(())
}

fn take_over(staged: &Staged) {
    tracing::info!(version = %staged.version, "the new agent was welcomed; becoming it");
    let error = update::become_program(&staged.program);
    tracing::error!(%error, "the new agent cannot be started again; this one goes on");
}

/// Serve until stopped, or until there is something to become.
fn serve(data: &Path, folder: &Path, config: &Config) -> anyhow::Result<Option<Staged>> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = stop.clone();
        tokio::spawn(async move {
            signalled().await;
            tracing::info!("stopping");
            signals.cancel();
        });
        agent::run(data, folder, config, &stop).await
    });
    // A command that does not come back must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(2));
    ended
}

async fn signalled() {
    if let Err(error) = terminated().await {
        tracing::error!(%error, "signals cannot be received");
        std::future::pending().await
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
