//! The portal's signature after a host's receipt: from then on both can show it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trust::{Chain, Kind, SignedDocument, TrustStore, VerifiedSigner};

use super::{Receipt, ReceiptDigest, ReceiptError};

/// What the portal signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// The receipt.
    pub receipt: ReceiptDigest,
    /// When the portal took it.
    pub at: DateTime<Utc>,
    /// The portal's certificates, that of the signing key first.
    pub chain: Chain,
}

impl Countersignature {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// What to sign for a receipt, as [`Kind::Countersignature`].
    pub fn new(receipt: &Receipt, at: DateTime<Utc>, chain: Chain) -> Self {
        Self { format: Self::FORMAT, receipt: receipt.digest(), at, chain }
    }

    /// The text of the countersigned receipt.
    pub fn compose(receipt: &Receipt, signed: &SignedDocument) -> String {
        format!("{}.{signed}", receipt.text())
    }
}

/// A receipt that its host and the portal signed: made only by [`Countersigned::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersigned {
    receipt: Receipt,
    at: DateTime<Utc>,
    signer: VerifiedSigner,
}

impl Countersigned {
    /// Longest text form, in bytes: a receipt, and three certificates.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Read a countersigned receipt and check both signatures, the portal's certificates as of its own date.
    ///
    /// # Errors
    /// Those of [`Receipt::verify`], [`ReceiptError::WrongReceipt`], [`ReceiptError::Untrusted`].
    pub fn verify(text: &str, store: &TrustStore) -> Result<Self, ReceiptError> {
        if text.len() > Self::MAX_BYTES {
            return Err(ReceiptError::TooLarge(Self::MAX_BYTES));
        }
        let mut parts = text.split('.');
        let mut pair = || Some(format!("{}.{}", parts.next()?, parts.next()?));
        let (Some(receipt), Some(counter)) = (pair(), pair()) else {
            return Err(ReceiptError::malformed("it is not countersigned"));
        };
        if parts.next().is_some() {
            return Err(ReceiptError::malformed("it has more than four parts"));
        }
        let receipt = Receipt::verify(&receipt)?;
        let document = SignedDocument::parse("countersignature", &counter, Self::MAX_BYTES)
            .map_err(ReceiptError::malformed)?;
        let says: Countersignature =
            serde_json::from_slice(&document.payload).map_err(ReceiptError::malformed)?;
        if says.format != Countersignature::FORMAT {
            return Err(ReceiptError::UnsupportedFormat(says.format));
        }
        let signer = store.verify_chain(&says.chain, trust::Usage::Portal, says.at)?;
        document.verify(Kind::Countersignature, &signer.key)?;
        if says.receipt != receipt.digest() {
            return Err(ReceiptError::WrongReceipt(receipt.usage().sequence));
        }
        Ok(Self { receipt, at: says.at, signer })
    }

    /// The receipt.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// When the portal took it.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The portal's key.
    pub fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }
}
