//! The typed clients.

use plugin_api::Capability;
use plugin_sdk::{CallContext, EngineResult, Host, payloads::fetch::FetchRequest};
use plugin_testing::{FakeHost, TestEngine};
use serde_json::{Value, json};

use crate::probe::Probe;

/// What the probe does when it is called.
pub async fn run(host: &Host, method: &str) -> EngineResult<Value> {
    let ctx = CallContext::default();
    Ok(match method {
        "secret" => json!(host.secrets().resolve(&ctx, "db").await?.value),
        "files" => {
            host.files().put("a/b.bin", &[0, 255]).await?;
            let list = host.files().list("a/").await?;
            let content = host.files().get("a/b.bin").await?;
            host.files().delete("a/b.bin").await?;
            json!([list, content])
        }
        "settings" => {
            host.settings().set(&ctx, "depth", json!(5)).await?;
            json!(host.settings().all().await?)
        }
        "fetch" => {
            let request = FetchRequest { url: "https://api.example.org/x".into(), ..Default::default() };
            json!(host.http().fetch(&request).await?.status)
        }
        "elsewhere" => {
            let request = FetchRequest { url: "https://api.example.org.evil/x".into(), ..Default::default() };
            json!(host.http().fetch(&request).await?.status)
        }
        "machines" => json!(host.machines().select_all(&ctx, "tag:web not os:windows", 10).await?.len()),
        "engine" => host.engines().call("secrets_engine", "list", json!({})).await?,
        _ => json!(host.audit().record(&Default::default()).await?),
    })
}

async fn call(engine: &TestEngine<Probe>, method: &str) -> Result<Value, String> {
    engine.engine_call("tests", method, Value::Null).await.map_err(|e| e.code)
}

#[tokio::test]
async fn each_client_reaches_its_service() {
    let engine = TestEngine::<Probe>::builder()
        .secret("db", "s3cret")
        .debian("web-1", &["web"])
        .debian("db-1", &["db"])
        .start()
        .await;
    engine.host().reply("https://api.example.org/x", 204, "");
    engine.host().engine_reply("secrets_engine", "list", json!(["db"]));
    assert_eq!(call(&engine, "secret").await, Ok(json!("s3cret")));
    assert_eq!(call(&engine, "files").await, Ok(json!([[["a/b.bin", 2]], [0, 255]])));
    assert_eq!(call(&engine, "settings").await, Ok(json!({ "depth": 5 })));
    assert_eq!(call(&engine, "fetch").await, Ok(json!(204)));
    assert_eq!(call(&engine, "elsewhere").await, Err("origin_refused".into()));
    assert_eq!(call(&engine, "machines").await, Ok(json!(1)));
    assert_eq!(call(&engine, "engine").await, Ok(json!(["db"])));
    assert_eq!(engine.host().secret_reads(), ["db"]);
    assert_ne!(FakeHost::machine_id("web-1"), FakeHost::machine_id("web-2"));
}

#[tokio::test]
async fn what_is_not_granted_is_not_there() {
    let engine = TestEngine::<Probe>::builder().without(Capability::Secrets).start().await;
    assert_eq!(call(&engine, "secret").await, Err("not_granted".into()));
    assert_eq!(call(&engine, "audit").await, Err("not_granted".into()), "the manifest does not ask for it");
}
