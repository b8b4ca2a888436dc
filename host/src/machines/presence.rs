//! What the gateway tells of sessions: hello, heartbeats, engines, the end.

use std::time::Duration;

use agent_protocol::{
    engine::EngineStatus,
    metrics::Heartbeat,
    session::{CertificateAnswer, Hello},
};
use sea_orm::{ActiveValue::Set, DbErr};
use serde_bytes::ByteBuf;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    LiveMetrics, MachineState, Machines,
    entity::{engine, machine},
    indexing,
    service::facts_row,
    store,
};
use crate::pki::{CertificateSigningRequest, KeyFingerprint};

/// How often presence is written.
const WRITE_EVERY: Duration = Duration::from_millis(1000);

/// Why a machine may not connect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// No machine has this key.
    #[error("no machine has this key")]
    Unknown,
    /// An administrator rejected it, or has not decided.
    #[error("the machine is {0}")]
    NotApproved(&'static str),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Machines {
    /// The approved machine that has this key.
    pub(crate) async fn identify(&self, key: &KeyFingerprint) -> Result<Uuid, Refusal> {
        let row = store::by_key(self.core.db.read(), key.as_str()).await?.ok_or(Refusal::Unknown)?;
        match MachineState::parse(&row.state) {
            MachineState::Approved => Ok(row.id),
            other => Err(Refusal::NotApproved(other.name())),
        }
    }

    /// A session began: keep the machine's facts when they changed.
    pub(crate) async fn said_hello(&self, id: Uuid, hello: &Hello) -> Result<(), DbErr> {
        let Some(row) = store::get(self.core.db.read(), id).await? else { return Ok(()) };
        if machine::ActiveModel::from(row.clone()) == merged(&row, hello) {
            return Ok(());
        }
        let mut set = facts_row(&hello.facts, &hello.agent_version);
        set.updated_at = Set(self.core.clock.now());
        let tx = self.core.db.begin().await?;
        store::update(&tx, id, set).await?;
        indexing::set_addresses(&tx, id, &hello.facts.addresses).await?;
        indexing::set_hardware(&tx, id, &hello.facts.hardware).await?;
        tx.commit().await?;
        self.publish("machine.updated", id, json!({"name": row.name, "agent_version": hello.agent_version}));
        Ok(())
    }

    /// The session is open.
    pub(crate) fn came(&self, id: Uuid) {
        if self.live.came(id, self.core.clock.now()) {
            self.publish("machine.online", id, json!({}));
        }
    }

    /// The machine's last session ended.
    pub(crate) fn went(&self, id: Uuid, reason: &str) {
        if self.live.went(id) {
            self.publish("machine.offline", id, json!({"reason": reason}));
        }
    }

    /// A sign of life.
    pub(crate) fn beat(&self, id: Uuid, heartbeat: Heartbeat) {
        let watched = self.live.beat(id, self.core.clock.now(), heartbeat.metrics);
        if let Some(metrics) = watched.and_then(|p| p.metrics) {
            self.publish("machine.metrics", id, json!({"metrics": LiveMetrics::from(&*metrics)}));
        }
    }

    /// What became of the machine's engines.
    pub(crate) async fn engine_status(&self, id: Uuid, status: EngineStatus) -> Result<(), DbErr> {
        let now = self.core.clock.now();
        let known = store::engines(self.core.db.read(), id).await?;
        let rows: Vec<engine::Model> = status
            .engines
            .into_iter()
            .map(|e| engine::Model {
                machine_id: id,
                engine_id: e.id,
                version: e.version,
                state: serde_json::to_value(e.state)
                    .ok()
                    .and_then(|v| v.as_str().map(Into::into))
                    .unwrap_or_default(),
                code: e.code,
                message: e.message,
                updated_at: now,
            })
            .collect();
        let same = |new: &engine::Model| {
            known.iter().any(|k| engine::Model { updated_at: now, ..k.clone() } == *new)
        };
        if known.len() == rows.len() && rows.iter().all(same) {
            return Ok(());
        }
        let data = json!({"engines": rows.iter().map(|e| {
            json!({"id": e.engine_id, "version": e.version, "state": e.state, "code": e.code, "message": e.message})
        }).collect::<Vec<_>>()});
        let tx = self.core.db.begin().await?;
        store::set_engines(&tx, id, rows.into_iter().map(engine::ActiveModel::from).collect()).await?;
        tx.commit().await?;
        self.publish("machine.engines_changed", id, data);
        Ok(())
    }

    /// A new certificate for the key the machine is known by.
    pub(crate) fn renew(&self, id: Uuid, key: &KeyFingerprint, csr_der: &[u8]) -> CertificateAnswer {
        let refused = |code: &str, message: String| CertificateAnswer::Refused { code: code.into(), message };
        let csr = match CertificateSigningRequest::from_der(csr_der) {
            Ok(csr) => csr,
            Err(error) => return refused("bad_request", error.to_string()),
        };
        if csr.fingerprint() != key {
            return refused("other_key", "The request is for another key; enrol with it instead.".into());
        }
        match self.certificate(id, csr.public_key()) {
            Ok(issued) => CertificateAnswer::Issued {
                chain_der: issued.chain_der.into_iter().map(ByteBuf::from).collect(),
                not_after: issued.not_after.timestamp_millis(),
            },
            Err(error) => {
                tracing::error!(%error, machine.id = %id, "a certificate could not be renewed");
                refused("host_trouble", "The host could not make a certificate; ask again later.".into())
            }
        }
    }

    /// Write presence now and then, until `stop`, and once more at the end.
    pub(super) async fn keep_presence(&self, stop: CancellationToken) {
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(WRITE_EVERY) => false,
            };
            let unwritten = self.live.take_unwritten();
            let nothing = unwritten.seen.is_empty() && unwritten.came.is_empty() && unwritten.went.is_empty();
            if !nothing && let Err(error) = self.write_presence(&unwritten).await {
                tracing::warn!(%error, "the machines' presence could not be written, trying again");
                self.live.give_back(unwritten);
            }
            metrics::gauge!("sysmanage_agents_connected").set(self.core.sessions.count() as f64);
            if stopping {
                return;
            }
        }
    }

    async fn write_presence(&self, unwritten: &super::live::Unwritten) -> Result<(), DbErr> {
        let tx = self.core.db.begin().await?;
        store::write_presence(&tx, unwritten).await?;
        tx.commit().await
    }
}

/// The row as it would be with the hello's facts.
fn merged(row: &machine::Model, hello: &Hello) -> machine::ActiveModel {
    let new = facts_row(&hello.facts, &hello.agent_version);
    let mut all = machine::ActiveModel::from(row.clone());
    macro_rules! take {
        ($($field:ident),*) => { $(if let Set(value) = new.$field {
            if all.$field.as_ref() != &value { all.$field = Set(value); }
        })* };
    }
    take!(
        hostname,
        os_family,
        os_id,
        os_name,
        os_version,
        kernel,
        arch,
        target,
        cpus,
        memory_bytes,
        boot_id,
        addresses,
        hardware,
        agent_version,
        os_version_key,
        agent_version_key
    );
    all
}
