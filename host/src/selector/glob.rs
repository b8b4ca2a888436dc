//! Patterns with `*` for any text and `?` for one character. ASCII letters match in either case.

/// A pattern, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(String);

impl Glob {
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// Whether it is text without `*` and `?`.
    pub fn is_plain(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// As written, in lower case.
    pub fn text(&self) -> String {
        self.0.clone()
    }

    /// As an SQL `LIKE` pattern with `\` as escape.
    pub fn like(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 8);
        for c in self.0.chars() {
            match c {
                '*' => pattern.push('%'),
                '?' => pattern.push('_'),
                '%' | '_' | '\\' => pattern.extend(['\\', c]),
                c => pattern.push(c),
            }
        }
        pattern
    }

    /// The first text that it could match, and the first after all of them, in the order of bytes.
    pub fn bounds(&self) -> Option<(String, String)> {
        let plain = |b: &u8| b.is_ascii() && !matches!(b, b'*' | b'?');
        let prefix = &self.0[..self.0.bytes().take_while(|b| plain(b)).count()];
        let (head, last) = prefix.split_at(prefix.len().checked_sub(1)?);
        let next = char::from(last.bytes().next()? + 1);
        Some((prefix.to_owned(), format!("{head}{next}")))
    }

    /// Whether it matches.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_ascii_lowercase().chars().collect();
        let glob: Vec<char> = self.0.chars().collect();
        let (mut t, mut g, mut star) = (0, 0, None);
        while t < text.len() {
            match glob.get(g) {
                Some('*') => {
                    star = Some((g, t));
                    g += 1;
                }
                Some(c) if *c == '?' || *c == text[t] => {
                    g += 1;
                    t += 1;
                }
                // Let the last star take one character more.
                _ => match star {
                    Some((at, taken)) => {
                        star = Some((at, taken + 1));
                        (g, t) = (at + 1, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        glob[g..].iter().all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        for (glob, text, expected) in [
            ("web-*", "WEB-1", true),
            ("*a*b?", "xxaybz", true),
            ("*a*b?", "xxayb", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a_c", "abc", false),
            ("**x", "x", true),
        ] {
            assert_eq!(Glob::new(glob).matches(text), expected, "{glob} {text}");
        }
        assert_eq!(Glob::new("web-*").bounds(), Some(("web-".into(), "web.".into())));
        assert_eq!(Glob::new("*x").bounds(), None);
    }
}
