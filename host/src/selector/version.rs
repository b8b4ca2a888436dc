//! Versions as bytes whose order is the order of the versions, so that a database can compare and index them.
//!
//! The order is Debian's: runs of digits count as numbers, `~` comes before the end, letters before other characters,
//! and a leading `<number>:` is an epoch. It also suits versions of systems and agents.

/// Longest version looked at, in bytes; what comes after does not count.
const MOST: usize = 256;

/// The key of a Debian version: two keys compare as `dpkg --compare-versions` says.
pub fn debian_key(version: &str) -> Vec<u8> {
    let cut: String = version.chars().take(MOST).collect();
    let (epoch, rest) = match cut.split_once(':') {
        Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()) => {
            (epoch, rest)
        }
        _ => ("", cut.as_str()),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let mut key = Vec::with_capacity(cut.len() + 16);
    number(epoch, &mut key);
    part(upstream, &mut key);
    part(revision, &mut key);
    key
}

/// The key of another version. `-` begins a pre-release, as in `1.4.0-rc1`, and so comes before the end.
pub fn plain_key(version: &str) -> Vec<u8> {
    let cut: String = version.chars().take(MOST).map(|c| if c == '-' { '~' } else { c }).collect();
    let mut key = Vec::with_capacity(cut.len() + 8);
    part(&cut, &mut key);
    key
}

/// Text and numbers in turn, beginning with text. Each run of text ends with a byte between `~` and every letter.
fn part(text: &str, key: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        key.extend(rest[..digits].bytes().map(weight));
        key.push(END);
        rest = &rest[digits..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        number(&rest[..end], key);
        rest = &rest[end..];
        if rest.is_empty() {
            // What ends here compares with a longer version as with an empty run of text and a zero, for ever.
            key.extend([END, 0]);
            return;
        }
    }
}

const END: u8 = 2;

fn weight(byte: u8) -> u8 {
    match byte {
        b'~' => 1,
        // Letters keep their order below everything else.
        b if b.is_ascii_alphabetic() => b - b'A' + 3,
        b if b < b'A' => b + 64,
        b => b.saturating_add(70),
    }
}

/// Digits without leading zeros, after how many there are.
fn number(digits: &str, key: &mut Vec<u8>) {
    let digits = digits.trim_start_matches('0');
    key.push(u8::try_from(digits.len()).unwrap_or(u8::MAX));
    key.extend(digits.bytes());
}
