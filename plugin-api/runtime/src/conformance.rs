//! The conformance report of a package: that its tests of the plugin contract passed, said and signed by its publisher.
//!
//! It names the SHA-256 of the package's manifest, which in turn names that of every file: a report is worth nothing for
//! another build.

use chrono::{DateTime, Utc};
use plugin_api::manifest::Sha256Hex;
use ring::digest::{SHA256, digest};
use semver::Version;
use serde::{Deserialize, Serialize};
use trust::{Chain, Kind, SignedDocument, TrustStore, Usage};

use crate::Package;

/// What the tests of an engine found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConformanceReport {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub version: Version,
    /// SHA-256 of the package's manifest.
    pub manifest: Sha256Hex,
    /// Version of the plugin contract that it was tested against.
    pub api: Version,
    /// What was checked, a sentence each.
    pub checks: Vec<String>,
    /// What is wrong, a sentence each; empty when the engine keeps the contract.
    pub wrong: Vec<String>,
    /// When the tests ran.
    pub at: DateTime<Utc>,
}

/// Why a report is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The text is not a report.
    #[error("malformed conformance report: {0}")]
    Malformed(String),
    /// A later format than this version reads.
    #[error("the conformance report has format {0}; this version reads format 1")]
    UnsupportedFormat(u32),
    /// Signature or certificates are not believed.
    #[error("the conformance report is not believed: {0}")]
    Untrusted(#[from] trust::Error),
    /// It is signed by somebody else than the package.
    #[error("the conformance report is signed by `{found}`, the package by `{expected}`")]
    OtherPublisher {
        /// Who signed the package.
        expected: String,
        /// Who signed the report.
        found: String,
    },
    /// It is about another build.
    #[error("the conformance report is about another build of {0}: make one for this package")]
    OtherBuild(String),
    /// The engine does not keep the contract.
    #[error("the conformance report says that the engine does not keep the contract: {}", .0.join("; "))]
    Failed(Vec<String>),
}

/// The file: `{"chain": [...], "report": "payload.signature"}`.
#[derive(Serialize, Deserialize)]
struct Envelope {
    chain: Chain,
    report: String,
}

impl ConformanceReport {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
    /// Largest file, in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// What a report names of a package.
    pub fn manifest_of(package: &Package) -> Sha256Hex {
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, package.manifest_bytes()).as_ref());
        Sha256Hex(sum)
    }

    /// What to sign, as [`Kind::Conformance`].
    ///
    /// # Errors
    /// Never for a report that was made here: its members are text, numbers and dates.
    pub fn payload(&self) -> Result<Vec<u8>, ReportError> {
        serde_json::to_vec(self).map_err(malformed)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// As [`ConformanceReport::payload`].
    pub fn compose(chain: &Chain, signed: &SignedDocument) -> Result<String, ReportError> {
        let envelope = Envelope { chain: chain.clone(), report: signed.to_string() };
        serde_json::to_string_pretty(&envelope).map(|text| text + "\n").map_err(malformed)
    }

    /// Read a report of this package: signed by the package's publisher, about this build, and without anything wrong.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn verify(
        text: &str,
        package: &Package,
        store: &TrustStore,
        now: DateTime<Utc>,
    ) -> Result<Self, ReportError> {
        if text.len() > Self::MAX_BYTES {
            return Err(malformed("it is too large"));
        }
        let envelope: Envelope = serde_json::from_str(text).map_err(malformed)?;
        let signer = store.verify_chain(&envelope.chain, Usage::Publisher, now)?;
        let document = SignedDocument::parse("conformance report", &envelope.report, Self::MAX_BYTES)?;
        document.verify(Kind::Conformance, &signer.key)?;
        let expected = &package.signer().subject;
        if signer.subject != *expected {
            return Err(ReportError::OtherPublisher { expected: expected.clone(), found: signer.subject });
        }
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        let head: Head = serde_json::from_slice(&document.payload).map_err(malformed)?;
        if head.v != Self::FORMAT {
            return Err(ReportError::UnsupportedFormat(head.v));
        }
        let report: Self = serde_json::from_slice(&document.payload).map_err(malformed)?;
        let manifest = package.manifest();
        let same = report.engine == manifest.id && report.version == manifest.version;
        if !same || report.manifest != Self::manifest_of(package) {
            return Err(ReportError::OtherBuild(format!("{} {}", report.engine, report.version)));
        }
        if !report.wrong.is_empty() {
            return Err(ReportError::Failed(report.wrong));
        }
        Ok(report)
    }
}

fn malformed(why: impl ToString) -> ReportError {
    ReportError::Malformed(why.to_string())
}
