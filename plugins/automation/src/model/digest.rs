//! SHA-256 over parts that cannot run into each other.

use ring::digest::{Context, SHA256};
use serde::Serialize;

/// SHA-256 of bytes, 64 lower-case hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    hex(context.finish().as_ref())
}

/// SHA-256 over labelled parts, each preceded by its length, so that no two lists of parts look the same.
pub fn of_parts(label: &str, parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex(context.finish().as_ref())
}

/// SHA-256 of a value as JSON. The same value gives the same text: maps are kept in order of their keys.
pub fn of_json<T: Serialize>(label: &str, value: &T) -> String {
    let text = serde_json::to_vec(value).expect("plain data with text keys always has a JSON form");
    of_parts(label, &[&text])
}

/// Lower-case hex digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(of_parts("x", &[b"ab", b"c"]), of_parts("x", &[b"a", b"bc"]));
        assert_ne!(of_parts("x", &[b"ab"]), of_parts("xa", &[b"b"]));
    }

    #[test]
    fn sha256_of_abc_is_the_published_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
