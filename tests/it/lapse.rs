//! A licence that goes and comes back: locked, read-only, restored, and not a row lost.

use anyhow::{Context, Result, ensure};
use chrono::{Duration, Utc};
use e2e::{agent::Agent, tokens};
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Fleet, expect, script};

const SCRIPTS: &str = "/engines/automation/scripts";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapsed_licence_leaves_reading_and_export_and_a_renewal_restores_all() -> Result<()> {
    let fleet = Fleet::licensed(&["automation"]).await?;
    fleet.drop_in("automation").await?;
    let made = fleet.admin.post(SCRIPTS, &script("kept", "true")).await?;
    let id = made["id"].as_str().context("id")?.to_owned();

    fleet.license(&tokens::lapsed(&fleet.claims)).await?;
    fleet.host.engine_state("automation", "read_only").await?;
    ensure!(fleet.admin.get(SCRIPTS).await?["items"][0]["id"] == *id, "reading goes on");
    ensure!(
        fleet.admin.get("/engines/automation/export/scripts").await?.to_string().contains("kept"),
        "export goes on"
    );
    let refused = fleet.admin.try_post(SCRIPTS, &script("more", "true")).await?;
    expect(&refused, 402, "license_required")?;
    ensure!(refused.body["reason"] == "expired" && refused.body["engine"] == "automation", "{refused:?}");

    fleet.license(&tokens::renewed(&fleet.claims, Utc::now() + Duration::days(30))).await?;
    fleet.host.engine_state("automation", "active").await?;
    fleet.admin.post(SCRIPTS, &script("more", "true")).await?;
    let page = fleet.admin.get(SCRIPTS).await?;
    ensure!(page["items"].as_array().is_some_and(|items| items.len() == 2), "no row lost: {page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removing_the_licence_locks_the_engine_and_says_why() -> Result<()> {
    let fleet = Fleet::licensed(&["automation"]).await?;
    fleet.drop_in("automation").await?;
    fleet.admin.post(SCRIPTS, &script("kept", "true")).await?;
    let removed = fleet.admin.send(fleet.admin.request(Method::DELETE, "/license")).await?;
    ensure!(removed.status.is_success(), "{removed:?}");
    let engine = fleet.host.engine_state("automation", "unlicensed").await?;
    ensure!(engine["reason"] == "no_license" || engine.to_string().contains("no_license"), "{engine}");
    let refused = fleet.admin.try_get(SCRIPTS).await?;
    expect(&refused, 402, "license_required")?;
    ensure!(!refused.body["unlocks"].is_null(), "it says what would unlock it: {refused:?}");
    fleet.license(&fleet.claims).await?;
    fleet.host.engine_state("automation", "active").await?;
    let page = fleet.admin.get(SCRIPTS).await?;
    ensure!(page["items"].as_array().is_some_and(|items| items.len() == 1), "no row lost: {page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_over_the_licence_limit_are_not_approved() -> Result<()> {
    let fleet = Fleet::licensed(&["automation"]).await?;
    let tight = licenses::Claims { hosts: Some(1), iat: tokens::edition(), ..fleet.claims.clone() };
    fleet.license(&tight).await?;
    Agent::start(&fleet.host, &fleet.folder.path().join("one"), "one").await?;
    let token = fleet.host.enrolment_token(&json!({ "name": "second" })).await?;
    let folder = fleet.folder.path().join("two");
    std::fs::create_dir_all(&folder)?;
    let waiting = e2e::agent::enroll(&fleet.host, &folder, "two", &token);
    let refused = async {
        let id = fleet.pending_machine().await?;
        let answer = fleet.admin.try_post(&format!("/machines/{id}/approve"), &json!({})).await?;
        expect(&answer, 402, "machine_limit_reached")?;
        fleet
            .license(&licenses::Claims { hosts: Some(2), iat: tokens::edition(), ..fleet.claims.clone() })
            .await?;
        fleet.admin.post(&format!("/machines/{id}/approve"), &json!({})).await
    };
    let (enrolled, answer) = tokio::join!(waiting, refused);
    answer?;
    enrolled
}
