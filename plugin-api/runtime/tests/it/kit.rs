//! Keys, packages and services for the tests.

use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};

use chrono::{DateTime, Duration, Utc};
use license_issuer::{CertificateRequest, Credential, FileSigner, Signer, generate_key, issue_certificate};
use plugin_packager::{Draft, SealedPackage, write_archive};
use plugin_runtime::{Package, Policy, Refusal, Side, TARGET, Verified};
use semver::Version;
use trust::{Namespace, Roots, SignatureSet, TrustStore, Usage};

pub const PUBLISHER: &str = "Test Publisher";

/// A root and what is signed under it.
pub struct Keys {
    pub root: FileSigner,
    pub publisher: Credential,
}

pub fn new_key() -> FileSigner {
    FileSigner::parse(generate_key().unwrap().as_bytes()).unwrap()
}

pub fn request(key: &dyn Signer, usage: Usage) -> CertificateRequest {
    CertificateRequest {
        subject: PUBLISHER.into(),
        key: key.public_key(),
        usage,
        issues: Vec::new(),
        engines: Namespace::new(["fixture"]).unwrap(),
        not_before: Utc::now() - Duration::days(1),
        not_after: Utc::now() + Duration::days(1),
    }
}

impl Keys {
    pub fn new() -> Self {
        let root = new_key();
        let publisher = certified(&root, Usage::Publisher, |_| {});
        Self { root, publisher }
    }

    pub fn store(&self) -> TrustStore {
        TrustStore::new(Roots::parse(&format!("test {}", self.root.public_key())).unwrap())
    }
}

/// A new key with a certificate under `root`.
pub fn certified(
    root: &FileSigner,
    usage: Usage,
    change: impl FnOnce(&mut CertificateRequest),
) -> Credential {
    let key = new_key();
    let mut request = request(&key, usage);
    if usage != Usage::Publisher {
        request.engines = Namespace::all();
    }
    change(&mut request);
    let certificate = issue_certificate(root, request).unwrap();
    Credential::new(key, [certificate]).unwrap()
}

/// The keys of most tests: made once.
pub static KEYS: LazyLock<Keys> = LazyLock::new(Keys::new);

/// The fixture's library, which cargo builds with the tests.
pub fn library() -> Vec<u8> {
    static LIBRARY: OnceLock<Vec<u8>> = OnceLock::new();
    let read = || {
        let test = std::env::current_exe().unwrap();
        let path: PathBuf = test.parent().unwrap().join("../examples/libfixture.so");
        std::fs::read(&path)
            .unwrap_or_else(|e| panic!("{}: {e}; run `cargo build --examples`", path.display()))
    };
    LIBRARY.get_or_init(read).clone()
}

pub fn template() -> String {
    format!(
        r#"
id = "fixture"
name = "Fixture"
description = "Does what tests ask for"
version = "1.2.3"
publisher = "{PUBLISHER}"
tier = "free"
api = "^0.1"
host = ">=1, <3"
agent = "*"

[capabilities]
uses = ["sql"]

[[permissions]]
name = "fixture:things:read"
description = "Read things"

[[commands]]
name = "echo"
description = "Echo"
timeout_s = 5

[[commands]]
name = "wait"
description = "Wait"
timeout_s = 5

[[commands]]
name = "stubborn"
description = "Never ends"
timeout_s = 5
"#
    )
}

/// A draft with small files in place of the library: refusals need no real one.
pub fn draft() -> Draft {
    let mut draft = Draft::new(&template(), Utc::now()).unwrap();
    draft.library(TARGET, b"not really a library".to_vec());
    draft.file("ui/index.js", b"export default 1;".to_vec());
    draft.file("LICENSE", b"All rights reserved.".to_vec());
    draft
}

/// A draft with the fixture's library.
pub fn real_draft() -> Draft {
    let mut draft = draft();
    draft.library(TARGET, library());
    draft
}

pub fn sign(package: &SealedPackage) -> SignatureSet {
    KEYS.publisher.sign_package(package.manifest_toml()).unwrap()
}

pub fn bytes(package: &SealedPackage) -> Vec<u8> {
    let mut out = Vec::new();
    package.write_at(1, &sign(package), &mut out).unwrap();
    out
}

/// Entries of a good package, to be spoilt.
pub fn entries(package: &SealedPackage) -> Vec<(String, Vec<u8>)> {
    let text = |path: &str| package.manifest().files.iter().any(|f| f.path == path);
    assert!(text("LICENSE"));
    let mut entries = vec![
        ("plugin.toml".to_owned(), package.manifest_toml().to_vec()),
        ("plugin.sig".to_owned(), sign(package).to_bytes()),
    ];
    entries.extend(package.files().map(|(path, content)| (path.to_owned(), content.to_vec())));
    entries
}

pub fn archive(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_archive(entries.iter().map(|(p, c)| (p.as_str(), c.as_slice())), 1, &mut out).unwrap();
    out
}

pub fn host() -> Side {
    Side::Host(Version::new(2, 0, 0))
}

pub fn verify(bytes: &[u8]) -> Result<Verified<Package>, Refusal> {
    verify_at(bytes, &KEYS.store(), Utc::now())
}

pub fn verify_at(bytes: &[u8], store: &TrustStore, at: DateTime<Utc>) -> Result<Verified<Package>, Refusal> {
    Package::verify(bytes, &Policy::new(store, at, host()))
}

/// The code a package is refused with.
pub fn code(bytes: &[u8]) -> &'static str {
    verify(bytes).expect_err("a refusal").code()
}

/// The fixture, verified.
pub fn package() -> Verified<Package> {
    verify(&bytes(&real_draft().seal().unwrap())).unwrap()
}

/// The fixture under another name, which makes it misbehave while it starts.
pub fn package_named(name: &str) -> Verified<Package> {
    let mut draft = real_draft();
    draft.manifest_mut().name = name.into();
    verify(&bytes(&draft.seal().unwrap())).unwrap()
}
