//! An authenticator, written from RFC 6238 and not from the host's code.

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use ring::hmac;

/// The code that an authenticator with `secret` shows at `now`.
pub fn code(secret: &str, now: DateTime<Utc>) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let counter = u64::try_from(now.timestamp()).unwrap() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let hash = hmac::sign(&key, &counter.to_be_bytes()).as_ref().to_vec();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
