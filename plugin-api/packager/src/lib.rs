//! Builds engine packages: fills a manifest, has it signed, writes the archive. The same input gives the same bytes.
//!
//! ```
//! use plugin_packager::{Draft, PackError};
//!
//! fn pack(template: &str, library: Vec<u8>, publisher: &license_issuer::Credential) -> Result<Vec<u8>, PackError> {
//!     let mut draft = Draft::new(template, chrono::Utc::now())?;
//!     draft.library("x86_64-unknown-linux-gnu", library);
//!     draft.file("LICENSE", b"All rights reserved.".to_vec());
//!     let package = draft.seal()?;
//!     package.to_bytes(&package.signed_by(publisher)?)
//! }
//! # assert!(matches!(Draft::new("id = 1", chrono::Utc::now()), Err(PackError::Manifest(_))));
//! ```

mod archive;
mod draft;
mod error;
mod package;
mod sbom;

pub use archive::{DEFAULT_LEVEL, write_archive};
pub use draft::Draft;
pub use error::PackError;
pub use package::SealedPackage;
pub use sbom::sbom;
