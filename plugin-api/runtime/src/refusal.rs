//! Why a package is refused: a stable code and a sentence for people, for console, API, CLI and log alike.

use std::fmt;

/// A refusal. [`Refusal::code`] never changes meaning; the sentence says what was found and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({})", .kind.code())]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// What was found and what to do next.
    pub message: String,
}

impl Refusal {
    /// A refusal of a kind with its sentence.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The stable snake_case code.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Kinds of refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RefusalKind {
            $($(#[$doc])* $name,)*
        }

        impl RefusalKind {
            /// Every kind.
            pub const ALL: &'static [RefusalKind] = &[$(Self::$name,)*];

            /// The stable snake_case code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

kinds! {
    /// The file cannot be read.
    Unreadable = "unreadable",
    /// Not a tar in one zstd frame, or its parts stand in the wrong order.
    MalformedArchive = "malformed_archive",
    /// The archive ends before it should.
    Truncated = "truncated",
    /// A size, count or window is past its limit.
    TooLarge = "too_large",
    /// A name that is absolute, climbs, or has odd characters.
    UnsafePath = "unsafe_path",
    /// A link, device, directory or other entry that is not a plain file.
    NotARegularFile = "not_a_regular_file",
    /// The same name twice, upper and lower case counted alike.
    DuplicatePath = "duplicate_path",
    /// `plugin.sig` does not parse or holds no usable signature.
    BadSignature = "bad_signature",
    /// The signature was made by another key than its certificate names.
    WrongKey = "wrong_key",
    /// The certificate leads to no root this program trusts.
    UnknownRoot = "unknown_root",
    /// The certificate is past its end.
    ExpiredCertificate = "expired_certificate",
    /// The certificate's time has not come.
    CertificateNotYetValid = "certificate_not_yet_valid",
    /// The certificate was revoked.
    RevokedCertificate = "revoked_certificate",
    /// The certificate is for another use.
    WrongUsage = "wrong_usage",
    /// The certificate's namespace does not hold the engine's id.
    ForeignNamespace = "foreign_namespace",
    /// `plugin.toml` does not parse, or breaks a rule.
    ManifestInvalid = "manifest_invalid",
    /// The manifest names another publisher than the certificate.
    WrongPublisher = "wrong_publisher",
    /// A file's size or digest is not the manifest's.
    DigestMismatch = "digest_mismatch",
    /// A file the manifest does not list.
    ExtraFile = "extra_file",
    /// A file the manifest lists is absent.
    MissingFile = "missing_file",
    /// No library for this system.
    WrongTarget = "wrong_target",
    /// Made for another version of the plugin contract.
    WrongApiVersion = "wrong_api_version",
    /// Made for other versions of the host.
    WrongHostVersion = "wrong_host_version",
    /// Made for other versions of the agent.
    WrongAgentVersion = "wrong_agent_version",
    /// The publisher withdrew this version.
    VersionKilled = "version_killed",
    /// The system refused to load the library.
    LoadFailed = "load_failed",
    /// The library's binary contract is not this program's.
    AbiMismatch = "abi_mismatch",
    /// The library says of itself what the manifest does not.
    ManifestLies = "manifest_lies",
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
