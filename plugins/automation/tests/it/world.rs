//! A small fleet and a script: where most tests begin.

use automation::Automation;
use plugin_testing::{Builder, Client, FakeHost, TestEngine, TestResponse};
use serde_json::{Value, json};

pub type Engine = TestEngine<Automation>;

/// Three machines and a secret.
pub fn fleet() -> Builder<Automation> {
    Engine::builder()
        .debian("web-1", &["web"])
        .debian("web-2", &["web"])
        .debian("db-1", &["db"])
        .secret("deploy", "hunter2-secret")
}

pub fn machine(name: &str) -> String {
    FakeHost::machine_id(name)
}

/// A signed-in user with every permission, told apart by a number.
pub fn user(engine: &Engine, number: u8) -> Client {
    let mut client = engine.client();
    let id = format!("00000000-0000-7000-8000-0000000000{number:02x}");
    client.context.actor = format!("user:{id}");
    client.context.user = Some(id);
    client.context.actor_name = format!("User {number}");
    client
}

/// A user without the right to manage what others made.
pub fn plain(engine: &Engine, number: u8) -> Client {
    let mut client = user(engine, number);
    client.context.permissions.remove("automation:scripts:manage");
    client
}

pub fn ok(response: TestResponse) -> Value {
    assert!(response.status < 300, "{}: {}", response.status, response.text());
    response.json()
}

#[track_caller]
pub fn refused(response: &TestResponse, status: u16, code: &str) {
    let found = (response.status, response.code().unwrap_or_default());
    assert_eq!(found, (status, code.to_owned()), "{}", response.text());
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Make a script with these fields of its first version.
pub async fn script(client: &Client, version: Value) -> Value {
    let mut first = json!({ "content": "echo hello\n", "interpreter": "bash" });
    first.as_object_mut().unwrap().extend(version.as_object().unwrap().clone());
    ok(client.post("/scripts", &json!({ "name": "Greeter", "tags": ["Demo"], "version": first })).await)
}

/// Run a script on a selector.
pub async fn run(client: &Client, script: &Value, more: Value) -> Value {
    let mut body = json!({ "selector": "tag:web" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(client.post(&format!("/scripts/{}/runs", id(script)), &body).await)
}

/// A result as the agent half gives it.
pub fn result(exit_code: i32, output: &str) -> Value {
    let error = (exit_code != 0).then(|| json!({ "code": "exit_code", "message": "It ended badly." }));
    let mut value = json!({
        "exit_code": exit_code, "duration_ms": 12, "stdout_bytes": output.len(), "stderr_bytes": 0,
        "stdout_sha256": format!("sha of {output}"), "stderr_sha256": "empty",
    });
    if let Some(error) = error {
        value["error"] = error;
    }
    value
}

/// Tasks of the newest operation by the name of their machine.
pub fn task_on(engine: &Engine, name: &str) -> String {
    let (operation, _) = engine.host().operations().pop().unwrap();
    let task = engine.host().tasks(&operation).into_iter().find(|t| t.machine_id == machine(name));
    task.unwrap().id
}
