//! The keys of the roles, behind `license_issuer::Signer`.

use std::path::Path;

use distribution::publish::{OnlineKeys, PublicKey, PublishError, SignKey};
use license_issuer::{FileSigner, Signer};

use super::TufError;
use crate::config::DistributionConfig;

/// A signer, as distribution uses it.
pub(super) struct Key(Box<dyn Signer>);

impl SignKey for Key {
    fn public_key(&self) -> PublicKey {
        *self.0.public_key().as_bytes()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], PublishError> {
        let signature = self.0.sign(bytes).map_err(|e| PublishError::Sign(Box::new(e)))?;
        Ok(*signature.as_bytes())
    }
}

/// Keys of files.
pub(super) fn open(files: &[String]) -> Result<Vec<Key>, TufError> {
    let open = |file: &String| {
        let signer = FileSigner::open(Path::new(file));
        signer.map(|signer| Key(Box::new(signer))).map_err(|e| TufError::Keys(super::causes(&e)))
    };
    files.iter().map(open).collect()
}

/// The keys that editions are signed with.
pub(super) fn online(config: &DistributionConfig) -> Result<OnlineKeys, TufError> {
    let of = |name, files: &[String]| -> Result<Vec<Box<dyn SignKey>>, TufError> {
        let keys = if files.is_empty() { vec![development::key(name)?] } else { open(files)? };
        Ok(keys.into_iter().map(|key| Box::new(key) as Box<dyn SignKey>).collect())
    };
    Ok(OnlineKeys {
        timestamp: of("timestamp", &config.timestamp_key_files)?,
        snapshot: of("snapshot", &config.snapshot_key_files)?,
        targets: of("targets", &config.targets_key_files)?,
        publishers: of("publisher", &config.publisher_key_files)?,
    })
}

/// The keys that the root is signed with.
pub(super) fn root(config: &DistributionConfig) -> Result<Vec<Key>, TufError> {
    if config.root_key_files.is_empty() {
        Ok(vec![development::key("root")?])
    } else {
        open(&config.root_key_files)
    }
}

/// The root that the chain begins with.
pub(super) fn first_root(config: &DistributionConfig) -> Result<Vec<u8>, TufError> {
    if !config.root_file.is_empty() {
        let read = std::fs::read(&config.root_file);
        return read.map_err(|e| TufError::Keys(format!("distribution.root_file {}: {e}", config.root_file)));
    }
    distribution::built_in_root().map(<[u8]>::to_vec).ok_or_else(|| {
        TufError::Keys("set distribution.root_file: this build has no development root".to_owned())
    })
}

/// The development keys are in the repository for everybody to see; a release build has none.
#[cfg(any(debug_assertions, feature = "development-keys"))]
mod development {
    use license_issuer::development as keys;

    use super::{Key, TufError};

    pub(super) fn key(name: &str) -> Result<Key, TufError> {
        Ok(Key(Box::new(match name {
            "root" => keys::tuf_root_signer(),
            "timestamp" => keys::tuf_timestamp_signer(),
            "snapshot" => keys::tuf_snapshot_signer(),
            "targets" => keys::tuf_targets_signer(),
            _ => keys::tuf_publishers_signer(),
        })))
    }
}

#[cfg(not(any(debug_assertions, feature = "development-keys")))]
mod development {
    use super::{Key, TufError};

    pub(super) fn key(name: &str) -> Result<Key, TufError> {
        Err(TufError::Keys(format!("set distribution.{name}_key_files: this build has no development keys")))
    }
}
