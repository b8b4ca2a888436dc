//! Which paths a delegation gives.

use tough::schema::PathSet;

use crate::names::hex;

/// The first pattern that is not understood. A shell's brackets are not: one implementation reads them so, another so.
pub(crate) fn unknown(paths: &PathSet) -> Option<&str> {
    let understood = |pattern: &str| {
        !pattern.is_empty() && pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-/*?".contains(&b))
    };
    match paths {
        PathSet::Paths(patterns) => patterns.iter().map(|p| p.value()).find(|p| !understood(p)),
        PathSet::PathHashPrefixes(prefixes) => prefixes
            .iter()
            .map(|p| p.value())
            .find(|p| p.is_empty() || p.len() > 64 || !p.bytes().all(|b| b"0123456789abcdef".contains(&b))),
    }
}

/// Whether a delegation gives a path. `*` and `?` do not reach over a `/`.
pub(crate) fn gives(paths: &PathSet, name: &str) -> bool {
    match paths {
        PathSet::Paths(patterns) => patterns.iter().any(|pattern| matches(pattern.value(), name)),
        PathSet::PathHashPrefixes(prefixes) => {
            let sum = hex(ring::digest::digest(&ring::digest::SHA256, name.as_bytes()).as_ref());
            prefixes.iter().any(|prefix| sum.starts_with(prefix.value()))
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), name.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if part_matches(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// One part, in time that grows with the product of the lengths: the last `*` is the only one ever tried again.
fn part_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&b) if b == b'?' || b == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use tough::schema::{PathHashPrefix, PathPattern};

    use super::*;

    fn paths(patterns: &[&str]) -> PathSet {
        PathSet::Paths(patterns.iter().map(|p| PathPattern::new(*p).expect("a pattern")).collect())
    }

    #[test]
    fn a_star_stays_within_its_part() {
        let given = paths(&["engines/acme/*/*"]);
        assert!(gives(&given, "engines/acme/1.0.0/x.engine"));
        for name in
            ["engines/acme/x.engine", "engines/acme/1/2/x.engine", "engines/acmes/1/x", "Engines/acme/1/x"]
        {
            assert!(!gives(&given, name), "{name}");
        }
        assert!(gives(&paths(&["a?c/*.t*z"]), "abc/x.tz"));
        assert!(gives(&paths(&["*a*b"]), "aab") && !gives(&paths(&["*a*b"]), "aba"));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let given = paths(&[&"*a".repeat(100)]);
        assert!(!gives(&given, &"a".repeat(99)));
        assert!(gives(&given, &"a".repeat(200)));
        assert!(!gives(&given, &format!("{}b", "a".repeat(200))));
    }

    #[test]
    fn prefixes_are_of_the_paths_digest() {
        // printf a | sha256sum
        let prefix =
            |text: &str| PathSet::PathHashPrefixes(vec![PathHashPrefix::new(text).expect("a prefix")]);
        assert!(gives(&prefix("ca978112"), "a") && !gives(&prefix("ca978113"), "a"));
        assert_eq!(unknown(&prefix("CA")), Some("CA"));
        assert_eq!(unknown(&paths(&["a/*", "a/[bc]"])), Some("a/[bc]"));
    }
}
