//! Replaces secrets in a stream before it leaves the machine, however it is cut into pieces.
//!
//! Besides the value itself its usual disguises are found: single lines of a long one, base64 in all three alignments,
//! hexadecimal, percent-encoding, JSON and shell quoting. A script that means to can still encode a secret in a way
//! nobody foresees; masking is for accidents.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine as _};

use crate::model::{digest::hex, limits::SECRET_MIN_BYTES};

/// What stands where a secret was.
pub const MASK: &[u8] = b"******";
/// Shortest line or disguise that is looked for; shorter ones would hide ordinary words.
const DERIVED_MIN: usize = 8;

/// What to look for.
#[derive(Default)]
pub struct Patterns {
    /// Needles by their first byte.
    by_first: Vec<Vec<Vec<u8>>>,
}

impl Patterns {
    /// The values and their disguises.
    pub fn of(secrets: &[String]) -> Self {
        let mut needles = BTreeSet::new();
        for secret in secrets.iter().map(|s| s.trim()).filter(|s| s.len() >= SECRET_MIN_BYTES) {
            needles.insert(secret.as_bytes().to_vec());
            needles.extend(disguises(secret).into_iter().filter(|n| n.len() >= DERIVED_MIN));
        }
        let mut by_first = Vec::new();
        if !needles.is_empty() {
            by_first.resize(256, Vec::new());
        }
        for needle in needles {
            by_first[usize::from(needle[0])].push(needle);
        }
        Self { by_first }
    }

    /// Length of the longest needle at the start of `rest`, and whether a longer one may still come.
    fn at(&self, rest: &[u8]) -> (usize, bool) {
        let Some(needles) = rest.first().and_then(|b| self.by_first.get(usize::from(*b))) else {
            return (0, false);
        };
        let mut found = (0, false);
        for needle in needles {
            if rest.starts_with(needle) {
                found.0 = found.0.max(needle.len());
            } else if needle.starts_with(rest) {
                found.1 = true;
            }
        }
        found
    }
}

fn disguises(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut all: Vec<Vec<u8>> = secret.lines().map(|line| line.trim().into()).collect();
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset], bytes].concat();
        // Only characters that depend on the secret alone.
        let (from, to) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&shifted), BASE64_URL_SAFE_NO_PAD.encode(&shifted)] {
            all.extend(encoded.as_bytes().get(from..to).map(<[u8]>::to_vec));
        }
    }
    let lower = hex(bytes);
    all.push(lower.to_uppercase().into());
    all.push(lower.into());
    all.push(percent(bytes, |b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)).into());
    all.push(percent(bytes, |b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b)).into());
    all.push(secret.replace('\'', r"'\''").into());
    if let Ok(json) = serde_json::to_string(secret) {
        all.push(json.trim_matches('"').into());
    }
    all
}

fn percent(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if keep(*byte) {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a String cannot fail");
        }
        text
    })
}

/// Masks one stream. Holds back only what may be the beginning of a secret.
pub struct Masker<'a> {
    patterns: &'a Patterns,
    held: Vec<u8>,
    /// How many bytes of `held` belong to a secret already found.
    covered: usize,
    masking: bool,
}

impl<'a> Masker<'a> {
    /// A stream's masker.
    pub fn new(patterns: &'a Patterns) -> Self {
        Self { patterns, held: Vec::new(), covered: 0, masking: false }
    }

    /// The next piece; answers what may go out.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.patterns.by_first.is_empty() {
            return piece.to_vec();
        }
        self.held.extend_from_slice(piece);
        self.drain(false)
    }

    /// The end of the stream; answers what was held back.
    pub fn finish(mut self) -> Vec<u8> {
        self.drain(true)
    }

    fn drain(&mut self, last: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len());
        let mut at = 0;
        while at < self.held.len() {
            let (length, undecided) = self.patterns.at(&self.held[at..]);
            if undecided && !last {
                break;
            }
            self.covered = self.covered.max(at + length);
            if at >= self.covered {
                out.push(self.held[at]);
                self.masking = false;
            } else if !self.masking {
                out.extend_from_slice(MASK);
                self.masking = true;
            }
            at += 1;
        }
        self.held.drain(..at);
        self.covered = self.covered.saturating_sub(at);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(secrets: &[&str], pieces: &[&[u8]]) -> Vec<u8> {
        let patterns = Patterns::of(&secrets.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let mut masker = Masker::new(&patterns);
        let mut out: Vec<u8> = pieces.iter().flat_map(|p| masker.push(p)).collect();
        out.extend(masker.finish());
        out
    }

    #[test]
    fn a_secret_cut_into_pieces_is_masked() {
        assert_eq!(mask(&["hunter2x"], &[b"pw=hun", b"ter", b"2x; ok"]), b"pw=******; ok");
        assert_eq!(mask(&["hunter2x"], &[b"hun", b"gry"]), b"hungry");
    }

    #[test]
    fn nothing_waits_that_cannot_be_a_secret() {
        let patterns = Patterns::of(&["hunter2x".into()]);
        let mut masker = Masker::new(&patterns);
        assert_eq!(masker.push(b"Continue? "), b"Continue? ");
        assert_eq!(masker.push(b"oh hu"), b"oh ");
        assert_eq!(masker.finish(), b"hu");
    }

    #[test]
    fn overlapping_secrets_leave_no_rest() {
        assert_eq!(mask(&["abcdef", "defghi"], &[b"xabcdefghix"]), b"x******x");
    }

    #[test]
    fn usual_disguises_are_masked() {
        let secret = "p@ss w0rd'/\"long enough";
        for text in [
            BASE64_STANDARD_NO_PAD.encode(secret),
            BASE64_STANDARD_NO_PAD.encode(format!("user:{secret}!")),
            BASE64_URL_SAFE_NO_PAD.encode(format!("us:{secret}")),
            hex(secret.as_bytes()),
            "p%40ss%20w0rd%27%2F%22long%20enough".into(),
            r"'p@ss w0rd'\''/".to_owned() + "\"long enough'",
        ] {
            let masked = mask(&[secret], &[text.as_bytes()]);
            assert!(masked.windows(MASK.len()).any(|w| w == MASK), "{text}");
            assert!(masked.len() < text.len(), "{text} -> {}", String::from_utf8_lossy(&masked));
        }
    }

    #[test]
    fn each_line_of_a_key_is_masked() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----\n";
        assert_eq!(mask(&[key], &[b"line MIIEvQIBADANBgkqhkiG end"]), b"line ****** end");
    }

    proptest! {
        #[test]
        fn no_secret_gets_through_however_the_stream_is_cut(
            secrets in prop::collection::vec("[ab]{4,7}", 1..3),
            text in "[abc]{0,80}",
            cuts in prop::collection::vec(0usize..80, 0..12),
        ) {
            let names: Vec<_> = secrets.iter().map(String::as_str).collect();
            let mut at: Vec<_> = cuts.into_iter().filter(|c| *c <= text.len()).collect();
            at.extend([0, text.len()]);
            at.sort_unstable();
            let pieces: Vec<_> = at.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
            let masked = mask(&names, &pieces);
            prop_assert_eq!(&masked, &mask(&names, &[text.as_bytes()]), "cutting changes nothing");
            let shown = String::from_utf8(masked).expect("ASCII stays ASCII");
            for secret in &secrets { prop_assert!(!shown.contains(secret.as_str())); }
            if secrets.iter().all(|s| !text.contains(s.as_str())) { prop_assert_eq!(shown, text); }
        }

        #[test]
        fn arbitrary_bytes_pass_or_are_masked(
            secret in "[ -~]{4,20}",
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
        ) {
            let views: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let whole = pieces.concat();
            prop_assert_eq!(mask(&[&secret], &views), mask(&[&secret], &[&whole]));
        }
    }
}
