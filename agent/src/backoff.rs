//! Waiting longer after each failure, at random, so that many agents do not come back at the same moment.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// Exponential back-off with full jitter: a random time up to a bound that doubles with each failure.
#[derive(Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
    random: SystemRandom,
}

impl Backoff {
    /// Bounds grow from `base` to `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap: cap.max(base), failures: 0, random: SystemRandom::new() }
    }

    /// The upper bound of the next wait.
    pub fn bound(&self) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(self.failures.min(20))).min(self.cap)
    }

    /// How long to wait after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        // Never at once: a host that refuses everybody must not be asked in a circle.
        bound.mul_f64(self.fraction()).max(self.base / 10)
    }

    /// After a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        // Without randomness the bound itself is a fair answer.
        match self.random.fill(&mut bytes) {
            Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
            Err(_) => 1.0,
        }
    }
}
