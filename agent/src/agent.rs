//! The running agent: everything started, until it is told to stop.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::HostClock,
    config::Config,
    engines::Engines,
    enrolment::Enrolment,
    hub::Hub,
    identity::{self, Certificate, Identity, IdentityError},
    inventory::source::Root,
    inventory_memory::Memory,
    inventory_state::InventoryState,
    link::Link,
    metrics::recorder::Recorder,
    policy::PolicyFile,
    spool::{Limits, Spool},
    status::StatusFile,
    storage::{self, DataDir},
    tasks::{Bounds, Jobs, Tasks, job::Runner},
    update::{Handover, Staged},
    watcher,
};

/// How long running commands may take to end when the agent stops.
const SHUTDOWN: Duration = Duration::from_secs(20);
/// How often old command ids are forgotten.
const SWEEP: Duration = Duration::from_secs(6 * 3600);

/// Run the agent on `data` until `stop`.
pub async fn run(
    data: &Path,
    folder: &Path,
    config: &Config,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Staged>> {
    // A handover ends this run, not the program.
    let stop = stop.child_token();
    let handover = Arc::new(Handover::new(stop.clone()));
    let data = DataDir::open(data).context("the data folder cannot be opened")?;
    let _lock = storage::lock(&data)?;
    let enrolment = Enrolment::load(&data)?
        .context("this machine is not enrolled; run `sysmanage-agent enroll` first")?;
    let identity = Identity::load(&data)?.context("identity.key is missing; enrol this machine again")?;
    let authority =
        identity::load_authority(&data)?.context("authority.crt is missing; enrol this machine again")?;
    let certificate = stored_certificate(&data, &identity, &authority);

    let spool = Arc::new(Spool::open(&data.spool(), limits(config)).context("the spool cannot be opened")?);
    let hub = Arc::new(Hub::default());
    let policy = Arc::new(PolicyFile::at(config.policy_path(folder)));
    let engines = Engines::open(&data, Arc::clone(&hub), Arc::clone(&policy))?;
    let memory = Memory::open(data.inventory()).context("the inventory's memory cannot be opened")?;
    let inventory = InventoryState::new(Root::at(&config.root), Arc::clone(&hub), Some(memory));
    let tasks = Tasks::new(
        Arc::clone(&spool),
        Arc::clone(&hub),
        policy,
        Arc::clone(&engines),
        Arc::clone(&inventory),
        Jobs {
            folder: data.jobs(),
            runner: Runner::here().context("the agent does not find its own program")?,
            power: config.power.clone(),
            data: data.path().to_owned(),
            handover: Arc::clone(&handover),
        },
        Bounds {
            most: config.tasks.concurrency,
            default_deadline: Duration::from_secs(config.tasks.default_deadline_s),
            grace: Duration::from_secs(config.tasks.grace_s),
        },
    );
    let recorder = Arc::new(Recorder::open(&data.figures()));
    let link = Link {
        identity,
        authority,
        enrolment,
        certificate: certificate.into(),
        hub,
        spool: Arc::clone(&spool),
        tasks: Arc::clone(&tasks),
        engines: Arc::clone(&engines),
        inventory: Arc::clone(&inventory),
        recorder: Arc::clone(&recorder),
        clock: HostClock::default(),
        status: Arc::new(StatusFile::open(data.status())),
        connect_timeout: Duration::from_secs(config.connection.connect_timeout_s),
        max_backoff: Duration::from_secs(config.connection.max_backoff_s),
        heartbeat: Duration::from_secs(config.connection.heartbeat_s),
        data,
    };

    tasks.recover().await.context("the spool cannot be recovered")?;
    let engines_worker = tokio::spawn(engines.run());
    let interval = Duration::from_secs(config.inventory.interval_s);
    tokio::spawn(watcher::run(inventory, interval, stop.clone()));
    let sweeper = tokio::spawn(sweep(spool));
    let (root, stopped) = (Root::at(&config.root), stop.clone());
    tokio::spawn(async move { recorder.run(root, stopped).await });
    let ending = async {
        stop.cancelled().await;
        // Results that come in time still go out over the open session.
        tasks.shutdown(SHUTDOWN).await;
    };
    let closing = CancellationToken::new();
    let close = async {
        ending.await;
        closing.cancel();
    };
    tokio::join!(close, link.run(&closing));
    engines_worker.abort();
    sweeper.abort();
    link.status.stopped();
    tracing::info!("stopped");
    Ok(handover.take())
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_bytes: config.spool.max_bytes,
        max_output_bytes: config.tasks.max_output_bytes,
        retention: Duration::from_secs(u64::from(config.spool.retention_days) * 24 * 3600),
    }
}

/// A certificate that is not usable is asked for anew; the key is what counts.
fn stored_certificate(
    data: &DataDir,
    identity: &Identity,
    authority: &rustls_pki_types::CertificateDer<'_>,
) -> Option<Certificate> {
    let loaded: Result<_, IdentityError> = Certificate::load(data, identity, authority);
    loaded.unwrap_or_else(|error| {
        tracing::warn!(%error, "the stored certificate is not usable");
        None
    })
}

async fn sweep(spool: Arc<Spool>) {
    loop {
        match crate::tasks::on_spool(&spool, |spool| spool.sweep(crate::clock::now_ms())).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "old command ids forgotten"),
            Err(error) => tracing::warn!(%error, "old command ids cannot be forgotten"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
