//! Second factors: one-time passwords by time, recovery codes, and how their secrets are sealed. Pure functions; who is asked
//! for a code, and how often a wrong one may be given, is for host and portal.

pub mod recovery;
mod sealing;
pub mod totp;

pub use sealing::{Sealer, Unsealable};

use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes of the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// A code as typed: without spaces and dashes, in one case.
pub fn compact(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_lowercase()
}
