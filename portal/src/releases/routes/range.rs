//! The header `Range`: one range of bytes (RFC 9110). Several are answered with the whole, as the standard allows.

/// What of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it.
    Whole,
    /// From the first to the last byte, both included.
    Part(u64, u64),
    /// Nothing that there is.
    Unsatisfiable,
}

/// Read the header for a file of `size` bytes. What does not read is ignored.
pub(super) fn parse(header: Option<&str>, size: u64) -> Range {
    let Some(spec) = header.and_then(|h| h.trim().strip_prefix("bytes=")) else { return Range::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Range::Whole };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|b| b.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(u64::MAX))),
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            let end = last.unwrap_or(u64::MAX).min(size.saturating_sub(1));
            match last {
                Some(last) if last < first => Range::Whole,
                _ if first >= size => Range::Unsatisfiable,
                _ => Range::Part(first, end),
            }
        }
        (Some(None), Some(Some(0))) => Range::Unsatisfiable,
        (Some(None), Some(Some(_))) if size == 0 => Range::Unsatisfiable,
        (Some(None), Some(Some(tail))) => Range::Part(size.saturating_sub(tail), size - 1),
        _ => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, wanted) in [
            (None, Range::Whole),
            (Some("bytes=0-0"), Range::Part(0, 0)),
            (Some("bytes=3-"), Range::Part(3, 9)),
            (Some("bytes=3-100"), Range::Part(3, 9)),
            (Some("bytes=-4"), Range::Part(6, 9)),
            (Some("bytes=-100"), Range::Part(0, 9)),
            (Some("bytes=10-"), Range::Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Range::Unsatisfiable),
            (Some("bytes=-0"), Range::Unsatisfiable),
            (Some("bytes=5-3"), Range::Whole),
            (Some("bytes=0-1,3-4"), Range::Whole),
            (Some("bytes=-"), Range::Whole),
            (Some("bytes=a-b"), Range::Whole),
            (Some("bytes=+1-2"), Range::Whole),
            (Some("lines=1-2"), Range::Whole),
        ] {
            assert_eq!(parse(header, 10), wanted, "{header:?}");
        }
        assert_eq!(parse(Some("bytes=-5"), 0), Range::Unsatisfiable);
    }
}
