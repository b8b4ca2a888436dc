//! A release of the agent: one file for one target, signed like an engine's package.
//!
//! The file is [`MAGIC`], the length of the manifest (four bytes, big-endian) and the manifest (JSON), the length of the
//! signature file and that (see the crate `trust`), then the program. The signatures are over the manifest's exact bytes;
//! the manifest holds the program's size and digest. Nothing here verifies: host and agent do, each against its own roots.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::UnixMs;

/// The first bytes of the file.
pub const MAGIC: &[u8; 16] = b"SYSMANAGE AGENT\n";
/// The id in whose name agents are signed.
pub const ID: &str = "sysmanage_agent";
/// Largest manifest, in bytes.
pub const MAX_MANIFEST: usize = 64 * 1024;
/// Largest signature file, in bytes.
pub const MAX_SIGNATURES: usize = 128 * 1024;
/// Largest program, in bytes.
pub const MAX_PROGRAM: u64 = 128 << 20;

/// Where a release is fetched from (GET, `Range`, client certificate).
pub fn release_path(version: &str, target: &str) -> String {
    format!("/agent/v1/releases/{version}/{target}")
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseManifest {
    /// Format, 1.
    pub v: u32,
    /// [`ID`].
    pub id: String,
    /// Version, semantic.
    pub version: String,
    /// Target triple.
    pub target: String,
    /// Size of the program in bytes.
    pub size: u64,
    /// SHA-256 of the program, lower-case hexadecimal.
    pub sha256: String,
    /// When it was built.
    pub built_at: UnixMs,
}

/// Everything before the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The manifest, read.
    pub manifest: ReleaseManifest,
    /// Its exact bytes: what the signatures are over.
    pub manifest_bytes: Vec<u8>,
    /// The signature file.
    pub signatures: Vec<u8>,
}

/// A file is no release.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("it is no agent release")]
    NotOne,
    /// A part is larger than it may be.
    #[error("its {0} is too large")]
    TooLarge(&'static str),
    /// The manifest does not parse.
    #[error("its manifest does not parse: {0}")]
    Manifest(#[from] serde_json::Error),
    /// A field of the manifest is wrong.
    #[error("its manifest is wrong: {0}")]
    Field(&'static str),
}

impl Head {
    /// Read the head; the program follows in `file`.
    pub fn read(mut file: impl Read) -> Result<Self, ReleaseError> {
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic).map_err(|_| ReleaseError::NotOne)?;
        if &magic != MAGIC {
            return Err(ReleaseError::NotOne);
        }
        let manifest_bytes = part(&mut file, "manifest", MAX_MANIFEST)?;
        let signatures = part(&mut file, "signature", MAX_SIGNATURES)?;
        let manifest: ReleaseManifest = serde_json::from_slice(&manifest_bytes)?;
        manifest.check()?;
        Ok(Self { manifest, manifest_bytes, signatures })
    }

    /// The bytes that come before the program.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
        [
            MAGIC.as_slice(),
            &length(&self.manifest_bytes),
            &self.manifest_bytes,
            &length(&self.signatures),
            &self.signatures,
        ]
        .concat()
    }
}

impl ReleaseManifest {
    fn check(&self) -> Result<(), ReleaseError> {
        let plain = |text: &str, also: &[u8]| {
            !text.is_empty()
                && text.len() <= 100
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
        };
        let rules = [
            (self.v == 1, "this format is not known"),
            (self.id == ID, "it is not for the agent"),
            // Both become names of files.
            (plain(&self.version, b".-+") && !self.version.starts_with('.'), "version"),
            (plain(&self.target, b"_-"), "target"),
            (self.size > 0 && self.size <= MAX_PROGRAM, "size"),
            (self.sha256.len() == 64 && self.sha256.bytes().all(|b| b.is_ascii_hexdigit()), "sha256"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(ReleaseError::Field(rule)),
            None => Ok(()),
        }
    }
}

fn part(file: &mut impl Read, what: &'static str, limit: usize) -> Result<Vec<u8>, ReleaseError> {
    let mut length = [0; 4];
    file.read_exact(&mut length).map_err(|_| ReleaseError::NotOne)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(ReleaseError::TooLarge(what));
    }
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).map_err(|_| ReleaseError::NotOne)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(change: impl FnOnce(&mut ReleaseManifest)) -> Vec<u8> {
        let mut manifest = ReleaseManifest {
            v: 1,
            id: ID.into(),
            version: "1.2.3".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            size: 3,
            sha256: "0".repeat(64),
            built_at: 0,
        };
        change(&mut manifest);
        let manifest_bytes = serde_json::to_vec(&manifest).expect("plain fields");
        Head { manifest, manifest_bytes, signatures: b"{}".to_vec() }.to_bytes()
    }

    #[test]
    fn what_was_written_is_read_and_the_program_follows() {
        let file = [head(|_| ()), b"elf".to_vec()].concat();
        let mut rest = file.as_slice();
        let read = Head::read(&mut rest).expect("a release");
        assert_eq!((read.manifest.version.as_str(), rest), ("1.2.3", b"elf".as_slice()));
    }

    #[test]
    fn what_would_leave_its_folder_or_is_cut_short_is_no_release() {
        for bad in [
            head(|m| m.version = "../1".into()),
            head(|m| m.version = String::new()),
            head(|m| m.target = "a/b".into()),
            head(|m| m.id = "other".into()),
            head(|m| m.size = 0),
            head(|m| m.sha256 = "zz".into()),
            head(|m| m.v = 2),
        ] {
            assert!(matches!(Head::read(bad.as_slice()), Err(ReleaseError::Field(_))));
        }
        let whole = head(|_| ());
        for cut in [0, 5, 17, 40, whole.len() - 1] {
            assert!(Head::read(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let mut long = MAGIC.to_vec();
        long.extend([0xff; 4]);
        assert!(matches!(Head::read(long.as_slice()), Err(ReleaseError::TooLarge(_))));
    }
}
