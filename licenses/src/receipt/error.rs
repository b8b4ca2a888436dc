//! Why a usage receipt was refused: one variant, one stable code.

use chrono::{DateTime, Utc};

/// A receipt, a chain of them or a countersignature that is not accepted. [`ReceiptError::code`] is part of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The text is not a receipt.
    #[error("malformed usage receipt: {0}")]
    Malformed(String),
    /// Longer than a receipt may be.
    #[error("the usage receipt is larger than {0} bytes")]
    TooLarge(usize),
    /// A later format than this version reads.
    #[error("the usage receipt has format {0}; this version reads format 1")]
    UnsupportedFormat(u32),
    /// Not signed by the instance it names, or changed.
    #[error(
        "the signature of usage receipt {0} does not match: it was changed, or is not of the instance it names"
    )]
    BadSignature(u64),
    /// Of another instance or licence than the chain.
    #[error("usage receipt {0} is of another instance or another licence")]
    WrongChain(u64),
    /// Receipts between the last one that is known and this one are missing.
    #[error("usage receipt {found} came, and {expected} is missing: send every receipt from {expected} on")]
    Gap {
        /// The number that would be next.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// There is another receipt of this number, or another one before it.
    #[error("usage receipt {0} contradicts one that is known: there are two histories of this instance")]
    Fork(u64),
    /// Its period begins before the one before it ended.
    #[error("usage receipt {sequence} begins at {from}, before {known}, where the one before it ended")]
    BackDated {
        /// Its number.
        sequence: u64,
        /// Beginning of its period.
        from: DateTime<Utc>,
        /// End of the period before it.
        known: DateTime<Utc>,
    },
    /// Its period ends later than now.
    #[error("usage receipt {sequence} ends at {until}, which is still to come: set the host's clock")]
    Future {
        /// Its number.
        sequence: u64,
        /// End of its period.
        until: DateTime<Utc>,
    },
    /// The countersignature is for another receipt.
    #[error("the countersignature is for another receipt than {0}")]
    WrongReceipt(u64),
    /// The portal's certificates or its signature are not believed; the code is that of the cause.
    #[error(transparent)]
    Untrusted(#[from] trust::Error),
}

impl ReceiptError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_receipt",
            Self::TooLarge(_) => "receipt_too_large",
            Self::UnsupportedFormat(_) => "unsupported_receipt",
            Self::BadSignature(_) => "receipt_bad_signature",
            Self::WrongChain(_) => "receipt_wrong_chain",
            Self::Gap { .. } => "receipt_gap",
            Self::Fork(_) => "receipt_fork",
            Self::BackDated { .. } => "receipt_back_dated",
            Self::Future { .. } => "receipt_from_the_future",
            Self::WrongReceipt(_) => "receipt_countersignature",
            Self::Untrusted(cause) => cause.code(),
        }
    }

    pub(super) fn malformed(why: impl ToString) -> Self {
        Self::Malformed(why.to_string())
    }
}
