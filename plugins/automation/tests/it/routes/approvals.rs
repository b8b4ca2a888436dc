//! Approvals: by another person, of exactly what they saw.

use plugin_sdk::sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::world::{Engine, fleet, id, ok, plain, refused, run, script, user};

async fn asked(engine: &Engine) -> (Value, Value) {
    let client = plain(engine, 1);
    let made = script(&client, json!({ "privileged": true })).await;
    let run = run(&client, &made, json!({ "justification": "the disk is full" })).await;
    assert_eq!(run["state"], "awaiting_approval");
    assert!(engine.host().operations().is_empty(), "nothing runs before somebody approved it");
    let approval = ok(client.get(&format!("/approvals/{}", run["approval_id"].as_str().unwrap())).await);
    (run, approval)
}

fn yes(approval: &Value) -> Value {
    json!({ "binding": approval["binding"], "reason": "looks right" })
}

#[tokio::test]
async fn a_privileged_script_runs_when_another_person_approved_it() {
    let engine = fleet().start().await;
    let (run, approval) = asked(&engine).await;
    let path = format!("/approvals/{}", id(&approval));
    let approver = plain(&engine, 2);
    let seen = ok(approver.get(&path).await);
    assert_eq!(seen["version"]["content"], "echo hello\n", "an approver sees the text");
    assert_eq!(seen["justification"], "the disk is full");
    let done = ok(approver.post(&format!("{path}/approve"), &yes(&approval)).await);
    assert_eq!((&done["state"], &done["run"]["state"]), (&json!("used"), &json!("queued")));
    assert_eq!(engine.host().operations().len(), 1);
    refused(&approver.post(&format!("{path}/approve"), &yes(&approval)).await, 409, "approval_decided");
    let actions = engine.host().audit_actions();
    for action in ["approval.requested", "approval.approved", "run.created", "run.started"] {
        assert!(actions.contains(&format!("automation.{action}")), "{action} in {actions:?}");
    }
    let owner = plain(&engine, 1);
    assert_eq!(ok(owner.get(&format!("/runs/{}", id(&run))).await)["state"], "queued");
}

#[tokio::test]
async fn nobody_approves_their_own_run_not_even_with_a_token() {
    let engine = fleet().start().await;
    let (_, approval) = asked(&engine).await;
    let path = format!("/approvals/{}/approve", id(&approval));
    refused(&plain(&engine, 1).post(&path, &yes(&approval)).await, 403, "self_approval");
    let mut token = plain(&engine, 1);
    token.context.actor = "token:00000000-0000-7000-8000-0000000000aa".into();
    refused(&token.post(&path, &yes(&approval)).await, 403, "self_approval");
    token.context.user = None;
    refused(&token.post(&path, &yes(&approval)).await, 403, "approver_unknown");
    let mut powerless = plain(&engine, 2);
    powerless.context.permissions.remove("automation:runs:approve");
    refused(&powerless.post(&path, &yes(&approval)).await, 403, "permission_denied");
    assert!(engine.host().operations().is_empty());
}

#[tokio::test]
async fn an_approver_signs_what_they_saw_and_reaches_every_target() {
    let engine = fleet().start().await;
    let (_, approval) = asked(&engine).await;
    let path = format!("/approvals/{}/approve", id(&approval));
    let approver = plain(&engine, 2);
    let other = json!({ "binding": "0".repeat(64) });
    refused(&approver.post(&path, &other).await, 409, "approval_changed");
    let narrow = approver.clone().with_scope("name:web-1");
    refused(&narrow.post(&path, &yes(&approval)).await, 403, "targets_out_of_reach");
    assert_eq!(approver.with_scope("tag:web").post(&path, &yes(&approval)).await.status, 200);
}

#[tokio::test]
async fn whatever_changed_after_the_approval_was_asked_for_stops_the_run() {
    for change in [
        "UPDATE automation_script_versions SET content = 'reboot'",
        "UPDATE automation_script_versions SET run_as = 'root'",
        "UPDATE automation_script_versions SET fingerprint = 'x'",
        "UPDATE automation_runs SET parameters = '{\"a\":{\"plain\":\"b\"}}'",
        "UPDATE automation_runs SET timeout_s = 86400",
        "UPDATE automation_runs SET concurrency = 1",
        "DELETE FROM automation_run_targets WHERE machine_name = 'web-1'",
    ] {
        let engine = fleet().start().await;
        let (run, approval) = asked(&engine).await;
        engine.db().execute_unprepared(change).await.unwrap();
        let approver = user(&engine, 2);
        ok(approver.post(&format!("/approvals/{}/approve", id(&approval)), &yes(&approval)).await);
        let shown = ok(approver.get(&format!("/runs/{}", id(&run))).await);
        assert_eq!(shown["state"], "refused", "{change}");
        assert!(engine.host().operations().is_empty(), "{change}");
        let shown = ok(approver.get(&format!("/approvals/{}", id(&approval))).await);
        assert_eq!(shown["state"], "invalid", "{change}");
        assert!(engine.host().audit_actions().contains(&"automation.run.refused".into()));
    }
}

#[tokio::test]
async fn a_rejection_says_why_and_ends_the_run() {
    let engine = fleet().start().await;
    let (run, approval) = asked(&engine).await;
    let approver = plain(&engine, 2);
    let path = format!("/approvals/{}/reject", id(&approval));
    refused(&approver.post(&path, &json!({ "reason": " " })).await, 422, "invalid_field");
    ok(approver.post(&path, &json!({ "reason": "not on a Friday" })).await);
    let shown = ok(user(&engine, 3).get(&format!("/runs/{}", id(&run))).await);
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("rejected"), &json!("not on a Friday")));
    assert_eq!(shown["counts"]["cancelled"], 2);
}

#[tokio::test]
async fn an_approval_nobody_gives_lapses_with_its_run() {
    let engine = fleet().start().await;
    let (run, approval) = asked(&engine).await;
    engine.db().execute_unprepared("UPDATE automation_approvals SET expires_at = created_at").await.unwrap();
    engine.job("tick", json!(null)).await.unwrap();
    let approver = user(&engine, 2);
    assert_eq!(ok(approver.get(&format!("/runs/{}", id(&run))).await)["state"], "expired");
    let path = format!("/approvals/{}/approve", id(&approval));
    refused(&approver.post(&path, &yes(&approval)).await, 409, "approval_decided");
}

#[tokio::test]
async fn a_retry_of_an_approved_run_needs_its_own_approval() {
    let engine = fleet().start().await;
    let (run, approval) = asked(&engine).await;
    let path = format!("/approvals/{}/approve", id(&approval));
    ok(plain(&engine, 2).post(&path, &yes(&approval)).await);
    let owner = plain(&engine, 1);
    ok(owner.post(&format!("/runs/{}/cancel", id(&run)), &json!({})).await);
    let again = ok(owner.post(&format!("/runs/{}/retry", id(&run)), &json!({})).await);
    assert_eq!(again["state"], "awaiting_approval");
    assert_ne!(again["approval_id"], approval["id"]);
}

#[tokio::test]
async fn an_approved_run_waits_for_its_window() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({ "privileged": true })).await;
    let (start, end) =
        (chrono::Utc::now() + chrono::TimeDelta::hours(1), chrono::Utc::now() + chrono::TimeDelta::hours(2));
    let window = json!({ "not_before": start, "not_after": end });
    let run = run(&client, &made, json!({ "window": window })).await;
    let approval = ok(client.get(&format!("/approvals/{}", run["approval_id"].as_str().unwrap())).await);
    ok(plain(&engine, 2).post(&format!("/approvals/{}/approve", id(&approval)), &yes(&approval)).await);
    let path = format!("/runs/{}", id(&run));
    assert_eq!(ok(client.get(&path).await)["state"], "waiting");
    let timer = engine.host().jobs().into_iter().find(|j| j.name == "start_run").unwrap();
    assert_eq!(timer.at.map(|t| t.timestamp_micros()), Some(start.timestamp_micros()));
    engine.db().execute_unprepared("UPDATE automation_runs SET not_after = created_at").await.unwrap();
    engine.job("start_run", timer.payload).await.unwrap();
    assert_eq!(ok(client.get(&path).await)["state"], "expired", "a window that closed stays closed");
}

#[tokio::test]
async fn an_administrator_may_ask_for_approval_of_everything() {
    let engine = fleet().setting("require_approval", true).start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let asked = run(&client, &made, json!({})).await;
    assert_eq!(asked["state"], "awaiting_approval");
    assert_eq!(
        ok(client.post(&format!("/runs/{}/cancel", id(&asked)), &json!({})).await)["state"],
        "cancelled"
    );
    let approvals = ok(client.get("/approvals?state=withdrawn").await);
    assert_eq!(approvals["items"][0]["run_id"], asked["id"]);
}
