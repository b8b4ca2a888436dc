//! Documents as earlier versions signed them keep being believed, byte for byte.

use crate::world::{now, store};
use trust::{Applied, Realm, SignatureSet, Usage};

#[test]
fn the_first_signature_file_is_still_believed() {
    let set = SignatureSet::parse(include_bytes!("../goldens/plugin.v1.sig")).unwrap();
    let manifest = include_bytes!("../goldens/plugin.v1.toml");
    let signer = set.verify(manifest, Usage::Publisher, "automation_engine", now(), &store()).unwrap();
    assert_eq!(signer.root, "development-root-1");
}

#[test]
fn the_first_revocation_list_is_still_believed() {
    let mut store = store();
    let text = include_str!("../goldens/revocations.v1.json");
    assert_eq!(store.apply_revocations(text).unwrap(), Applied::Replaced);
    assert_eq!(store.revocations().sequence(&Realm::vendor()), Some(41));
    assert_eq!(store.revocations().license(&Realm::vendor(), "golden-revoked"), Some("a golden test"));
}
