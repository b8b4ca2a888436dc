//! A portal for a test, and a client of it.

use std::{path::PathBuf, sync::Arc};

use chrono::Utc;
use portal::{
    clock::{Clock, ControlledClock},
    config::Config,
    ctx::Ctx,
    releases::{Channel, Published},
    serve::Portal,
};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A running portal. PostgreSQL when `SYSMANAGE_TEST_POSTGRES_URL` names a server, else SQLite.
pub struct TestPortal {
    pub portal: Portal,
    pub clock: Arc<ControlledClock>,
    pub folder: TempDir,
    pub client: reqwest::Client,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

/// Somebody with an organisation.
pub struct Customer {
    pub cookie: String,
    pub org: String,
}

impl TestPortal {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: folder.path().join("data"), ..Config::default() };
        config.http.port = 0;
        config.http.drain_timeout_s = 5;
        // Tests share few processors with other work; what they test is not speed.
        config.http.request_timeout_s = 240;
        config.database.acquire_timeout_s = 120;
        config.auth.logins_per_minute = 10_000;
        config.payments.test = true;
        config.auth.staff_second_factor = false;
        config.releases.needs_report = false;
        if let Ok(server) = std::env::var("SYSMANAGE_TEST_POSTGRES_URL") {
            config.database.url = new_database(&server).await;
        }
        change(&mut config);
        let clock = Arc::new(ControlledClock::at(Utc::now()));
        Self::over(folder, config, clock).await
    }

    pub async fn over(folder: TempDir, config: Config, clock: Arc<ControlledClock>) -> Self {
        let portal = Portal::start(config, clock.clone()).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { portal, clock, folder, client }
    }

    pub fn now(&self) -> chrono::DateTime<Utc> {
        self.clock.now()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.portal.http)
    }

    /// A request with credentials: a token, a cookie, or nothing.
    pub fn request(&self, method: Method, path: &str, as_whom: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(path));
        match as_whom {
            "" => request,
            token if token.starts_with("spt_") => request.bearer_auth(token),
            cookie => request.header("cookie", cookie),
        }
    }

    pub async fn get(&self, path: &str, as_whom: &str) -> Answer {
        send(self.request(Method::GET, path, as_whom)).await
    }

    pub async fn post(&self, path: &str, as_whom: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path, as_whom).json(&body)).await
    }

    pub async fn call(&self, method: Method, path: &str, as_whom: &str, body: Value) -> Answer {
        send(self.request(method, path, as_whom).json(&body)).await
    }

    pub async fn form(&self, path: &str, as_whom: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let request = self.request(Method::POST, path, as_whom);
        let kind = "application/x-www-form-urlencoded";
        send(request.header("content-type", kind).body(body.finish())).await
    }

    /// Sign somebody up, with an organisation of their own.
    pub async fn customer(&self, name: &str) -> Customer {
        let cookie = self.sign_up(name, Some(name)).await;
        let own = self.get("/api/v1/organisations", &cookie).await;
        let org = own.body["items"][0]["id"].as_str().unwrap().to_owned();
        Customer { cookie, org }
    }

    pub async fn sign_up(&self, name: &str, organisation: Option<&str>) -> String {
        let body = json!({"email": format!("{name}@example.org"), "name": name, "password": PASSWORD, "organisation": organisation});
        let made = self.post("/api/v1/sign-up", "", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.cookie()
    }

    /// Somebody new with a role in an organisation.
    pub async fn member(&self, owner: &Customer, name: &str, role: &str) -> String {
        let cookie = self.sign_up(name, None).await;
        let path = format!("/api/v1/organisations/{}/invitations", owner.org);
        let body = json!({"email": format!("{name}@example.org"), "role": role});
        let made = self.post(&path, &owner.cookie, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let token = made.body["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let joined = self.post("/api/v1/invitations/-/accept", &cookie, json!({"token": token})).await;
        assert_eq!(joined.status, 200, "{}", joined.text);
        cookie
    }

    /// Somebody of the vendor's.
    pub async fn staff(&self, name: &str) -> String {
        let cookie = self.sign_up(name, None).await;
        let email = format!("{name}@example.org");
        self.portal.app.accounts.set_staff(&Ctx::operator(), &email, true).await.unwrap();
        cookie
    }

    pub async fn order(&self, customer: &Customer, plan: &str, machines: u64) -> String {
        let path = format!("/api/v1/organisations/{}/orders", customer.org);
        let made = self.post(&path, &customer.cookie, json!({"plan": plan, "machines": machines})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Order a plan, and pay it by the test payment.
    pub async fn buy(&self, customer: &Customer, plan: &str, machines: u64) -> String {
        let order = self.order(customer, plan, machines).await;
        let path = format!("/api/v1/organisations/{}/orders/{order}/test-payment", customer.org);
        let paid = self.post(&path, &customer.cookie, Value::Null).await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        order
    }

    /// The licences of a customer.
    pub async fn licenses(&self, customer: &Customer) -> Vec<Value> {
        let path = format!("/api/v1/organisations/{}/licenses", customer.org);
        let list = self.get(&path, &customer.cookie).await;
        assert_eq!(list.status, 200, "{}", list.text);
        list.body["items"].as_array().unwrap().clone()
    }

    /// Publish an engine of a tier.
    pub async fn publish(&self, id: &str, version: &str, tier: &str) -> Published {
        let file = self.package(id, version, tier, &[TARGET], b"a library");
        self.publish_file(&file).await.unwrap()
    }

    pub async fn publish_file(
        &self,
        file: &std::path::Path,
    ) -> Result<Published, portal::releases::ReleaseError> {
        self.portal.app.releases.publish(&Ctx::operator(), file, Channel::Stable, None).await
    }

    /// A package signed with the development publisher's key.
    pub fn package(&self, id: &str, version: &str, tier: &str, targets: &[&str], library: &[u8]) -> PathBuf {
        package(self.folder.path(), self.now(), (id, version, tier), targets, library)
    }
}

/// A package signed with the development publisher's key, in a folder of its own below `folder`.
pub fn package(
    folder: &std::path::Path,
    now: chrono::DateTime<Utc>,
    (id, version, tier): (&str, &str, &str),
    targets: &[&str],
    library: &[u8],
) -> PathBuf {
    let entitlement = if tier == "free" { String::new() } else { format!("entitlement = \"{id}\"\n") };
    let publisher = license_issuer::development::publisher_signer();
    let template = format!(
        "id = \"{id}\"\nname = \"Engine {id}\"\ndescription = \"An engine <b>to test</b>.\"\nversion = \"{version}\"\n\
         publisher = \"DEVELOPMENT ONLY publisher\"\ntier = \"{tier}\"\napi = \"*\"\n{entitlement}"
    );
    let mut draft = plugin_packager::Draft::new(&template, now - chrono::Duration::hours(1)).unwrap();
    for target in targets {
        draft.library(target, library.to_vec());
    }
    draft.file("CHANGELOG.md", b"# Notes\n".to_vec());
    let sealed = draft.seal().unwrap();
    let folder = folder.join(Uuid::new_v4().to_string());
    std::fs::create_dir(&folder).unwrap();
    sealed.write_into(&folder, &sealed.signed_by(&publisher).unwrap()).unwrap()
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}

impl Answer {
    /// The session's cookie, as the client sends it back.
    pub fn cookie(&self) -> String {
        let cookie = self.headers.get("set-cookie").unwrap().to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.headers.get("location").map_or("", |v| v.to_str().unwrap())
    }

    /// Assert that this is a whole problem with a status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(self.body["detail"].as_str().is_some_and(|d| !d.is_empty()));
    }
}

/// A database of its own on a PostgreSQL server.
async fn new_database(server: &str) -> String {
    // One at a time: PostgreSQL copies a template only while nobody uses it.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let name = format!("portal_test_{}", Uuid::new_v4().simple());
    let _turn = TURN.lock().await;
    let db = Database::connect(server).await.unwrap();
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    db.close().await.unwrap();
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}
