//! Keys, credentials and the development keys.
#![allow(clippy::unwrap_used)]

mod credentials;
mod development_keys;
mod key_files;
