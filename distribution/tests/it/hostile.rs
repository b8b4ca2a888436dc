//! Whatever a byte is turned into: nothing panics, and nothing is believed that was not signed.

use std::{fs, path::Path};

use distribution::{Client, FolderTransport, Limits, bundle};
use proptest::prelude::*;

use crate::{
    python::scenarios,
    world::{Host, now},
};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// A change of a file.
#[derive(Debug, Clone)]
enum Change {
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Twice(prop::sample::Index, prop::sample::Index),
    Replace(Vec<u8>),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let index = any::<prop::sample::Index>;
        prop_oneof![
            8 => (index(), any::<u8>()).prop_map(|(at, byte)| Self::Byte(at, byte)),
            2 => index().prop_map(Self::Cut),
            2 => (index(), index()).prop_map(|(from, to)| Self::Twice(from, to)),
            1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Self::Replace),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Twice(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.extend(part);
            }
            Self::Replace(with) => *bytes = with.clone(),
        }
    }
}

const FILES: [&str; 5] =
    ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.acme.json", "1.zeta.json"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_metadata_say_nothing_new(
        hashes in any::<bool>(),
        file in prop::sample::select(&FILES[..]),
        change in Change::any(),
    ) {
        let scenario = scenarios().join(if hashes { "good" } else { "without_hashes" });
        let folder = tempfile::tempdir().expect("a folder");
        copy(&scenario.join("1/metadata"), &folder.path().join("mirror/metadata"));
        let path = folder.path().join("mirror/metadata").join(file);
        let mut bytes = fs::read(&path).expect("read");
        change.apply(&mut bytes);
        fs::write(&path, bytes).expect("written");
        let root = fs::read(scenario.join("root.json")).expect("a root");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let honest = Client::new(root.clone(), folder.path().join("honest"), now());
            let honest = honest.refresh(&FolderTransport::new(scenario.join("1"))).await.expect("believed");
            let client = Client::new(root, folder.path().join("trusted"), now());
            if let Ok(seen) = client.refresh(&FolderTransport::new(folder.path().join("mirror"))).await {
                assert!(seen.releases().iter().all(|listed| honest.releases().contains(listed)));
                let lost = honest.releases().len() - seen.releases().len();
                assert_eq!(lost, seen.broken().len());
            }
        });
    }

    #[test]
    fn a_changed_bundle_is_read_or_refused(change in Change::any(), metadata in prop::collection::vec(any::<u8>(), 0..2048)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bundle");
        let about = bundle::About::new("acme", now());
        let mut writer = bundle::write(Vec::new(), &about, &["token".into()]).expect("begun");
        writer.metadata("1.root.json", &metadata).expect("added");
        writer.target(&"a".repeat(64), metadata.len() as u64, metadata.as_slice()).expect("added");
        let mut bytes = writer.finish().expect("ended");
        change.apply(&mut bytes);
        fs::write(&path, bytes).expect("written");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // Nothing signs a bundle: what is in it is checked by the client.
        let _ = runtime.block_on(bundle::open(&path, &Limits::default()));
    }
}

#[tokio::test]
async fn two_refreshes_of_one_folder_do_not_mix() {
    let host = Host::of("good");
    fs::create_dir_all(&host.client.datastore).expect("a folder");
    let lock = fs::File::create(host.client.datastore.join(".lock")).expect("a file");
    lock.lock().expect("locked, as another refresh does");
    assert_eq!(host.refuses(1).await.code(), "busy");
    drop(lock);
    host.accepts(1).await;
}
