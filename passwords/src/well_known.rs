//! Passwords that many people use, as four bytes of a hash each: made by `cargo xtask passwords`.

use ring::digest::{SHA256, digest};

/// Sorted, four bytes each. By chance one in a hundred thousand other passwords is taken for one of these.
static COMMON: &[u8] = include_bytes!("common-passwords.bin");

/// Whether `text`, in lower case, is one of them.
pub(super) fn contains(text: &str) -> bool {
    let hash = digest(&SHA256, text.as_bytes());
    let Some(wanted) = hash.as_ref().first_chunk::<4>() else { return false };
    COMMON.as_chunks::<4>().0.binary_search(wanted).is_ok()
}
