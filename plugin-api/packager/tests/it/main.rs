//! Tests of the packager; that hosts accept what it writes is tested by `plugin-runtime`.

#![allow(clippy::unwrap_used)]

use chrono::{TimeZone, Utc};
use plugin_packager::{Draft, PackError, SealedPackage, sbom};
use serde_json::{Value, json};

const TEMPLATE: &str = r#"
id = "packed"
name = "Packed"
description = "A package"
version = "1.0.0"
publisher = "Test"
tier = "free"
api = "*"
files = []
"#;

fn draft() -> Draft {
    Draft::new(TEMPLATE, Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap()).unwrap()
}

#[test]
fn sealing_fills_in_targets_files_and_time() {
    let mut draft = draft();
    draft.library("x86_64-unknown-linux-gnu", b"abc".to_vec());
    draft.library("aarch64-unknown-linux-gnu", b"abc".to_vec());
    draft.file("LICENSE", b"abc".to_vec());
    let package = draft.seal().unwrap();
    let manifest = package.manifest();
    assert_eq!(manifest.targets, ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"]);
    assert_eq!(manifest.built_at.to_rfc3339(), "2026-01-02T03:04:05+00:00");
    let paths: Vec<_> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    let libraries =
        ["lib/aarch64-unknown-linux-gnu/libpacked.so", "lib/x86_64-unknown-linux-gnu/libpacked.so"];
    assert_eq!(paths, [&["LICENSE"], &libraries[..]].concat());
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(manifest.files.iter().all(|f| f.size == 3 && f.sha256.to_string() == abc));
    assert_eq!(package.file_name(), "packed-1.0.0.engine");
}

#[test]
fn what_cannot_be_packed_is_refused() {
    assert!(matches!(draft().seal(), Err(PackError::Manifest(_))), "no target");
    let mut climbing = draft();
    climbing.library("x86_64-unknown-linux-gnu", Vec::new());
    climbing.file("../evil", Vec::new());
    assert!(matches!(climbing.seal(), Err(PackError::Manifest(_))));
    assert!(matches!(Draft::new("id = \"x\"", Utc::now()), Err(PackError::Manifest(_))));
    assert!(matches!(SealedPackage::read(&b"no archive"[..]), Err(PackError::Archive(_))));
}

#[test]
fn a_directory_is_added_with_its_tree() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("assets")).unwrap();
    std::fs::write(directory.path().join("index.js"), "1").unwrap();
    std::fs::write(directory.path().join("assets/a.css"), "2").unwrap();
    std::fs::write(directory.path().join(".hidden"), "3").unwrap();
    let mut draft = draft();
    draft.library("x86_64-unknown-linux-gnu", Vec::new());
    draft.directory("ui", directory.path()).unwrap();
    let package = draft.seal().unwrap();
    let files: Vec<_> = package.files().map(|(path, _)| path).filter(|p| p.starts_with("ui")).collect();
    assert_eq!(files, ["ui/assets/a.css", "ui/index.js"]);
}

#[test]
fn a_package_is_written_whole_under_its_name() {
    let mut draft = draft();
    draft.library("x86_64-unknown-linux-gnu", vec![1; 100_000]);
    let package = draft.seal().unwrap();
    let signatures = package.signed_by(&license_issuer::development::publisher_signer()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = package.write_into(directory.path(), &signatures).unwrap();
    assert_eq!(path.file_name().unwrap(), "packed-1.0.0.engine");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let read = SealedPackage::read(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(read.manifest(), package.manifest());
    assert_eq!(read.manifest_toml(), package.manifest_toml());
}

fn metadata() -> Value {
    let package = |name: &str, source: Value| {
        json!({ "id": format!("id-{name}"), "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0", "source": source,
                "manifest_path": format!("/home/somebody/{name}/Cargo.toml") })
    };
    let dep =
        |name: &str, kind: Value| json!({ "pkg": format!("id-{name}"), "dep_kinds": [{ "kind": kind }] });
    let registry = json!("registry");
    json!({
        "packages": [
            package("engine", Value::Null), package("linked", registry.clone()), package("below", registry.clone()),
            package("tests", registry.clone()), package("stranger", registry),
        ],
        "resolve": { "nodes": [
            { "id": "id-engine", "deps": [dep("linked", Value::Null), dep("tests", json!("dev"))] },
            { "id": "id-linked", "deps": [dep("below", Value::Null)] },
            { "id": "id-below", "deps": [] }, { "id": "id-tests", "deps": [] }, { "id": "id-stranger", "deps": [] },
        ] },
    })
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_nothing_of_the_builder() {
    let metadata = serde_json::to_vec(&metadata()).unwrap();
    let bytes = sbom(&metadata, "engine").unwrap();
    assert_eq!(bytes, sbom(&metadata, "engine").unwrap());
    assert!(!String::from_utf8_lossy(&bytes).contains("somebody"));
    let bom: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(bom["bomFormat"], "CycloneDX");
    assert_eq!(bom["metadata"]["component"]["purl"], "pkg:cargo/engine@1.0.0");
    let names: Vec<_> = bom["components"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["below", "linked"]);
    assert_eq!(bom["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    let engine =
        bom["dependencies"].as_array().unwrap().iter().find(|d| d["ref"] == "pkg:cargo/engine@1.0.0");
    assert_eq!(engine.unwrap()["dependsOn"], json!(["pkg:cargo/linked@1.0.0"]));
    assert!(matches!(sbom(&metadata, "other"), Err(PackError::Metadata(_))));
    assert!(matches!(sbom(b"{}", "engine"), Err(PackError::Metadata(_))));
}
