//! Passwords: policy, Argon2id off the async threads, so many at once, and how often one may try.

pub mod limits;
pub mod lockout;
mod well_known;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

const MAX_CHARS: usize = 256;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// What people choose when they must choose something long. Lower case.
static WORST: &str = include_str!("worst-passwords.txt");
/// A hash of nothing anybody knows: logging in as nobody takes as long as logging in as somebody.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&random()).unwrap_or_default());

/// Why a password is not taken, or could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is short, long, or among those that everybody tries.
    #[error("{0}")]
    Weak(String),
    /// Too many are being looked at.
    #[error("Too many people sign in at this moment. Try again shortly.")]
    Busy,
    /// Hashing failed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Hashes and verifies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
}

impl Hasher {
    /// A hasher that works on `at_once` passwords; further ones wait ten seconds at most.
    pub fn new(at_once: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// The PHC string of `password`.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move || hash(password.as_bytes())).await?.map_err(PasswordError::Hash)
    }

    /// Whether `password` is the one hashed; `None` for a user who does not exist.
    pub async fn verify(&self, password: &str, hashed: Option<String>) -> Result<bool, PasswordError> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move || {
            let known = hashed.is_some();
            // Users without a password, who come from a provider, take as long as others.
            let text = hashed.filter(|h| !h.is_empty()).unwrap_or_else(|| NOBODY.clone());
            let fits = PasswordHash::new(&text)
                .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
            known && fits
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let slot = tokio::time::timeout(QUEUE_TIMEOUT, self.slots.clone().acquire_owned());
        let slot = slot.await.map_err(|_| PasswordError::Busy)?;
        let outcome = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        });
        outcome.await.map_err(|e| PasswordError::Hash(e.to_string()))
    }
}

/// A password that nobody knows.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
}

fn hash(password: &[u8]) -> Result<String, String> {
    Argon2::default().hash_password(password).map(|h| h.to_string()).map_err(|e| e.to_string())
}

/// Refuse a password that is short, long, among the worst, or the user's name.
pub fn check(password: &str, user: &str, min_length: usize) -> Result<(), PasswordError> {
    let wrong = |why: String| Err(PasswordError::Weak(why));
    let length = password.chars().count();
    if length < min_length {
        return wrong(format!("The password needs at least {min_length} characters."));
    }
    if length > MAX_CHARS {
        return wrong(format!("The password may have at most {MAX_CHARS} characters."));
    }
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let guessable = WORST.lines().any(|worst| worst == lower)
        || common_forms(&lower).iter().any(|form| well_known::contains(form))
        || distinct.len() < 5
        || (user.len() >= 3 && lower.replace(&user.to_lowercase(), "").chars().count() < 6);
    if guessable {
        return wrong("This password is among the first that an attacker tries; choose another.".into());
    }
    Ok(())
}

/// What a password comes down to: itself, without digits and signs around it, with letters for the digits that stand for
/// them, and what it repeats. `P4ssw0rd!2024` and `dragondragon` are as guessable as `password` and `dragon`.
fn common_forms(lower: &str) -> Vec<String> {
    let letters = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '0' => 'o',
                '1' | '!' => 'i',
                '3' => 'e',
                '4' | '@' => 'a',
                '5' | '$' => 's',
                '7' => 't',
                c => c,
            })
            .collect()
    };
    let bare = lower.trim_matches(|c: char| !c.is_alphabetic());
    // Not the leading part alone: an `@` or `$` may stand for a letter.
    let tail = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let mut forms = vec![lower.to_owned(), letters(lower)];
    for word in [bare.to_owned(), letters(bare), letters(tail)] {
        // Short words are in every sentence; only one that is most of the password makes it guessable.
        if word.chars().count() >= 5 && word.chars().count() * 2 >= lower.chars().count() {
            forms.push(word);
        }
    }
    let half = lower.len() / 2;
    if lower.is_char_boundary(half) && lower[..half] == lower[half..] {
        forms.push(lower[..half].to_owned());
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused_and_others_taken() {
        for bad in [
            "short",
            "passwordpassword",
            "aaaaaaaaaaaaaaaa",
            "administrator",
            "marta-marta12",
            "Password1234",
            "P4ssw0rd!2024",
            "dragondragon",
            "iloveyou12345",
            "sunshine2019!",
        ] {
            assert!(check(bad, "marta", 12).is_err(), "{bad}");
        }
        assert!(check(&"x1y2z".repeat(100), "marta", 12).is_err());
        assert!(check("correct horse battery", "marta", 12).is_ok());
    }

    #[tokio::test]
    async fn only_the_right_password_verifies_and_nobody_has_none() {
        let hasher = Hasher::new(1);
        let hashed = hasher.hash("correct horse battery").await.expect("hashed");
        assert!(hashed.starts_with("$argon2id$"));
        assert!(hasher.verify("correct horse battery", Some(hashed.clone())).await.expect("verified"));
        assert!(!hasher.verify("correct horse", Some(hashed)).await.expect("verified"));
        assert!(!hasher.verify("correct horse battery", None).await.expect("verified"));
    }
}
