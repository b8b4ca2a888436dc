//! Usage receipts: what a host says it used, in a form that neither side can change later.
//!
//! A host writes one [`Receipt`] for a period: how many machines it had at most. It signs it with its instance key and names
//! the SHA-256 of the receipt before it, so that the receipts of a licence on an instance form one chain that begins with
//! number 1. The portal adds a [`Countersignature`]: from then on the host can show what it told, and the portal can show
//! what it was told. Everything here is a pure function; either side checks the other's word with the same ones.
//!
//! Text forms: a receipt is `payload.signature`; a countersigned one is that with `.payload.signature` of the portal after it.

mod chain;
mod countersignature;
mod digest;
mod error;

pub use chain::{Standing, place, verify_chain};
pub use countersignature::{Countersignature, Countersigned};
pub use digest::ReceiptDigest;
pub use error::ReceiptError;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trust::{Kind, PublicKey, SignedDocument};

use crate::InstanceKey;

/// What a receipt says. Signed as JSON; the exact bytes are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// The instance's public key: a receipt can be checked without asking anybody.
    pub instance: PublicKey,
    /// Id of the licence that was used.
    pub license: String,
    /// Number in the chain of this licence on this instance, from 1.
    pub sequence: u64,
    /// SHA-256 of the receipt before it ([`Receipt::digest`]); absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<ReceiptDigest>,
    /// Beginning of the period.
    pub from: DateTime<Utc>,
    /// End of the period.
    pub until: DateTime<Utc>,
    /// Most machines approved at once in the period.
    pub machines: u64,
    /// Most child machines (virtual machines, containers) at once in the period.
    pub child_machines: u64,
    /// Head of the host's hash-chained ledger at the end of the period, where it keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
}

/// What was used, to be put into the next receipt of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Beginning.
    pub from: DateTime<Utc>,
    /// End.
    pub until: DateTime<Utc>,
    /// Most machines approved at once.
    pub machines: u64,
    /// Most child machines at once.
    pub child_machines: u64,
    /// Head of the ledger.
    pub ledger: Option<String>,
}

impl Usage {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
    /// Longest licence id or head of a ledger, in bytes.
    pub const MAX_TEXT: usize = 200;

    /// What is impossible in it.
    fn fault(&self) -> Option<&'static str> {
        let too_long = |text: &str| text.is_empty() || text.len() > Self::MAX_TEXT;
        if too_long(&self.license) || self.ledger.as_deref().is_some_and(too_long) {
            return Some("licence or ledger is empty or too long");
        }
        if self.sequence == 0 {
            return Some("receipts are numbered from 1");
        }
        if self.previous.is_some() != (self.sequence > 1) {
            return Some("every receipt but the first names the one before it");
        }
        (self.until <= self.from).then_some("its period ends before it begins")
    }
}

/// A receipt whose host's signature was checked: made only by [`Receipt::sign`] and [`Receipt::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    usage: Usage,
    text: String,
}

impl Receipt {
    /// Longest text form, in bytes.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// Sign the next receipt of a chain: the one after `before`, or the first one.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`] for a period that cannot be, [`ReceiptError::WrongChain`] and
    /// [`ReceiptError::BackDated`] where it does not go on from `before`.
    pub fn sign(
        key: &InstanceKey,
        license: &str,
        before: Option<&Self>,
        period: Period,
    ) -> Result<Self, ReceiptError> {
        let usage = Usage {
            format: Usage::FORMAT,
            instance: key.public_key(),
            license: license.to_owned(),
            sequence: before.map_or(1, |before| before.usage.sequence.saturating_add(1)),
            previous: before.map(Self::digest),
            from: period.from,
            until: period.until,
            machines: period.machines,
            child_machines: period.child_machines,
            ledger: period.ledger,
        };
        if let Some(fault) = usage.fault() {
            return Err(ReceiptError::malformed(fault));
        }
        let payload = serde_json::to_vec(&usage).map_err(ReceiptError::malformed)?;
        let signature = key.sign(Kind::UsageReceipt, &payload);
        let receipt = Self { usage, text: SignedDocument { payload, signature }.to_string() };
        chain::follows(&receipt, before)?;
        Ok(receipt)
    }

    /// Read a receipt and check its signature by the instance that it names. Whether that is the instance one talks to, and
    /// whether the receipt fits its chain, is for [`place`] and [`verify_chain`].
    ///
    /// # Errors
    /// [`ReceiptError::TooLarge`], [`ReceiptError::Malformed`], [`ReceiptError::UnsupportedFormat`],
    /// [`ReceiptError::BadSignature`].
    pub fn verify(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > Self::MAX_BYTES {
            return Err(ReceiptError::TooLarge(Self::MAX_BYTES));
        }
        let document =
            SignedDocument::parse("usage receipt", text, Self::MAX_BYTES).map_err(ReceiptError::malformed)?;
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        let head: Head = serde_json::from_slice(&document.payload).map_err(ReceiptError::malformed)?;
        if head.v != Usage::FORMAT {
            return Err(ReceiptError::UnsupportedFormat(head.v));
        }
        let usage: Usage = serde_json::from_slice(&document.payload).map_err(ReceiptError::malformed)?;
        document
            .verify(Kind::UsageReceipt, &usage.instance)
            .map_err(|_| ReceiptError::BadSignature(usage.sequence))?;
        match usage.fault() {
            Some(fault) => Err(ReceiptError::malformed(fault)),
            // The text is written anew: one receipt has one text, and so one digest.
            None => Ok(Self { usage, text: document.to_string() }),
        }
    }

    /// What it says.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Its text form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the next receipt names as the one before it.
    pub fn digest(&self) -> ReceiptDigest {
        ReceiptDigest::of(&self.text)
    }
}
