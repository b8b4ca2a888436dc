//! Keys in the data directory: the instance's own, and the one that seals secrets.

use std::{
    fmt,
    fs::{DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use licenses::InstanceKey;
use second_factor::Sealer;
pub use second_factor::{Unsealable, random};
use zeroize::Zeroizing;

/// File of the instance's Ed25519 key.
pub const INSTANCE_FILE: &str = "instance.key";
/// File of the key that seals secrets.
pub const SEALING_FILE: &str = "secrets.key";

/// The host's keys. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    /// Licences are bound to its id.
    pub instance: Arc<InstanceKey>,
    sealing: Arc<Sealer>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Open the keys in `data_dir`, creating what is missing.
    pub fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let instance = open_or_create(&data_dir.join(INSTANCE_FILE), || {
            InstanceKey::generate().ok().context("the system gives no random bytes")
        })?;
        let sealing = open_or_create(&data_dir.join(SEALING_FILE), || Ok(random::<32>().to_vec()))?;
        let damaged = |name: &str| format!("{name} is damaged: restore it from a backup");
        Ok(Self {
            instance: Arc::new(
                InstanceKey::from_pkcs8(&instance).ok().with_context(|| damaged(INSTANCE_FILE))?,
            ),
            sealing: Arc::new(Sealer::new(&sealing).with_context(|| damaged(SEALING_FILE))?),
        })
    }

    /// Seal `plain`, bound to `place`: it opens nowhere else.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.sealing.seal(place, plain)
    }

    /// Open what [`Keys::seal`] sealed for the same `place`.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        self.sealing.unseal(place, sealed)
    }
}

/// Create `folder` for the service alone.
pub fn private_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
}

fn open_or_create(
    path: &Path,
    make: impl FnOnce() -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => return Ok(Zeroizing::new(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let bytes = Zeroizing::new(make()?);
    write_private(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(bytes)
}

/// Write a file that only the service may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let sealed = Keys::open(folder.path()).expect("new keys").seal("secret:a", b"hidden");
        let reopened = Keys::open(folder.path()).expect("the same keys");
        assert_eq!(reopened.unseal("secret:a", &sealed).expect("opens").as_slice(), b"hidden");
    }
}
