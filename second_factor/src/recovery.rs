//! Recovery codes: each opens once, when the authenticator is lost.

use data_encoding::BASE32_NOPAD;

/// How many there are.
pub const COUNT: usize = 10;

/// A new code, as it is compared ([`crate::compact`]): eighty random bits, so that one round of a hash is enough.
pub fn new() -> String {
    BASE32_NOPAD.encode(&crate::random::<10>()).to_ascii_lowercase()
}

/// A code as it is shown: in groups of four.
pub fn shown(code: &str) -> String {
    let parts: Vec<&str> = [0, 4, 8, 12].into_iter().filter_map(|i| code.get(i..i + 4)).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_taken_as_it_is_shown() {
        let code = super::new();
        assert_eq!(code.len(), 16);
        assert_eq!(crate::compact(&format!(" {} ", super::shown(&code).to_uppercase())), code);
        assert_ne!(super::new(), code);
    }
}
