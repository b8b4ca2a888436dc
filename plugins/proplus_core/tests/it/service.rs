//! Notices, machines, lapse, renewal.

use chrono::{DateTime, TimeDelta, Utc};
use plugin_testing::{
    TestEngine, TestLicense,
    payloads::{
        events::Event,
        licenses::{EngineFacts, LicenseFacts, LicenseReport, MachineUse, NextChange},
    },
};
use proplus_core::ProplusCore;
use serde_json::{Value, json};

fn report(ends: DateTime<Utc>, state: &str) -> LicenseReport {
    LicenseReport {
        instance: "i1".into(),
        licenses: vec![LicenseFacts {
            id: "L-1".into(),
            engines: vec!["automation *".into()],
            expires_at: Some(ends),
            ..Default::default()
        }],
        engines: vec![EngineFacts {
            id: "automation".into(),
            name: "Automation".into(),
            version: "0.1.0".into(),
            state: state.into(),
            code: state.into(),
            commands: vec!["Runs a script".into()],
            next_change: (state == "granted").then(|| NextChange {
                at: Some(ends),
                state: "read_only".into(),
                code: "expired".into(),
            }),
            ..Default::default()
        }],
        machines: MachineUse { approved: 7, limit: Some(10) },
        ..Default::default()
    }
}

async fn licensed_for(days: i64) -> TestEngine<ProplusCore> {
    let engine = TestEngine::<ProplusCore>::start().await;
    let ends = Utc::now() + TimeDelta::days(days);
    engine.host().set_license_report(DateTime::UNIX_EPOCH, report(ends, "granted"));
    engine.host().set_license_report(ends, report(ends, "read_only"));
    engine
}

async fn look(engine: &TestEngine<ProplusCore>) {
    engine.job("watch", Value::Null).await.unwrap();
}

#[tokio::test]
async fn each_notice_is_sent_once_and_a_renewal_starts_anew() {
    let engine = licensed_for(20).await;
    look(&engine).await;
    look(&engine).await;
    let sent = engine.host().notifications();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].title.contains("L-1") && sent[0].title.contains("20 days"), "{}", sent[0].title);
    engine
        .host()
        .set_license_report(DateTime::UNIX_EPOCH, report(Utc::now() + TimeDelta::days(5), "granted"));
    look(&engine).await;
    look(&engine).await;
    let sent = engine.host().notifications();
    assert_eq!((sent.len(), sent[1].severity.as_str()), (2, "critical"));
    assert_eq!(engine.client().get("/notices").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn machines_are_counted_against_the_limit() {
    let engine = licensed_for(300).await;
    engine.event(&Event { topic: "machine.approved".into(), ..Event::default() }).await.unwrap();
    let days = engine.client().get("/usage").await.json();
    assert_eq!((days["items"][0]["peak"].as_i64(), days["items"][0]["limit"].as_i64()), (Some(7), Some(10)));
    let overview = engine.client().get("/overview").await.json();
    assert_eq!(overview["licenses"][0]["standing"], "active");
    assert_eq!((overview["machines"].as_i64(), overview["machine_limit"].as_i64()), (Some(7), Some(10)));
    assert!(engine.host().notifications().is_empty());
}

#[tokio::test]
async fn a_lapse_says_what_stops_and_when() {
    let engine = licensed_for(20).await;
    let at = |days| (Utc::now() + TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let before = engine.client().get(&format!("/lapse?at={}", at(10))).await.json();
    assert_eq!(before["sentence"], "Nothing stops until then.");
    let after = engine.client().get(&format!("/lapse?at={}", at(30))).await.json();
    assert_eq!(after["engines"][0]["then"], "read_only");
    assert!(after["engines"][0]["stops"].as_array().unwrap().contains(&json!("On machines: Runs a script")));
    assert_eq!(after["timeline"][0]["state"], "read_only");
}

#[tokio::test]
async fn a_change_of_an_entitlement_is_an_entry() {
    let engine = licensed_for(20).await;
    look(&engine).await;
    look(&engine).await;
    engine
        .host()
        .set_license_report(DateTime::UNIX_EPOCH, report(Utc::now() - TimeDelta::days(1), "read_only"));
    look(&engine).await;
    let page = engine.client().get("/ledger").await.json();
    let of = |e: &Value| e["kind"] == "entitlement.changed";
    assert_eq!(page["items"].as_array().unwrap().iter().filter(|e| of(e)).count(), 2);
}

#[tokio::test]
async fn a_renewal_is_requested_and_only_its_own_answer_is_taken_in() {
    let engine = licensed_for(20).await;
    // A customer whose licence has lapsed is who needs it most.
    engine.set_license(TestLicense::Lapsed).await.unwrap();
    let made = engine.client().post("/renewals", &json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let file: Value = serde_json::from_str(made["file"].as_str().unwrap()).unwrap();
    assert_eq!(file["digest"], made["digest"]);
    assert_eq!(file["proof"]["nonce"], made["digest"]);
    let uri = format!("/renewals/{}/response", made["id"].as_str().unwrap());
    let wrong = json!({"format": "sysmanage-renewal-response/1", "request": "0", "license": "t"});
    assert_eq!(engine.client().post(&uri, &wrong).await.code().unwrap(), "response_refused");
    let right = json!({"format": "sysmanage-renewal-response/1", "request": made["digest"], "license": "t"});
    assert_eq!(engine.client().post(&uri, &right).await.json()["license"], "t");
    let actions = ["proplus_core.renewal.requested", "proplus_core.renewal.answered"];
    assert_eq!(engine.host().audit_actions(), actions);
    let reader = engine.client_with(&["proplus_core:license:read"]);
    assert_eq!(reader.post("/renewals", &json!({})).await.status, 403);
}
