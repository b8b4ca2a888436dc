//! A pretend agent that behaves: hello, heartbeats, commands at most once, results until acknowledged.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use agent_protocol::{
    Frame, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION,
    inventory::{Digest, InventorySection, SectionDigest},
    metrics::{DiskMetrics, Heartbeat, Metrics},
    session::{Hello, Pong},
    task::{
        Command, CommandAccepted, NoteState, Outcome, Output, Started, Stream, TaskError, TaskNote,
        TaskResult,
    },
};
use anyhow::bail;
use ring::digest::{SHA256, digest};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::{Identity, Link, Server};

/// What an agent has seen, across its connections.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How often each task was executed; more than once is a fault.
    pub executed: HashMap<Uuid, u32>,
    /// Commands that came again.
    pub duplicates: u64,
    /// Why sessions ended, as the host said.
    pub goodbyes: Vec<String>,
}

/// A pretend agent. Its memory of tasks stands for a real agent's disk, and outlives connections.
pub struct Agent {
    /// Who it is.
    pub identity: Identity,
    /// What it has seen.
    pub seen: Seen,
    /// Between heartbeats; the host's wish when `None`.
    pub heartbeat: Option<Duration>,
    /// Heartbeats sent; may be shared by a fleet.
    pub heartbeats: Arc<AtomicU64>,
    /// Commands executed; may be shared by a fleet.
    pub commands: Arc<AtomicU64>,
    results: BTreeMap<Uuid, TaskResult>,
    beats: u64,
}

/// A hello with nothing behind it.
pub fn hello(identity: &Identity) -> Hello {
    Hello {
        protocol: (OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION),
        agent_version: env!("CARGO_PKG_VERSION").into(),
        capabilities: vec!["cancel".into()],
        facts: identity.facts(),
        sections: Vec::new(),
        tasks: Vec::new(),
        engines: Vec::new(),
        now: now(),
    }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

impl Agent {
    /// An agent for an approved identity.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            seen: Seen::default(),
            heartbeat: None,
            heartbeats: Arc::default(),
            commands: Arc::default(),
            results: BTreeMap::new(),
            beats: 0,
        }
    }

    fn section(&self) -> InventorySection {
        let data = serde_json::json!({"id": "debian", "name": self.identity.name}).to_string().into_bytes();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &data).as_ref());
        InventorySection {
            name: "os".into(),
            digest: Digest::new(bytes),
            collected_at: now(),
            data: ByteBuf::from(data),
        }
    }

    /// Connect and say hello; the link after the host's welcome, and the heartbeat it wishes.
    pub async fn connect(&self, server: &Server) -> anyhow::Result<(Link, Duration)> {
        let mut link = Link::open(server, Some(&self.identity)).await?;
        let section = self.section();
        let mut hello = hello(&self.identity);
        hello.sections = vec![SectionDigest { name: section.name, digest: section.digest }];
        hello.tasks =
            self.results.keys().map(|id| TaskNote { task_id: *id, state: NoteState::Finished }).collect();
        link.say(hello).await?;
        let welcome = link
            .hear_until(|frame| match frame {
                Frame::Welcome(welcome) => Some(Ok(welcome)),
                Frame::Goodbye(goodbye) => Some(Err(goodbye)),
                _ => None,
            })
            .await?;
        match welcome {
            Ok(welcome) => {
                for result in self.results.values() {
                    link.say(result.clone()).await?;
                }
                Ok((link, Duration::from_millis(welcome.policy.heartbeat_interval_ms.into())))
            }
            Err(goodbye) => bail!("the host said goodbye: {}", goodbye.code),
        }
    }

    /// Behave until the connection ends. May be dropped at any point, as a crash would.
    pub async fn behave(&mut self, mut link: Link, wished: Duration) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(self.heartbeat.unwrap_or(wished));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frame = link.hear() => match frame? {
                    Some(frame) => self.answer(&mut link, frame).await?,
                    None => return Ok(()),
                },
                _ = tick.tick() => self.beat(&mut link).await?,
            }
        }
    }

    async fn beat(&mut self, link: &mut Link) -> anyhow::Result<()> {
        self.beats += 1;
        let metrics = Metrics {
            at: now(),
            uptime_s: self.beats,
            cpu_percent: 1.5,
            load: (0.1, 0.2, 0.3),
            memory_total: 4 << 30,
            memory_available: 3 << 30,
            swap_total: 0,
            swap_used: 0,
            disks: vec![DiskMetrics {
                mount: "/".into(),
                total: 1 << 36,
                used: 1 << 34,
                ..Default::default()
            }],
            nets: Vec::new(),
        };
        link.say(Heartbeat { seq: self.beats, running_tasks: 0, metrics: Some(metrics) }).await?;
        self.heartbeats.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Answer one frame as an agent should.
    pub async fn answer(&mut self, link: &mut Link, frame: Frame) -> anyhow::Result<()> {
        match frame {
            Frame::Command(command) => self.execute(link, command).await,
            Frame::ResultAck(ack) => {
                self.results.remove(&ack.task_id);
                Ok(())
            }
            Frame::InventoryRequest(_) => link.say(self.section()).await,
            Frame::Ping(ping) => link.say(Pong { nonce: ping.nonce }).await,
            Frame::Goodbye(goodbye) => {
                self.seen.goodbyes.push(goodbye.code);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Pretend to run a command, unless its id is known.
    async fn execute(&mut self, link: &mut Link, command: Command) -> anyhow::Result<()> {
        let task_id = command.task_id;
        let duplicate = self.seen.executed.contains_key(&task_id);
        // What stands for the disk comes before anything is said.
        if duplicate {
            self.seen.duplicates += 1;
        } else {
            *self.seen.executed.entry(task_id).or_default() += 1;
            self.commands.fetch_add(1, Relaxed);
            self.results.insert(task_id, result_of(&command));
        }
        link.say(CommandAccepted { task_id, duplicate }).await?;
        if let Some(result) = self.results.get(&task_id).cloned() {
            link.say(Started { task_id, at: now() }).await?;
            if result.output_chunks > 0 {
                let data =
                    ByteBuf::from(format!("{} ran {}\n", self.identity.name, command.name).into_bytes());
                link.say(Output { task_id, seq: 0, stream: Stream::Stdout, data }).await?;
            }
            link.say(result).await?;
        }
        Ok(())
    }
}

fn result_of(command: &Command) -> TaskResult {
    let late = command.deadline < now();
    TaskResult {
        task_id: command.task_id,
        outcome: if late { Outcome::Refused } else { Outcome::Succeeded },
        payload: ByteBuf::from(b"{\"pretended\":true}".to_vec()),
        error: late.then(|| TaskError {
            code: "deadline_passed".into(),
            message: "The deadline has passed.".into(),
        }),
        started_at: (!late).then(now),
        finished_at: now(),
        output_chunks: u64::from(!late),
    }
}
