//! What must be true of a package before customers see it; every refusal says what to do.

use std::path::{Path, PathBuf};

use license_issuer::{Credential, development};
use plugin_runtime::{ConformanceReport, Package, Policy, Side};
use portal::{
    ctx::Ctx,
    problem::SliceError as _,
    releases::{Channel, Published, ReleaseError},
};
use serde_json::json;
use trust::{Kind, SignedDocument, TrustStore};

use crate::portal::{TARGET, TestPortal};

/// A report of a package, changed and signed as told, beside it.
fn report(
    portal: &TestPortal,
    package: &Path,
    signer: &Credential,
    change: impl FnOnce(&mut ConformanceReport),
) -> PathBuf {
    let store = TrustStore::built_in();
    let read = Package::verify_file(package, &Policy::new(&store, portal.now(), Side::Tool)).unwrap();
    let mut report = ConformanceReport {
        format: ConformanceReport::FORMAT,
        engine: read.manifest().id.clone(),
        version: read.manifest().version.clone(),
        manifest: ConformanceReport::manifest_of(&read),
        api: semver::Version::new(0, 1, 0),
        checks: vec!["Everything.".into()],
        wrong: Vec::new(),
        at: portal.now(),
    };
    change(&mut report);
    let payload = report.payload().unwrap();
    let signature = signer.signer().sign_document(Kind::Conformance, &payload).unwrap();
    let signed = SignedDocument { payload, signature };
    let file = package.with_extension("conformance.json");
    std::fs::write(&file, ConformanceReport::compose(signer.chain(), &signed).unwrap()).unwrap();
    file
}

async fn strict() -> TestPortal {
    TestPortal::start_with(|config| config.releases.needs_report = true).await
}

async fn publish(
    portal: &TestPortal,
    file: &Path,
    channel: Channel,
    report: Option<&Path>,
) -> Result<Published, ReleaseError> {
    portal.portal.app.releases.publish(&Ctx::operator(), file, channel, report).await
}

#[track_caller]
fn refused(outcome: Result<Published, ReleaseError>, code: &str, says: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn stable_needs_a_report_and_beta_does_not() {
    let portal = strict().await;
    let staff = portal.staff("vera").await;
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], b"library");
    let alone = publish(&portal, &file, Channel::Stable, None).await;
    refused(alone, "report_missing", "cargo xtask engine conformance pro");
    refused(publish(&portal, &file, Channel::Lts, None).await, "report_missing", "`lts`");
    assert!(publish(&portal, &file, Channel::Beta, None).await.unwrap().new);
    let version = "/api/v1/vendor/releases/pro/1.0.0";
    let to_stable =
        async || portal.call(reqwest::Method::PATCH, version, &staff, json!({"channel": "stable"})).await;
    to_stable().await.problem(409, "report_missing");
    // The report comes later; the package is the same.
    let good = report(&portal, &file, &development::publisher_signer(), |_| {});
    assert!(publish(&portal, &file, Channel::Beta, Some(&good)).await.unwrap().new);
    assert!(!publish(&portal, &file, Channel::Beta, Some(&good)).await.unwrap().new);
    assert_eq!(to_stable().await.status, 204);
    let listed = portal.get("/api/v1/engines/pro/releases", "").await;
    assert_eq!(listed.body["items"][0]["conformance"]["checks"][0], "Everything.");
    assert!(portal.get("/engines/pro", "").await.text.contains("with a conformance report"));
}

#[tokio::test]
async fn a_report_of_another_build_or_of_somebody_else_is_refused() {
    let portal = strict().await;
    let ours = development::publisher_signer();
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], b"library");
    let other = portal.package("pro", "1.0.0", "professional", &[TARGET], b"another library");
    let stable = async |report: &Path| publish(&portal, &file, Channel::Stable, Some(report)).await;
    refused(
        stable(&report(&portal, &other, &ours, |_| {})).await,
        "report_refused",
        "make one for this package",
    );
    let failed = report(&portal, &file, &ours, |r| r.wrong.push("GET /x answers 500".into()));
    refused(stable(&failed).await, "report_refused", "GET /x answers 500");
    let later = report(&portal, &file, &ours, |r| r.format = 2);
    refused(stable(&later).await, "report_refused", "format 2");
    for stranger in [development::stranger_publisher_signer(), development::license_signer()] {
        refused(stable(&report(&portal, &file, &stranger, |_| {})).await, "report_refused", "not believed");
    }
    let good = report(&portal, &file, &ours, |_| {});
    let text = std::fs::read_to_string(&good).unwrap();
    for odd in [text.replacen("eyJ2", "eyJ3", 1), "{}".into(), "x".repeat(300_000)] {
        std::fs::write(&good, odd).unwrap();
        assert!(stable(&good).await.is_err());
    }
    std::fs::write(&good, text).unwrap();
    assert!(stable(&good).await.unwrap().new);
}

#[tokio::test]
async fn targets_are_those_of_the_matrix_and_the_required_one_is_there() {
    let portal = TestPortal::start().await;
    let odd = portal.package("pro", "1.0.0", "professional", &[TARGET, "sparc-sun-solaris"], b"library");
    refused(publish(&portal, &odd, Channel::Beta, None).await, "invalid", "releases.targets");
    let arm = portal.package("pro", "1.0.0", "professional", &["aarch64-unknown-linux-gnu"], b"library");
    refused(publish(&portal, &arm, Channel::Stable, None).await, "target_missing", "to channel `beta`");
    assert!(publish(&portal, &arm, Channel::Beta, None).await.unwrap().new);
    let intel = portal.package("pro", "1.0.0", "professional", &[TARGET], b"library");
    assert!(publish(&portal, &intel, Channel::Beta, None).await.unwrap().new);
    let version = "1.0.0".parse().unwrap();
    portal.portal.app.releases.set_channel(&Ctx::operator(), "pro", &version, Channel::Stable).await.unwrap();
}
