//! Why a package was not built.

use std::path::PathBuf;

use plugin_api::manifest::ManifestError;

/// Why a package was not built.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A name that a package cannot hold, or the same name twice.
    #[error("`{0}` cannot be a file of a package")]
    Name(String),
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Writing the archive failed.
    #[error("writing the archive failed: {0}")]
    Archive(#[source] std::io::Error),
    /// The key could not be used.
    #[error("signing failed: {0}")]
    Sign(#[from] license_issuer::SignError),
    /// `cargo metadata` is not what it should be.
    #[error("the output of `cargo metadata` is odd: {0}")]
    Metadata(String),
}

impl PackError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Name(_) => "unsafe_path",
            Self::Manifest(_) => "manifest_invalid",
            Self::Archive(_) => "archive",
            Self::Sign(e) => e.code(),
            Self::Metadata(_) => "metadata",
        }
    }
}
