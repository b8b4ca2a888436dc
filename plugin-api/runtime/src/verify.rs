//! The one way to a [`Verified<Package>`]: shape, signature, manifest, files, versions, kill list, in that order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use plugin_api::Manifest;
use plugin_api::manifest::{FileEntry, MAX_MANIFEST_BYTES, Sha256Hex};
use ring::digest;
use semver::{Version, VersionReq};
use trust::{EngineStanding, SignatureSet, TrustStore, Usage, VerifiedSigner, version_matches};

use crate::archive::{Archive, Entry};
use crate::refusal::RefusalKind as Kind;
use crate::seal::SealedLibrary;
use crate::{Limits, Package, Refusal, Verified};

/// Target triple of this program.
pub const TARGET: &str = env!("PLUGIN_TARGET");

/// Who is to run the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// A host of this version.
    Host(Version),
    /// An agent of this version.
    Agent(Version),
    /// Nobody: a tool that only checks. Version and target requirements are not looked at, and no library is kept.
    Tool,
}

/// What a package is verified against.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    /// Roots and revocation lists.
    pub trust: &'a TrustStore,
    /// The moment certificates must be valid at: now for a new package, the recorded moment of admission for one that
    /// was admitted before. Revocations count always.
    pub at: DateTime<Utc>,
    /// Who is to run it.
    pub side: Side,
    /// Limits.
    pub limits: Limits,
}

impl<'a> Policy<'a> {
    /// The usual policy.
    pub fn new(trust: &'a TrustStore, at: DateTime<Utc>, side: Side) -> Self {
        Self { trust, at, side, limits: Limits::DEFAULT }
    }
}

impl Package {
    /// Verify a package from a file. Blocks.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify_file(path: &Path, policy: &Policy<'_>) -> Result<Verified<Package>, Refusal> {
        let file = File::open(path)
            .map_err(|e| Refusal::new(Kind::Unreadable, format!("The package cannot be opened: {e}.")))?;
        Self::verify(file, policy)
    }

    /// Verify a package from a reader. Nothing of it is unpacked before its manifest's signature is verified. Blocks.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(file: impl Read, policy: &Policy<'_>) -> Result<Verified<Package>, Refusal> {
        let mut archive = Archive::new(file, policy.limits)?;
        let manifest_bytes = take(&mut archive, "plugin.toml", MAX_MANIFEST_BYTES)?;
        let signature_bytes = take(&mut archive, "plugin.sig", SignatureSet::MAX_BYTES)?;
        let signer = verify_signature(&manifest_bytes, &signature_bytes, policy)?;
        let manifest = parse_manifest(&manifest_bytes, &signer)?;
        check_sizes(&manifest, &policy.limits)?;
        let (files, library, digest) = read_files(archive, &manifest, policy)?;
        check_requirements(&manifest, policy)?;
        check_standing(&manifest, policy.trust)?;
        let library =
            library.ok_or_else(|| wrong_target(&manifest)).or_else(|refusal| match policy.side {
                Side::Tool => SealedLibrary::none(),
                _ => Err(refusal),
            })?;
        let manifest_bytes = Bytes::from(manifest_bytes);
        Ok(Verified::new(Package { manifest, manifest_bytes, signer, digest, files, library }))
    }
}

/// The next entry, which must be the named one.
fn take<R: Read>(archive: &mut Archive<R>, name: &str, max: usize) -> Result<Vec<u8>, Refusal> {
    let entry = archive.next_entry()?.filter(|e| e.path == name);
    let entry = entry.ok_or_else(|| {
        let order = "`plugin.toml` must be the package's first file and `plugin.sig` its second.";
        Refusal::new(Kind::MalformedArchive, order)
    })?;
    if entry.size > max as u64 {
        let size = entry.size;
        return Err(Refusal::new(
            Kind::TooLarge,
            format!("`{name}` has {size} bytes; at most {max} are read."),
        ));
    }
    archive.read(&entry)
}

#[derive(serde::Deserialize)]
struct JustId {
    id: String,
}

fn verify_signature(manifest: &[u8], sig: &[u8], policy: &Policy<'_>) -> Result<VerifiedSigner, Refusal> {
    let text = std::str::from_utf8(manifest).unwrap_or_default();
    let id = toml::from_str::<JustId>(text).ok().map(|m| m.id);
    let engine = id.as_deref().unwrap_or_default();
    let verified = SignatureSet::parse(sig)
        .and_then(|set| set.verify(manifest, Usage::Publisher, engine, policy.at, policy.trust));
    verified.map_err(|error| match (&id, Manifest::parse(manifest)) {
        // Signed, but without an id that could be in a namespace: the manifest is to blame.
        (None, Err(invalid)) if matches!(error, trust::Error::ForeignNamespace { .. }) => {
            Refusal::new(Kind::ManifestInvalid, format!("{invalid}."))
        }
        _ => Refusal::new(kind_of(&error), format!("The package's signature is refused: {error}.")),
    })
}

fn kind_of(error: &trust::Error) -> Kind {
    match error {
        trust::Error::TooLarge { .. } => Kind::TooLarge,
        trust::Error::UnknownRoot(_) => Kind::UnknownRoot,
        trust::Error::WrongKey { .. } => Kind::WrongKey,
        trust::Error::ExpiredCertificate { .. } => Kind::ExpiredCertificate,
        trust::Error::NotYetValid { .. } => Kind::CertificateNotYetValid,
        trust::Error::WrongUsage { .. } => Kind::WrongUsage,
        trust::Error::ForeignNamespace { .. } => Kind::ForeignNamespace,
        trust::Error::RevokedCertificate { .. } => Kind::RevokedCertificate,
        _ => Kind::BadSignature,
    }
}

fn parse_manifest(bytes: &[u8], signer: &VerifiedSigner) -> Result<Manifest, Refusal> {
    let manifest =
        Manifest::parse(bytes).map_err(|e| Refusal::new(Kind::ManifestInvalid, format!("{e}.")))?;
    if manifest.publisher != signer.subject {
        let (claims, is) = (&manifest.publisher, &signer.subject);
        return Err(Refusal::new(
            Kind::WrongPublisher,
            format!("The manifest names publisher `{claims}`, the certificate `{is}`."),
        ));
    }
    Ok(manifest)
}

/// Refuse what the manifest itself says is too much, before it is unpacked.
fn check_sizes(manifest: &Manifest, limits: &Limits) -> Result<(), Refusal> {
    if manifest.files.len() > limits.entries {
        let n = manifest.files.len();
        return Err(Refusal::new(
            Kind::TooLarge,
            format!("The manifest lists {n} files; at most {} are read.", limits.entries),
        ));
    }
    if let Some(f) = manifest.files.iter().find(|f| f.size > limits.file) {
        return Err(Refusal::new(
            Kind::TooLarge,
            format!("`{}` has {} bytes; at most {} are read.", f.path, f.size, limits.file),
        ));
    }
    let total = manifest.files.iter().map(|f| f.size).fold(0, u64::saturating_add);
    if total > limits.decompressed {
        let max = limits.decompressed;
        return Err(Refusal::new(
            Kind::TooLarge,
            format!("The files have {total} bytes; at most {max} are read."),
        ));
    }
    Ok(())
}

type Files = (BTreeMap<String, Bytes>, Option<SealedLibrary>, Sha256Hex);

fn read_files<R: Read>(
    mut archive: Archive<R>,
    manifest: &Manifest,
    policy: &Policy<'_>,
) -> Result<Files, Refusal> {
    let mut wanted: BTreeMap<&str, &FileEntry> =
        manifest.files.iter().map(|f| (f.path.as_str(), f)).collect();
    let library_path = manifest.library_path(TARGET);
    let (mut files, mut library) = (BTreeMap::new(), None);
    while let Some(entry) = archive.next_entry()? {
        let listed = wanted.remove(entry.path.as_str());
        let listed = listed.ok_or_else(|| {
            Refusal::new(Kind::ExtraFile, format!("`{}` is not listed in the manifest.", entry.path))
        })?;
        if entry.size != listed.size {
            let (is, says) = (entry.size, listed.size);
            let path = &entry.path;
            return Err(Refusal::new(
                Kind::DigestMismatch,
                format!("`{path}` has {is} bytes, the manifest says {says}."),
            ));
        }
        if entry.path == library_path && policy.side != Side::Tool {
            library =
                Some(SealedLibrary::read(&manifest.id, listed.sha256, |sink| archive.copy(&entry, sink))?);
        } else if let Some(content) = read_hashed(&mut archive, &entry, listed.sha256)? {
            files.insert(entry.path, content);
        }
    }
    let digest = Sha256Hex(archive.finish()?);
    match wanted.keys().next() {
        Some(path) => {
            Err(Refusal::new(Kind::MissingFile, format!("`{path}` is listed in the manifest but absent.")))
        }
        None => Ok((files, library, digest)),
    }
}

/// Content of an entry whose digest matches. Libraries of other systems are checked, not kept.
fn read_hashed<R: Read>(
    archive: &mut Archive<R>,
    entry: &Entry,
    want: Sha256Hex,
) -> Result<Option<Bytes>, Refusal> {
    let keep = !entry.path.starts_with("lib/");
    let mut content = Vec::new();
    let mut hash = digest::Context::new(&digest::SHA256);
    archive.copy(entry, |piece| {
        hash.update(piece);
        if keep {
            content.extend_from_slice(piece);
        }
        Ok(())
    })?;
    if hash.finish().as_ref() != want.0 {
        return Err(digest_mismatch(&entry.path));
    }
    Ok(keep.then(|| content.into()))
}

pub(crate) fn digest_mismatch(path: &str) -> Refusal {
    Refusal::new(Kind::DigestMismatch, format!("`{path}` is not the file the manifest was signed with."))
}

fn wrong_target(manifest: &Manifest) -> Refusal {
    let has = manifest.targets.join(", ");
    Refusal::new(
        Kind::WrongTarget,
        format!("The package holds libraries for {has}; this system is {TARGET}."),
    )
}

fn check_requirements(manifest: &Manifest, policy: &Policy<'_>) -> Result<(), Refusal> {
    if policy.side == Side::Tool {
        return Ok(());
    }
    let Manifest { api, host, agent, .. } = manifest;
    Requirements { api, host, agent }.check(&policy.side)?;
    let listed = manifest.targets.iter().any(|t| t == TARGET);
    if listed { Ok(()) } else { Err(wrong_target(manifest)) }
}

/// The versions that a build runs with, as its manifest or a catalogue tells them.
#[derive(Debug, Clone, Copy)]
pub struct Requirements<'a> {
    /// Versions of the plugin contract.
    pub api: &'a VersionReq,
    /// Versions of the host.
    pub host: &'a VersionReq,
    /// Versions of the agent.
    pub agent: &'a VersionReq,
}

impl Requirements<'_> {
    /// Whether they are met on `side`: what verifying the package would say.
    ///
    /// # Errors
    /// [`Refusal`] names what is needed.
    pub fn check(&self, side: &Side) -> Result<(), Refusal> {
        let api = Version::parse(plugin_api::API_VERSION).expect("a crate's version is a semantic version");
        match side {
            Side::Tool => Ok(()),
            Side::Host(version) => {
                require(Kind::WrongApiVersion, "plugin contract", self.api, &api)?;
                require(Kind::WrongHostVersion, "host", self.host, version)
            }
            Side::Agent(version) => {
                require(Kind::WrongApiVersion, "plugin contract", self.api, &api)?;
                require(Kind::WrongAgentVersion, "agent", self.agent, version)
            }
        }
    }
}

fn require(kind: Kind, what: &str, wants: &VersionReq, is: &Version) -> Result<(), Refusal> {
    if version_matches(wants, is) {
        return Ok(());
    }
    Err(Refusal::new(kind, format!("The engine needs {what} {wants}; this is {is}.")))
}

fn check_standing(manifest: &Manifest, trust: &TrustStore) -> Result<(), Refusal> {
    let (id, version) = (&manifest.id, &manifest.version);
    match trust.revocations().engine(id, version) {
        EngineStanding::Good => Ok(()),
        EngineStanding::Killed { reason } => Err(Refusal::new(
            Kind::VersionKilled,
            format!("Version {version} of `{id}` was withdrawn: {reason}. Install another version."),
        )),
        EngineStanding::BelowLowestGood { lowest } => Err(Refusal::new(
            Kind::VersionKilled,
            format!("Versions of `{id}` below {lowest} were withdrawn. Install {lowest} or later."),
        )),
    }
}
