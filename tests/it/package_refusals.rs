//! Every way a package can be wrong: refused by API, command line and drop-in folder, with the reason in each and in the
//! log, while the host serves on.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::Utc;
use e2e::{packages, wait};
use license_issuer::{CertificateRequest, Credential, FileSigner, Signer, development, generate_key};
use plugin_packager::{Draft, SealedPackage};
use trust::{
    KilledEngine, Namespace, RevocationBody, RevokedCertificate, SignatureEntry, SignatureSet, Usage,
};

use crate::{
    archives::{Parts, bomb, example, with_raw_path},
    fixture::{Fleet, expect},
};

/// A name, the bytes, and the reason a host must give.
type Case = (&'static str, Vec<u8>, &'static str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_package_is_refused_with_its_reason_everywhere() -> Result<()> {
    let fleet = Fleet::licensed(&["example"]).await?;
    let cases = cases()?;
    for (name, bytes, reason) in &cases {
        let answer = fleet.upload(bytes.clone()).await?;
        ensure!(
            answer.status.as_u16() == 422 && answer.body["reason"] == *reason,
            "{name}: API said {answer:?}"
        );
        let file = fleet.folder.path().join("bad.engine");
        std::fs::write(&file, bytes)?;
        let (good, out, err) = fleet.host.cli(&["engine", "install", &file.to_string_lossy()])?;
        ensure!(!good && err.contains(reason), "{name}: the command line said {out}{err}");
    }
    for (name, bytes, reason) in &cases {
        dropped_in(&fleet, name, bytes, reason).await?;
    }
    let log = fleet.host.process.tail(usize::MAX);
    for (name, _, reason) in &cases {
        ensure!(log.contains(reason), "{name}: {reason} is not in the log");
    }
    fleet.still_serves().await?;
    fleet.drop_in("example").await?;
    Ok(())
}

async fn dropped_in(fleet: &Fleet, name: &str, bytes: &[u8], reason: &str) -> Result<()> {
    let folder = fleet.host.settings.data.join("engines");
    let file = format!("{}.engine", name.replace(' ', "-"));
    std::fs::write(folder.join(&file), bytes)?;
    wait::until(&format!("{file} to be listed as refused"), Duration::from_secs(30), || async {
        let list = fleet.admin.get("/engines").await?;
        let refused = list["refused"].as_array().context("refused")?;
        let found = refused.iter().find(|r| r["file"].as_str().is_some_and(|f| f.ends_with(&file)));
        match found {
            Some(entry) if entry["code"] == reason => Ok(Some(())),
            other => bail!("{name}: {other:?}"),
        }
    })
    .await
}

fn cases() -> Result<Vec<Case>> {
    let good = example()?;
    let whole = packages::signed(&good)?;
    let parts = || Parts::of(&good);
    let mut cases = vec![
        ("flipped library", parts()?.flip(".so").pack()?, "digest_mismatch"),
        ("flipped manifest", parts()?.flip("plugin.toml").pack()?, "bad_signature"),
        ("flipped extra file", parts()?.flip("CHANGELOG.md").pack()?, "digest_mismatch"),
        ("extra file", parts()?.add("extra.txt", b"more").pack()?, "extra_file"),
        ("missing file", parts()?.without("LICENSE").pack()?, "missing_file"),
        ("no signature", parts()?.sign(b"{}".to_vec()).pack()?, "bad_signature"),
        ("truncated", whole[..whole.len() / 2].to_vec(), "truncated"),
        ("bomb", bomb(3 << 30)?, "too_large"),
        ("traversal", with_raw_path("../../etc/passwd")?, "unsafe_path"),
        ("absolute", with_raw_path("/etc/passwd")?, "unsafe_path"),
        (
            "unknown root",
            packages::signed_by(&good, &development::stranger_publisher_signer())?,
            "unknown_root",
        ),
        (
            "foreign namespace",
            packages::signed_by(&good, &publisher("acme_*", -30, 30)?)?,
            "foreign_namespace",
        ),
        (
            "expired certificate",
            packages::signed_by(&good, &publisher("*", -60, -30)?)?,
            "expired_certificate",
        ),
        ("licence key", packages::signed_by(&good, &development::license_signer())?, "wrong_usage"),
    ];
    cases.push(("wrong key", parts()?.sign(signed_by_another(&good)?).pack()?, "wrong_key"));
    cases.push((
        "wrong target",
        packages::signed(&changed(&good, "riscv64gc-unknown-linux-musl", |_| ())?)?,
        "wrong_target",
    ));
    let target = good.manifest().targets[0].clone();
    let api = changed(&good, &target, |d| d.manifest_mut().api = "^9".parse().unwrap_or_default())?;
    cases.push(("wrong API", packages::signed(&api)?, "wrong_api_version"));
    Ok(cases)
}

/// A publisher's key certified by the first development root, from and until so many days from now.
fn publisher(engines: &str, from: i64, until: i64) -> Result<Credential> {
    let key = FileSigner::parse(generate_key()?.as_bytes())?;
    let request = CertificateRequest {
        subject: "sysmanage".into(),
        key: key.public_key(),
        usage: Usage::Publisher,
        issues: vec![],
        engines: Namespace::new([engines])?,
        not_before: Utc::now() + chrono::Duration::days(from),
        not_after: Utc::now() + chrono::Duration::days(until),
    };
    let certificate = license_issuer::issue_certificate(&development::root_signer(), request)?;
    Ok(Credential::new(key, [certificate])?)
}

/// The publisher's certificate beside a signature by another key.
fn signed_by_another(package: &SealedPackage) -> Result<Vec<u8>> {
    let publisher = development::publisher_signer();
    let other = development::license_signer();
    let signature = other.signer().sign_document(trust::Kind::Manifest, package.manifest_toml())?;
    let entry = SignatureEntry { chain: publisher.chain().clone(), key: other.key_id(), signature };
    Ok(SignatureSet::new(vec![entry]).to_bytes())
}

/// The same files under a changed manifest, the library for `target`.
fn changed(package: &SealedPackage, target: &str, change: impl FnOnce(&mut Draft)) -> Result<SealedPackage> {
    let mut draft = Draft::new(std::str::from_utf8(package.manifest_toml())?, Utc::now())?;
    for (path, content) in package.files() {
        match path.starts_with("lib/") {
            true => draft.library(target, content.to_vec()),
            false => draft.file(path, content.to_vec()),
        }
    }
    change(&mut draft);
    Ok(draft.seal()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_a_killed_version_and_a_downgrade_are_refused() -> Result<()> {
    let fleet = Fleet::licensed(&["example"]).await?;
    let package = example()?;
    let revoked = publisher("*", -1, 30)?;
    fleet
        .revoke(1, |body| {
            let key = Some(revoked.key_id());
            body.certificates.push(RevokedCertificate { serial: None, key, reason: "stolen".into() });
        })
        .await?;
    let answer = fleet.upload(packages::signed_by(&package, &revoked)?).await?;
    ensure!(answer.body["reason"] == "revoked_certificate", "{answer:?}");

    let next = e2e::packages::bumped(&package)?;
    let installed = fleet.upload(packages::signed(&next)?).await?;
    ensure!(installed.status == 201, "{installed:?}");
    fleet.host.engine_state("example", "active").await?;
    expect(&fleet.upload(packages::signed(&package)?).await?, 409, "downgrade")?;

    fleet
        .revoke(2, |body| {
            let versions = format!("={}", next.manifest().version).parse().unwrap_or_default();
            body.engines.push(KilledEngine {
                engine: "example".into(),
                versions,
                reason: "eats data".into(),
            });
        })
        .await?;
    let stopped = fleet.host.engine_state("example", "refused").await?;
    ensure!(stopped.to_string().contains("version_killed"), "{stopped}");
    expect(&fleet.admin.try_get("/engines/example/notes").await?, 503, "engine_unavailable")?;
    fleet.still_serves().await
}

impl Fleet {
    /// Apply a signed revocation list.
    async fn revoke(&self, sequence: u64, fill: impl FnOnce(&mut RevocationBody)) -> Result<()> {
        let mut body = RevocationBody::empty(sequence, Utc::now());
        fill(&mut body);
        let list = development::revocation_signer().issue_revocations(&body)?;
        let request = self.admin.request(reqwest::Method::PUT, "/revocations").body(list);
        let answer = self.admin.send(request).await?;
        ensure!(answer.status.is_success(), "{answer:?}");
        Ok(())
    }
}
