//! `[payments]`: Stripe, invoices, and the test payment of development.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How customers pay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Offer a payment that costs nothing and always works. A release build refuses to start with it.
    pub test: bool,
    /// `[payments.stripe]`
    pub stripe: StripeConfig,
}

/// Stripe. Off while `secret_key_file` is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeConfig {
    /// File with the secret key, `sk_...`.
    pub secret_key_file: String,
    /// File with the webhook endpoint's secret, `whsec_...`. Two lines while it is rotated: either is taken.
    pub webhook_secret_file: String,
    /// Where Stripe's API is.
    pub api_url: String,
    /// How old a webhook's signature may be, in seconds.
    pub tolerance_s: u32,
    /// Longest wait for an answer of Stripe, in seconds.
    pub timeout_s: u64,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            secret_key_file: String::new(),
            webhook_secret_file: String::new(),
            api_url: "https://api.stripe.com".into(),
            tolerance_s: 300,
            timeout_s: 20,
        }
    }
}

impl PaymentsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.test && !cfg!(debug_assertions) {
            let why = "the test payment is for development; a release build does not offer it";
            return Err(ConfigError::value("payments.test", why));
        }
        let stripe = &self.stripe;
        if stripe.secret_key_file.is_empty() != stripe.webhook_secret_file.is_empty() {
            let why = "secret_key_file and webhook_secret_file go together";
            return Err(ConfigError::value("payments.stripe.webhook_secret_file", why));
        }
        let local = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
        let secure = stripe.api_url.starts_with("https://");
        if !secure && !local.iter().any(|prefix| stripe.api_url.starts_with(prefix)) {
            let why = "begins with https://; plain HTTP only to this computer";
            return Err(ConfigError::value("payments.stripe.api_url", why));
        }
        ConfigError::range("payments.stripe.tolerance_s", stripe.tolerance_s.into(), 30..=3600)?;
        ConfigError::range("payments.stripe.timeout_s", stripe.timeout_s, 1..=120)
    }
}
