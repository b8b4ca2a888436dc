//! A host with a gateway on a free port, and pretend agents to connect to it.

use std::{path::Path, sync::Arc, time::Duration};

use agent_sim::{Agent, Identity, Server, Trust, enroll};
use chrono::Utc;
use sysmanage::{
    app::App,
    clock::ControlledClock,
    config::Config,
    ctx::Ctx,
    db::Db,
    machines::TokenRequest,
    operations::{NewOperation, Operation, Targets},
};
use tempfile::TempDir;
use uuid::Uuid;

pub struct AgentHost {
    pub app: Arc<App>,
    pub clock: Arc<ControlledClock>,
    pub server: Server,
    pub dir: Arc<TempDir>,
}

pub fn ctx() -> Ctx {
    Ctx::system("test")
}

pub fn config(dir: &Path) -> Config {
    let mut config = Config { data_dir: dir.to_owned(), ..Config::default() };
    config.http.public_name = "localhost".into();
    config.http.drain_timeout_s = 1;
    config
}

impl AgentHost {
    pub async fn start() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let config = config(dir.path());
        Self::start_in(dir, config).await
    }

    pub async fn start_in(dir: Arc<TempDir>, config: Config) -> Self {
        sysmanage::pki::install_crypto();
        let clock = Arc::new(ControlledClock::at(Utc::now()));
        let db = Db::connect(&config.database, dir.path()).await.unwrap();
        db.migrate().await.unwrap();
        let app = App::build(config, clock.clone(), db).await.unwrap();
        app.start().await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let trust = Trust::Fingerprint(app.pki.authority.fingerprint().to_string());
        let server = Server { address, name: "localhost".into(), trust };
        let serving = app.clone();
        tokio::spawn(async move { serving.gateway.serve(&serving, listener).await.unwrap() });
        Self { app, clock, server, dir }
    }

    /// Stop, and start again on the same data.
    pub async fn restart(self) -> Self {
        self.app.stop().await;
        Self::start_in(self.dir.clone(), config(self.dir.path())).await
    }

    pub async fn token(&self, auto_approve: bool) -> String {
        let request = TokenRequest {
            name: "test".into(),
            tags: vec!["test".into()],
            auto_approve,
            max_uses: None,
            expires_in_s: 3600,
            approve_networks: Vec::new(),
        };
        self.app.machines.create_token(&ctx(), request).await.unwrap().token
    }

    /// An approved identity with the machine's id.
    pub async fn machine(&self, name: &str) -> (Identity, Uuid) {
        let token = self.token(true).await;
        let mut identity = Identity::new(name).unwrap();
        let answer = enroll(&self.server, &mut identity, &token).await.unwrap();
        match answer {
            agent_protocol::enroll::EnrollAnswer::Approved { machine_id, .. } => (identity, machine_id),
            other => panic!("not approved: {other:?}"),
        }
    }

    /// An agent that behaves, in the background.
    pub async fn behaving(&self, name: &str) -> (Uuid, tokio::task::JoinHandle<Agent>) {
        let (identity, id) = self.machine(name).await;
        let mut agent = Agent::new(identity);
        let server = self.server.clone();
        let (link, beat) = agent.connect(&server).await.unwrap();
        let task = tokio::spawn(async move {
            let _ = agent.behave(link, beat).await;
            agent
        });
        (id, task)
    }

    pub async fn ping(&self, machines: Vec<Uuid>) -> Uuid {
        let new = NewOperation::core("core.ping", "Ping", Targets::Machines(machines));
        self.app.operations.create(&ctx(), new).await.unwrap()
    }

    pub async fn finished(&self, operation: Uuid) -> Operation {
        self.app.operations.wait(&ctx(), operation, Duration::from_secs(20)).await.unwrap()
    }

    pub async fn the_task(&self, operation: Uuid) -> sysmanage::operations::Task {
        let page = self.app.operations.tasks(&ctx(), operation, &[], None, 10).await.unwrap();
        page.items.into_iter().next().unwrap()
    }
}

/// Wait until `question` holds, for at most ten seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut question: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !question().await {
        assert!(tokio::time::Instant::now() < deadline, "it did not come to pass: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
