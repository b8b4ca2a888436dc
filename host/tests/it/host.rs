//! A host for a test, and a client that trusts its authority.

use std::sync::Arc;

use chrono::Utc;
use reqwest::{Method, RequestBuilder, StatusCode};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use sysmanage::{
    clock::{Clock, ControlledClock},
    config::Config,
    serve::Host,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";

/// A running host. PostgreSQL when `SYSMANAGE_TEST_POSTGRES_URL` names a server, else SQLite.
pub struct TestHost {
    pub host: Host,
    pub clock: Arc<ControlledClock>,
    pub folder: TempDir,
    pub client: reqwest::Client,
    base: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

pub fn config(folder: &TempDir) -> Config {
    let mut config = Config { data_dir: folder.path().join("data"), ..Config::default() };
    config.http.address = std::net::Ipv4Addr::LOCALHOST.into();
    config.http.port = 0;
    config.http.drain_timeout_s = 5;
    config.agents.address = std::net::Ipv4Addr::LOCALHOST.into();
    config.agents.port = 0;
    config.auth.logins_per_minute = 1000;
    // Tests share few processors with other work; what they test is not speed.
    config.database.acquire_timeout_s = 120;
    config.http.request_timeout_s = 240;
    config
}

impl TestHost {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        if let Ok(server) = std::env::var("SYSMANAGE_TEST_POSTGRES_URL") {
            config.database.url = new_database(&server).await;
        }
        change(&mut config);
        Self::over(folder, config).await
    }

    pub async fn over(folder: TempDir, config: Config) -> Self {
        let clock = Arc::new(ControlledClock::at(Utc::now()));
        let host = Host::start(config, clock.clone()).await.unwrap();
        let authority = reqwest::Certificate::from_der(host.app.pki.authority.certificate()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
        let base = format!("https://{}", host.http);
        Self { host, clock, folder, client, base }
    }

    /// The token of the set-up link.
    pub fn setup_token(&self) -> String {
        self.host.setup_link.as_deref().unwrap().split_once('#').unwrap().1.to_owned()
    }

    /// Set the host up, and answer with a token that may do everything.
    pub async fn admin(&self) -> String {
        let body = json!({"token": self.setup_token(), "name": "admin", "password": PASSWORD});
        assert_eq!(self.post("/api/v1/setup", "", body).await.status, 201);
        self.token_of("admin").await
    }

    /// Create a user with `roles`, and answer with a token of theirs.
    pub async fn user(&self, admin: &str, name: &str, roles: &[&str]) -> String {
        let body = json!({"name": name, "password": PASSWORD, "roles": roles});
        let made = self.post("/api/v1/users", admin, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        self.token_of(name).await
    }

    async fn token_of(&self, name: &str) -> String {
        let cookie = self.log_in(name, PASSWORD).await.cookie();
        let request = self.request(Method::POST, "/api/v1/tokens", "").header("cookie", cookie);
        let made = send(request.json(&json!({"name": "test"}))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["secret"].as_str().unwrap().to_owned()
    }

    pub async fn log_in(&self, name: &str, password: &str) -> Answer {
        self.post("/api/v1/session", "", json!({"name": name, "password": password})).await
    }

    pub fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path, token)).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path, token).json(&body)).await
    }

    pub async fn call(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        send(self.request(method, path, token).json(&body)).await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status, headers, body }
}

impl Answer {
    /// The session's cookie, as the client sends it back.
    pub fn cookie(&self) -> String {
        let cookie = self.headers.get("set-cookie").unwrap().to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Assert that this is a whole problem with a status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(
            self.body["type"].is_string()
                && self.body["title"].is_string()
                && self.body["detail"].is_string()
        );
    }
}

/// A database of its own on a PostgreSQL server, from a template that is migrated once.
pub async fn new_database(server: &str) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("sysmanage_template_{}", Uuid::new_v4().simple());
            create(server, &name, "template1").await;
            let mut config = Config::default().database;
            config.url = with_database(server, &name);
            let db = sysmanage::db::Db::connect(&config, std::path::Path::new("")).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
            name
        })
        .await;
    let name = format!("sysmanage_test_{}", Uuid::new_v4().simple());
    create(server, &name, template).await;
    with_database(server, &name)
}

async fn create(server: &str, name: &str, template: &str) {
    // One at a time: PostgreSQL copies a template only while nobody uses it.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let db = Database::connect(server).await.unwrap();
    db.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
    db.close().await.unwrap();
}

fn with_database(server: &str, name: &str) -> String {
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

/// The instant the host believes it is.
pub fn now(host: &TestHost) -> chrono::DateTime<Utc> {
    host.clock.now()
}
