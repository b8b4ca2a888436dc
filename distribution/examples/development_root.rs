//! Writes the development root anew: `cargo run -p distribution --example development_root`. See `licenses/development-keys`.

use anyhow::Result;
use chrono::{TimeZone, Utc};
use distribution::publish::{PublicKey, PublishError, RoleKeys, RootBody, SignKey, first_root};
use license_issuer::{FileSigner, Signer, development};

struct Key(FileSigner);

impl SignKey for Key {
    fn public_key(&self) -> PublicKey {
        *self.0.public_key().as_bytes()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], PublishError> {
        let signature = self.0.sign(bytes).map_err(|e| PublishError::Sign(Box::new(e)))?;
        Ok(*signature.as_bytes())
    }
}

fn main() -> Result<()> {
    let root = Key(development::tuf_root_signer());
    let any = |signer: FileSigner| RoleKeys::any_of([Key(signer).public_key()]);
    let body = RootBody {
        root: RoleKeys::any_of([root.public_key()]),
        timestamp: any(development::tuf_timestamp_signer()),
        snapshot: any(development::tuf_snapshot_signer()),
        targets: any(development::tuf_targets_signer()),
    };
    let expires = Utc.with_ymd_and_hms(2045, 1, 1, 0, 0, 0).single().expect("a date");
    let bytes = first_root(&body, expires, &[&root])?;
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/roots/development.json"), bytes)?;
    Ok(())
}
