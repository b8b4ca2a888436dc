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
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
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
    sealing: Arc<LessSafeKey>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// Sealed bytes do not open: another key, another place, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this host's key")]
pub struct Unsealable;

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
            sealing: Arc::new(LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, &sealing).ok().with_context(|| damaged(SEALING_FILE))?,
            )),
        })
    }

    /// Seal `plain` with AES-256-GCM, bound to `place`: it opens nowhere else.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .expect("the value is far shorter than AES-GCM's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Open what [`Keys::seal`] sealed for the same `place`.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length =
            self.sealing.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| Unsealable)?.len();
        body.truncate(length);
        Ok(body)
    }
}

/// Random bytes of the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
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
    fn a_sealed_value_opens_only_in_its_place_and_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keys::open(folder.path()).expect("new keys");
        let sealed = keys.seal("secret:a", b"hidden");
        let reopened = Keys::open(folder.path()).expect("the same keys");
        assert_eq!(reopened.unseal("secret:a", &sealed).expect("opens").as_slice(), b"hidden");
        assert_eq!(keys.unseal("secret:b", &sealed), Err(Unsealable));
        let mut changed = sealed.clone();
        changed[15] ^= 1;
        assert_eq!(keys.unseal("secret:a", &changed), Err(Unsealable));
        assert_eq!(keys.unseal("secret:a", &sealed[..5]), Err(Unsealable));
    }
}
