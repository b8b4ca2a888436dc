//! Fingerprints: of the authority, which agents pin, and of keys, which machines are known by.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

macro_rules! fingerprint {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The fingerprint of these DER bytes.
            pub fn of(der: &[u8]) -> Self {
                Self(HEXLOWER.encode(digest(&SHA256, der).as_ref()))
            }

            /// Lower-case hexadecimal, as stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// Takes hexadecimal of either case, with or without `sha256:` and colons.
        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bare = text.trim().strip_prefix("sha256:").unwrap_or(text.trim());
                let hex: String = bare.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
                match HEXLOWER.decode(hex.as_bytes()) {
                    Ok(bytes) if bytes.len() == 32 => Ok(Self(hex)),
                    _ => Err("not a SHA-256 fingerprint: 64 hexadecimal digits are expected"),
                }
            }
        }
    };
}

fingerprint! {
    /// SHA-256 of the authority's certificate (DER). What `sysmanage-agent enroll --ca-fingerprint` takes.
    CaFingerprint
}

fingerprint! {
    /// SHA-256 of a public key (SubjectPublicKeyInfo, DER). A machine's identity.
    KeyFingerprint
}

impl KeyFingerprint {
    /// Of the key in a certificate; `None` when the bytes are no certificate.
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        Some(Self::of(certificate.public_key().raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_every_common_spelling() {
        let plain = KeyFingerprint::of(b"key");
        let hex = plain.as_str().to_uppercase();
        let pairs: Vec<_> =
            hex.as_bytes().chunks(2).map(|p| String::from_utf8_lossy(p).into_owned()).collect();
        for text in [hex.clone(), format!("sha256:{plain}"), pairs.join(":")] {
            assert_eq!(text.parse().as_ref(), Ok(&plain));
        }
        for bad in ["", "sha256:", "abc", &hex[2..], &format!("{hex}00"), &"g".repeat(64)] {
            assert!(bad.parse::<KeyFingerprint>().is_err(), "{bad}");
        }
    }
}
