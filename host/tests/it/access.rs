//! Second factors, invitations, policy, locks, scopes, explanations and the activity log.

mod explain;
mod invitations;
mod log;
mod oneself;
mod passwords;
mod second_factor;
mod tokens;
mod totp;

use reqwest::Method;
use serde_json::Value;

use crate::host::{Answer, TestHost, send};
use agent_sim::{Identity, Server, Trust, enroll};
use sysmanage::{
    ctx::Ctx,
    machines::{MachineQuery, TokenRequest},
};

/// Call with a session's cookie, as a browser does.
pub async fn browse(host: &TestHost, cookie: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = host.request(method, path, "").header("cookie", cookie);
    send(if body.is_null() { request } else { request.json(&body) }).await
}

/// The id of a user.
pub async fn user_id(host: &TestHost, admin: &str, name: &str) -> String {
    let users = host.get("/api/v1/users?limit=500", admin).await.body;
    let found = users["items"].as_array().unwrap().iter().find(|u| u["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// The id of a role.
pub async fn role_id(host: &TestHost, admin: &str, name: &str) -> String {
    let roles = host.get("/api/v1/roles?limit=500", admin).await.body;
    let found = roles["items"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// An approved machine without tags: its id.
pub async fn machine(host: &TestHost) -> String {
    let app = &host.host.app;
    let request = TokenRequest {
        name: "test".into(),
        tags: Vec::new(),
        auto_approve: false,
        max_uses: None,
        expires_in_s: 3600,
        approve_networks: Vec::new(),
    };
    let ctx = Ctx::system("test");
    let token = app.machines.create_token(&ctx, request).await.unwrap().token;
    let trust = Trust::Fingerprint(app.pki.authority.fingerprint().to_string());
    let server = Server { address: host.host.agents.to_string(), name: app.config.public_name(), trust };
    let mut identity = Identity::new("web-1").unwrap();
    enroll(&server, &mut identity, &token).await.unwrap();
    let id = host
        .host
        .app
        .machines
        .list(&ctx, MachineQuery { limit: 1, ..MachineQuery::default() })
        .await
        .unwrap()
        .items[0]
        .id;
    app.machines.approve(&ctx, id).await.unwrap();
    id.to_string()
}
