//! Time-based one-time passwords (RFC 6238): six digits, thirty seconds, SHA-1, which is what every authenticator knows.

use data_encoding::BASE32_NOPAD;
use qrcodegen::{QrCode, QrCodeEcc};
use ring::hmac;

const PERIOD_S: i64 = 30;
/// Steps before and after the present one that are taken: clocks differ.
const DRIFT: i64 = 1;

/// The step at an instant, in seconds since 1970.
pub fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(PERIOD_S)
}

/// The code of a step.
pub fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let hash = tag.as_ref();
    let offset = usize::from(hash.last().copied().unwrap_or(0) & 0x0f);
    let four = hash.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
}

/// The step whose code `given` is, now or nearly.
pub fn matching_step(secret: &[u8], given: &str, now: i64) -> Option<i64> {
    if given.len() != 6 || !given.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let given: u32 = given.parse().ok()?;
    let step = step_at(now);
    // No early end: the time taken must not tell which step it was.
    (step - DRIFT..=step + DRIFT)
        .fold(None, |found, s| if code(secret, s) == given { Some(s) } else { found })
}

/// The secret as authenticators take it by hand.
pub fn shown(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// What the QR code says.
pub fn uri(secret: &[u8], service: &str, user: &str) -> String {
    let issuer = encoded(&format!("SysManage {service}"));
    let user = encoded(user);
    format!(
        "otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={PERIOD_S}",
        shown(secret)
    )
}

/// As a part of a URL.
fn encoded(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A QR code as SVG, in the colour of the text around it, on white, with the margin that scanners need.
pub fn qr_svg(text: &str) -> Option<String> {
    const MARGIN: i32 = 4;
    let qr = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = qr.size() + 2 * MARGIN;
    let mut path = String::new();
    for y in 0..qr.size() {
        for x in (0..qr.size()).filter(|x| qr.get_module(*x, y)) {
            path += &format!("M{},{}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1: the last six of its eight digits.
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(secret, step_at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_more() {
        let secret = b"12345678901234567890";
        for (now, taken) in
            [(1_111_111_111, true), (1_111_111_141, true), (1_111_111_081, true), (1_111_111_175, false)]
        {
            assert_eq!(matching_step(secret, "050471", now).is_some(), taken, "{now}");
        }
        for odd in ["", "50471", "0504710", "05047x", "+50471"] {
            assert_eq!(matching_step(secret, odd, 1_111_111_111), None);
        }
    }

    #[test]
    fn the_qr_code_is_an_image_that_loads_nothing() {
        let uri = uri(b"12345678901234567890", "fleet.example", "ada");
        assert!(
            uri.starts_with("otpauth://totp/SysManage%20fleet.example:ada?secret=GEZDGNBVGY3TQOJQ"),
            "{uri}"
        );
        let svg = qr_svg(&uri).expect("it fits");
        assert!(svg.starts_with("<svg ") && !svg.contains("href") && svg.len() < 60_000, "{}", svg.len());
    }
}
