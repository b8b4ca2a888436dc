//! How receipts follow each other.

use chrono::{DateTime, Duration, Utc};

use super::{Receipt, ReceiptError};

/// How far a host's clock may be ahead of the one that checks.
const AHEAD: Duration = Duration::minutes(5);

/// Where a receipt belongs in a chain that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the next one.
    Next,
    /// It is the one that is known under this number.
    Known,
}

/// Where `receipt` belongs: after `head`, the last one that is known, or in the place of `same`, the known one of its number.
/// `now` is the time of whoever checks.
///
/// # Errors
/// [`ReceiptError::Fork`] for another receipt than the known one of its number, or one that goes on from another receipt;
/// [`ReceiptError::Gap`], [`ReceiptError::BackDated`], [`ReceiptError::Future`], [`ReceiptError::WrongChain`].
pub fn place(
    receipt: &Receipt,
    head: Option<&Receipt>,
    same: Option<&Receipt>,
    now: DateTime<Utc>,
) -> Result<Standing, ReceiptError> {
    let usage = receipt.usage();
    if let Some(known) = same {
        return if known == receipt { Ok(Standing::Known) } else { Err(ReceiptError::Fork(usage.sequence)) };
    }
    follows(receipt, head)?;
    if usage.until > now + AHEAD {
        return Err(ReceiptError::Future { sequence: usage.sequence, until: usage.until });
    }
    Ok(Standing::Next)
}

/// Check a chain from its first receipt on: one instance, one licence, no gap, no fork, no period twice.
///
/// # Errors
/// That of the first receipt that does not follow the one before it.
pub fn verify_chain<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Result<(), ReceiptError> {
    let mut before = None;
    for receipt in receipts {
        follows(receipt, before)?;
        before = Some(receipt);
    }
    Ok(())
}

/// Whether `receipt` is the one after `before`.
pub(super) fn follows(receipt: &Receipt, before: Option<&Receipt>) -> Result<(), ReceiptError> {
    let usage = receipt.usage();
    let sequence = usage.sequence;
    let Some(before) = before else {
        return if sequence == 1 { Ok(()) } else { Err(ReceiptError::Gap { expected: 1, found: sequence }) };
    };
    let known = before.usage();
    if known.instance != usage.instance || known.license != usage.license {
        return Err(ReceiptError::WrongChain(sequence));
    }
    let expected = known.sequence.saturating_add(1);
    if sequence > expected {
        return Err(ReceiptError::Gap { expected, found: sequence });
    }
    if sequence < expected || usage.previous != Some(before.digest()) {
        return Err(ReceiptError::Fork(sequence));
    }
    if usage.from < known.until {
        return Err(ReceiptError::BackDated { sequence, from: usage.from, known: known.until });
    }
    Ok(())
}
