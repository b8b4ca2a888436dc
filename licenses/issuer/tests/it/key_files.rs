//! Private keys in files.

use license_issuer::{FileSigner, Signer, generate_key};
use std::fs;
use std::path::Path;
use trust::Kind;

/// Made by `openssl genpkey -algorithm ed25519`: PKCS#8 without the public half.
const FOREIGN: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGwXUhmQLZG3ryKkahYp0C3s/mK7zQb5WRX5gS0WP7jc
-----END PRIVATE KEY-----
";

#[test]
fn a_key_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let pem = generate_key().unwrap();
    fs::write(&path, pem.as_bytes()).unwrap();
    let (memory, file) = (FileSigner::parse(pem.as_bytes()).unwrap(), FileSigner::open(&path).unwrap());
    assert_eq!(memory.public_key(), file.public_key());
    let signature = file.sign_document(Kind::Manifest, b"text").unwrap();
    memory.public_key().verify(Kind::Manifest, b"text", &signature).unwrap();
}

#[test]
fn every_new_key_is_another_one() {
    assert_ne!(generate_key().unwrap(), generate_key().unwrap());
}

#[test]
fn keys_of_other_tools_are_read() {
    let key = FileSigner::parse(FOREIGN.as_bytes()).unwrap();
    let signature = key.sign_document(Kind::Portal, b"text").unwrap();
    key.public_key().verify(Kind::Portal, b"text", &signature).unwrap();
}

#[test]
fn what_is_no_key_is_refused_and_never_repeated() {
    let secret = FOREIGN.replace("MC4CAQAw", "SECRET+A");
    for text in ["", "-----BEGIN PRIVATE KEY-----", secret.as_str(), "\u{0}\u{1}"] {
        let error = FileSigner::parse(text.as_bytes()).err().unwrap();
        assert_eq!(error.code(), "not_a_key");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
    assert_eq!(FileSigner::open(Path::new("/nowhere/key.pem")).err().unwrap().code(), "key_file");
}
