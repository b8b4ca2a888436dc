//! A key in SoftHSM (Debian's `softhsm2`) signs what hosts believe. `cargo test -p license-issuer --features pkcs11`.
#![cfg(feature = "pkcs11")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{Duration, Utc};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use license_issuer::{
    CertificateRequest, Credential, Pkcs11Key, Pkcs11Signer, Signer as _, development, issue_certificate,
};
use licenses::License;
use trust::{Namespace, TrustStore, Usage};

const PIN: &str = "1234";
/// Ed25519, as SoftHSM names it.
const CURVE: [u8; 14] = *b"\x13\x0cedwards25519";

fn module() -> PathBuf {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"];
    let found = places.into_iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("softhsm2 is installed: run `cargo xtask setup`")
}

/// A token of its own below a folder, with a key for each label.
fn token(folder: &Path, labels: &[&str]) {
    let tokens = folder.join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = folder.join("softhsm2.conf");
    std::fs::write(&config, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    // SAFETY: this binary has one test, and nothing else runs yet that reads the environment.
    unsafe { std::env::set_var("SOFTHSM2_CONF", &config) };
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "portal", "--pin", PIN, "--so-pin", "5678"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pkcs11 = Pkcs11::new(module()).unwrap();
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slots = pkcs11.get_slots_with_token().unwrap();
    let slot = slots.into_iter().find(|s| pkcs11.get_token_info(*s).unwrap().label() == "portal").unwrap();
    let session = pkcs11.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    for label in labels {
        let label = Attribute::Label(label.as_bytes().to_vec());
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(CURVE.to_vec()),
            label.clone(),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Sign(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            label,
        ];
        session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private).unwrap();
    }
    session.logout().unwrap();
    drop(session);
    pkcs11.finalize().unwrap();
}

fn key(label: &str) -> Pkcs11Key {
    Pkcs11Key { module: module(), token: "portal".into(), label: label.into(), pin: PIN.to_owned().into() }
}

#[test]
fn a_key_in_a_module_signs_what_hosts_believe() {
    let folder = tempfile::tempdir().unwrap();
    token(folder.path(), &["license-2026", "license-2027"]);
    let store = TrustStore::built_in();
    let now = Utc::now();
    for label in ["license-2026", "license-2027"] {
        let signer = Pkcs11Signer::open(key(label)).unwrap();
        let request = CertificateRequest {
            subject: label.into(),
            key: signer.public_key(),
            usage: Usage::License,
            issues: Vec::new(),
            engines: Namespace::all(),
            not_before: now - Duration::days(1),
            not_after: now + Duration::days(365),
        };
        let certificate = issue_certificate(&development::root_signer(), request).unwrap();
        let credential = Credential::new(signer, [certificate]).unwrap();
        let tokens: Vec<String> = std::thread::scope(|scope| {
            let sign = || credential.issue_license(&development::claims(&["pro"], now)).unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(sign)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for token in tokens {
            assert_eq!(License::verify(&token, &store).unwrap().signer().subject, label);
        }
    }
    let code = |key: Pkcs11Key| Pkcs11Signer::open(key).err().unwrap();
    assert!(code(key("license-2025")).to_string().contains("has no key `license-2025`"));
    assert!(
        code(Pkcs11Key { token: "other".into(), ..key("license-2026") }).to_string().contains("no token")
    );
    let nowhere = Pkcs11Key { module: "/nowhere.so".into(), ..key("license-2026") };
    assert_eq!(code(nowhere).code(), "key_unavailable");
}
