//! A list of stolen passwords that the operator supplies: a text file of SHA-1 hashes in hexadecimal, sorted, one a line,
//! each with an optional `:count` (the form in which Have I Been Pwned gives its list out). It is searched where it lies.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

use data_encoding::HEXUPPER;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::AccountError;

const HASH: usize = 40;
/// Longest line: a hash, a colon, a count, line ends.
const LINE: usize = 64;

/// The list; none when no file is configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breached(Option<PathBuf>);

impl Breached {
    /// The list in `file`; an empty name for none. The file has to be there and to look like such a list.
    pub(crate) fn open(file: &str) -> anyhow::Result<Self> {
        if file.is_empty() {
            return Ok(Self::default());
        }
        let list = Self(Some(file.into()));
        list.find("").map_err(|error| anyhow::anyhow!("auth.breached_passwords_file: {file}: {error}"))?;
        Ok(list)
    }

    /// Whether `password` is in the list. A file that cannot be read now is logged, not taken for "no".
    pub(crate) async fn contains(&self, password: &str) -> Result<bool, AccountError> {
        if self.0.is_none() {
            return Ok(false);
        }
        let hash = HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref());
        let list = self.clone();
        let found = tokio::task::spawn_blocking(move || list.find(&hash)).await;
        found.map_err(io::Error::other).and_then(|found| found).map_err(AccountError::BreachedList)
    }

    /// Binary search by byte offset; each step reads one line.
    fn find(&self, wanted: &str) -> io::Result<bool> {
        let Some(path) = &self.0 else { return Ok(false) };
        let mut file = File::open(path)?;
        let (mut low, mut high) = (0, file.metadata()?.len());
        // Even a list of a billion hashes takes forty steps.
        while low < high {
            let middle = low + (high - low) / 2;
            match line_from(&mut file, middle, low)? {
                Some((_, hash)) if hash == wanted => return Ok(true),
                Some((next, hash)) if hash.as_str() < wanted => low = next,
                Some(_) | None => high = middle,
            }
        }
        Ok(false)
    }
}

/// The first line that begins at or after `at` (at `low`, a line is known to begin): where it ends, and its hash.
fn line_from(file: &mut File, at: u64, low: u64) -> io::Result<Option<(u64, String)>> {
    let from = at.saturating_sub(1).max(low);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(LINE * 2);
    file.by_ref().take((LINE * 2) as u64).read_to_end(&mut bytes)?;
    let skip = match from == low {
        true if at == low => 0,
        _ => match bytes.iter().position(|b| *b == b'\n') {
            Some(end) => end + 1,
            None => return Ok(None),
        },
    };
    let line = &bytes[skip..];
    if line.is_empty() {
        return Ok(None);
    }
    let end = line.iter().position(|b| *b == b'\n').map_or(line.len(), |end| end + 1);
    let hash = line.get(..HASH).filter(|h| h.iter().all(u8::is_ascii_hexdigit) && end <= LINE);
    let hash =
        hash.ok_or_else(|| io::Error::other("a line does not begin with a SHA-1 hash in hexadecimal"))?;
    Ok(Some((from + (skip + end) as u64, String::from_utf8_lossy(hash).to_ascii_uppercase())))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn list(passwords: &[String], counts: bool) -> (tempfile::NamedTempFile, Breached) {
        let mut lines: Vec<String> = passwords
            .iter()
            .map(|p| HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, p.as_bytes()).as_ref()))
            .collect();
        lines.sort();
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        for (i, line) in lines.iter().enumerate() {
            let count = if counts { format!(":{}", i * 7919) } else { String::new() };
            write!(file, "{line}{count}\r\n").expect("written");
        }
        let list = Breached::open(file.path().to_str().expect("text")).expect("a list");
        (file, list)
    }

    #[tokio::test]
    async fn every_password_of_a_list_is_found_and_no_other() {
        for length in [0usize, 1, 2, 3, 1000] {
            let listed: Vec<String> = (0..length).map(|i| format!("stolen password {i}")).collect();
            let (_file, list) = list(&listed, length % 2 == 0);
            for password in &listed {
                assert!(list.contains(password).await.expect("searched"), "{password} of {length}");
            }
            for i in 0..200 {
                assert!(!list.contains(&format!("never stolen {i}")).await.expect("searched"));
            }
        }
    }

    #[test]
    fn a_file_that_is_no_such_list_is_refused_by_name() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"password\n123456\n").expect("written");
        let error = Breached::open(file.path().to_str().expect("text")).expect_err("refused").to_string();
        assert!(error.contains("SHA-1"), "{error}");
        assert!(Breached::open("/nowhere/list").expect_err("refused").to_string().contains("/nowhere/list"));
    }
}
