//! The development keys, whose private halves are in the repository for everybody to see.
//!
//! Only debug builds trust their roots, and only debug builds (or the feature `development-keys`) contain this module.

use crate::{Credential, FileSigner};

macro_rules! key {
    ($name:literal) => {
        FileSigner::parse(include_bytes!(concat!("../../development-keys/", $name, ".pem")))
            .expect("the committed development keys are keys")
    };
}

macro_rules! credential {
    ($name:literal) => {
        Credential::new(
            key!($name),
            [include_str!(concat!("../../development-keys/", $name, ".cert")).trim().to_owned()],
        )
        .expect("the committed development certificates fit their keys")
    };
}

/// The first development root: every other key but acme's is certified by it.
pub fn root_signer() -> FileSigner {
    key!("root-1")
}

/// The second development root, as trusted as the first: for tests of rotation.
pub fn second_root_signer() -> FileSigner {
    key!("root-2")
}

/// Signs packages of every engine.
pub fn publisher_signer() -> Credential {
    credential!("publisher")
}

/// Signs licence tokens for every engine.
pub fn license_signer() -> Credential {
    credential!("license")
}

/// Signs revocation lists.
pub fn revocation_signer() -> Credential {
    credential!("revocation")
}

/// Signs documents of the portal.
pub fn portal_signer() -> Credential {
    credential!("portal")
}

/// Root of "acme", a third party. No build trusts it: a test adds it for the namespace `acme`, `acme_*`.
pub fn acme_root_signer() -> FileSigner {
    key!("acme-root")
}

/// Signs packages of acme's engines.
pub fn acme_publisher_signer() -> Credential {
    credential!("acme-publisher")
}

/// Signs licence tokens for acme's engines.
pub fn acme_license_signer() -> Credential {
    credential!("acme-license")
}

/// A publisher's key whose root nobody trusts.
pub fn stranger_publisher_signer() -> Credential {
    credential!("stranger-publisher")
}
