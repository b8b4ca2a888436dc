//! Thousands of pretend agents, and what they measured.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{Agent, Identity, Server, enroll_until_approved};

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many agents.
    pub agents: usize,
    /// For how long, once all had the chance to connect.
    pub duration: Duration,
    /// Between heartbeats; the host's wish when `None`.
    pub heartbeat: Option<Duration>,
    /// Enrolments and handshakes at the same time.
    pub parallel: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Agents that were to run.
    pub agents: usize,
    /// Agents connected at the end.
    pub connected: u64,
    /// Sessions that were opened.
    pub sessions: u64,
    /// Sessions or enrolments that failed.
    pub errors: u64,
    /// The first few errors.
    pub error_samples: Vec<String>,
    /// Seconds until all agents had enrolled.
    pub enrol_s: f64,
    /// Seconds until all agents had connected.
    pub connect_s: f64,
    /// Seconds measured.
    pub measured_s: f64,
    /// Heartbeats sent while measuring.
    pub heartbeats: u64,
    /// Heartbeats a second.
    pub heartbeats_per_s: f64,
    /// Commands executed.
    pub commands: u64,
    /// Commands that came again and were not executed again.
    pub duplicates: u64,
    /// Tasks executed more than once: must be 0.
    pub executed_twice: u64,
}

#[derive(Debug, Default)]
struct Counters {
    connected: AtomicU64,
    sessions: AtomicU64,
    errors: AtomicU64,
    heartbeats: Arc<AtomicU64>,
    commands: Arc<AtomicU64>,
    duplicates: AtomicU64,
    executed_twice: AtomicU64,
    samples: std::sync::Mutex<Vec<String>>,
}

impl Counters {
    fn error(&self, error: &anyhow::Error) {
        self.errors.fetch_add(1, Relaxed);
        let mut samples = self.samples.lock().unwrap_or_else(|e| e.into_inner());
        if samples.len() < 5 {
            samples.push(format!("{error:#}"));
        }
    }
}

/// Read kept identities from `state`, enrol what is missing with `token`, keep all of them.
pub async fn identities(
    server: &Server,
    token: Option<&str>,
    state: Option<&Path>,
    plan: &Plan,
) -> anyhow::Result<Vec<Identity>> {
    let mut kept: Vec<Identity> = match state.filter(|p| p.exists()) {
        Some(path) => serde_json::from_slice(&std::fs::read(path)?).context("the state does not parse")?,
        None => Vec::new(),
    };
    kept.truncate(plan.agents);
    let first = kept.len();
    let new: Vec<anyhow::Result<Identity>> = stream::iter(first..plan.agents)
        .map(|n| async move {
            let token = token.context("a token is needed to enrol more agents")?;
            let mut identity = Identity::new(&format!("sim-{n:05}"))?;
            enroll_until_approved(server, &mut identity, token, Duration::from_secs(300)).await?;
            Ok(identity)
        })
        .buffered(plan.parallel)
        .collect()
        .await;
    for identity in new {
        kept.push(identity?);
    }
    if let Some(path) = state {
        std::fs::write(path, serde_json::to_vec(&kept)?)?;
    }
    Ok(kept)
}

/// Run a fleet and measure.
pub async fn run(server: Server, identities: Vec<Identity>, plan: &Plan) -> Report {
    let counters = Arc::<Counters>::default();
    let handshakes = Arc::new(tokio::sync::Semaphore::new(plan.parallel));
    let stop = CancellationToken::new();
    let server = Arc::new(server);
    let started = Instant::now();
    let agents = identities.len();
    let tasks: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            let mut agent = Agent::new(identity);
            agent.heartbeat = plan.heartbeat;
            agent.heartbeats = counters.heartbeats.clone();
            agent.commands = counters.commands.clone();
            let live = live(agent, server.clone(), handshakes.clone(), counters.clone());
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::select! { () = live => {}, () = stop.cancelled() => {} }
            })
        })
        .collect();
    let patience = Instant::now() + Duration::from_secs(180);
    while counters.sessions.load(Relaxed) < agents as u64 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let connect_s = started.elapsed().as_secs_f64();
    let (before, measuring) = (counters.heartbeats.load(Relaxed), Instant::now());
    tokio::time::sleep(plan.duration).await;
    let heartbeats = counters.heartbeats.load(Relaxed) - before;
    let measured_s = measuring.elapsed().as_secs_f64();
    let connected = counters.connected.load(Relaxed);
    stop.cancel();
    for task in tasks {
        let _ = task.await;
    }
    Report {
        agents,
        connected,
        sessions: counters.sessions.load(Relaxed),
        errors: counters.errors.load(Relaxed),
        error_samples: counters.samples.lock().unwrap_or_else(|e| e.into_inner()).clone(),
        enrol_s: 0.0,
        connect_s,
        measured_s,
        heartbeats,
        heartbeats_per_s: heartbeats as f64 / measured_s.max(0.001),
        commands: counters.commands.load(Relaxed),
        duplicates: counters.duplicates.load(Relaxed),
        executed_twice: counters.executed_twice.load(Relaxed),
    }
}

/// One agent: connect, behave, come back with a pause.
async fn live(
    mut agent: Agent,
    server: Arc<Server>,
    handshakes: Arc<tokio::sync::Semaphore>,
    counters: Arc<Counters>,
) {
    let mut pause = Duration::from_millis(500);
    loop {
        let opened = {
            let _slot = handshakes.acquire().await;
            agent.connect(&server).await
        };
        match opened {
            Ok((link, wished)) => {
                pause = Duration::from_millis(500);
                counters.sessions.fetch_add(1, Relaxed);
                counters.connected.fetch_add(1, Relaxed);
                let _connected = Connected(&counters);
                let before = agent.seen.duplicates;
                if let Err(error) = agent.behave(link, wished).await {
                    counters.error(&error);
                }
                counters.duplicates.fetch_add(agent.seen.duplicates - before, Relaxed);
                let twice = agent.seen.executed.values().filter(|n| **n > 1).count() as u64;
                counters.executed_twice.fetch_add(twice, Relaxed);
            }
            Err(error) => counters.error(&error),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(15));
    }
}

struct Connected<'a>(&'a Counters);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Relaxed);
    }
}
