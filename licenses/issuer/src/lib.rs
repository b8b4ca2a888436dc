//! Signs what `trust` and `licenses` verify: certificates, licence tokens, revocation lists, packages.
//!
//! The portal, `xtask` and the packager use it; the host and the agent never link it. Private keys are reached only through
//! [`Signer`], so that a key may live in a file, a hardware module or a service.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use license_issuer::{Credential, FileSigner};
//! use std::{fs, path::Path};
//!
//! let signer = FileSigner::open(Path::new("publisher.pem"))?;
//! let publisher = Credential::new(signer, [fs::read_to_string("publisher.cert")?.trim().to_owned()])?;
//! fs::write("plugin.sig", publisher.sign_package(&fs::read("plugin.toml")?)?.to_bytes())?;
//! # Ok(()) }
//! ```

mod credential;
#[cfg(any(debug_assertions, feature = "development-keys"))]
pub mod development;
mod file;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod signer;

pub use credential::{CertificateRequest, Credential, issue_certificate};
pub use file::{FileSigner, generate_key};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11Key, Pkcs11Signer};
pub use signer::{SignError, Signer};
