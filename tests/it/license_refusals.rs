//! Licences that do not fit: refused or locked, each with its reason, in the API, on the command line and in the log.

use anyhow::{Result, bail, ensure};
use chrono::{Duration, Utc};
use e2e::{api::Answer, tokens};
use license_issuer::development;
use licenses::Claims;
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Fleet, expect};

const NOTES: &str = "/engines/example/notes";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_were_not_signed_for_us_are_refused_by_name() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let claims = tokens::claims(&["example"]);
    let good = tokens::sign(&claims)?;
    let mut flipped = good.clone().into_bytes();
    let at = flipped.len() - 20;
    flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
    let bound = Claims { instance: Some(development::license_signer().key_id()), ..claims.clone() };
    let cases = [
        ("publisher's key", tokens::sign_with(&development::publisher_signer(), &claims)?, "wrong_usage"),
        (
            "unknown root",
            tokens::sign_with(&development::stranger_publisher_signer(), &claims)?,
            "unknown_root",
        ),
        ("flipped byte", String::from_utf8(flipped)?, "bad_signature"),
        ("another instance", tokens::sign(&bound)?, "wrong_instance"),
        ("not a token", "hello".into(), "malformed"),
    ];
    for (name, token, code) in cases {
        let answer = install(&fleet, &token).await?;
        ensure!(answer.status.as_u16() == 422 && told(&answer, code), "{name}: {answer:?}");
        let file = fleet.folder.path().join("license.jws");
        std::fs::write(&file, &token)?;
        let (good, out, err) = fleet.host.cli(&["license", "install", &file.to_string_lossy()])?;
        ensure!(!good && err.contains(code), "{name}: the command line said {out}{err}");
    }
    install(&fleet, &good).await.map(|_| ())
}

/// The reason may be the code itself, or stand beside it.
fn told(answer: &Answer, code: &str) -> bool {
    answer.code() == code || answer.body["reason"] == code
}

async fn install(fleet: &Fleet, token: &str) -> Result<Answer> {
    fleet.admin.send(fleet.admin.request(Method::PUT, "/license").body(token.to_owned())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_licence_for_another_engine_or_version_locks_the_engine() -> Result<()> {
    let fleet = Fleet::licensed(&["automation"]).await?;
    let package = e2e::bins::package("example")?;
    ensure!(
        fleet.upload(std::fs::read(package)?).await?.status == 201,
        "a package without licence is stored"
    );
    locked(&fleet, "engine_not_included").await?;
    let other = Claims {
        engines: vec![tokens::grant("example", ">=9")],
        iat: tokens::edition(),
        ..fleet.claims.clone()
    };
    fleet.license(&other).await?;
    locked(&fleet, "version_not_included").await?;
    let early = Claims {
        engines: vec![tokens::grant("example", "*")],
        nbf: Utc::now() + Duration::days(2),
        ..other.clone()
    };
    fleet.license(&Claims { iat: tokens::edition(), ..early }).await?;
    locked(&fleet, "not_yet_valid").await?;
    let (_, out, err) = fleet.host.cli(&["license", "explain"])?;
    ensure!(
        out.contains("not_yet_valid") || out.contains("not yet"),
        "the command line explains: {out}{err}"
    );
    Ok(())
}

async fn locked(fleet: &Fleet, reason: &str) -> Result<()> {
    let engine = fleet.host.engine_state("example", "unlicensed").await?;
    ensure!(engine.to_string().contains(reason), "{engine}");
    let refused = fleet.admin.try_get(NOTES).await?;
    expect(&refused, 402, "license_required")?;
    if refused.body["reason"] != reason {
        bail!("{refused:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setting_the_clock_back_does_not_bring_a_lapsed_licence_back() -> Result<()> {
    let mut fleet = Fleet::licensed(&["example"]).await?;
    fleet.drop_in("example").await?;
    fleet.license(&tokens::lapsed(&fleet.claims)).await?;
    fleet.host.engine_state("example", "read_only").await?;
    fleet.host.settings.environment = vec![
        ("LD_PRELOAD".into(), "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1".into()),
        ("FAKETIME".into(), "-20d".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
    ];
    fleet.host.restart().await?;
    let local = fleet.host.local()?;
    let engine = fleet.host.engine_state("example", "read_only").await?;
    ensure!(engine.to_string().contains("clock_set_back"), "{engine}");
    let refused = local.try_post(NOTES, &json!({ "title": "more", "body": "" })).await?;
    expect(&refused, 402, "license_required")?;
    ensure!(local.try_get(NOTES).await?.status == 200, "reading goes on");
    Ok(())
}
