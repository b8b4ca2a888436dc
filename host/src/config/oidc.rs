//! `[auth.oidc.<id>]`: a provider to sign in through.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::ConfigError;

/// A provider to sign in through, by OpenID Connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// What the sign-in page calls it; the id when empty.
    pub name: String,
    /// Its issuer, an https address; `/.well-known/openid-configuration` below it is read.
    pub issuer: String,
    /// This host's id there.
    pub client_id: String,
    /// This host's secret there; empty for a public client.
    pub client_secret: Hidden,
    /// File that holds the secret, instead of `client_secret`.
    pub client_secret_file: String,
    /// What to ask for, besides `openid`.
    pub scopes: Vec<String>,
    /// Claim that lists a user's groups.
    pub groups_claim: String,
    /// Roles by group. When any are given, each sign-in sets the user's roles to those of their groups.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Roles for everybody who comes from there.
    pub default_roles: Vec<String>,
    /// Make a user for who comes for the first time.
    pub create_users: bool,
    /// Let who comes for the first time in as the one user with the same address for mail, where the provider says that
    /// it verified the address.
    pub link_by_verified_email: bool,
    /// PEM file of the authority that the provider's certificate comes from; empty for the system's.
    pub ca_file: String,
    /// Offer to end the provider's session at sign-out.
    pub logout: bool,
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            client_secret: Hidden::default(),
            client_secret_file: String::new(),
            scopes: vec!["profile".into(), "email".into()],
            groups_claim: "groups".into(),
            roles: BTreeMap::new(),
            default_roles: Vec::new(),
            create_users: false,
            link_by_verified_email: false,
            ca_file: String::new(),
            logout: false,
        }
    }
}

impl OidcConfig {
    pub(super) fn check(&self, id: &str) -> Result<(), ConfigError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=32).contains(&id.len()) || !id.bytes().all(allowed) {
            let why = format!("`{id}` has to be 1 to 32 of a-z, 0-9 and `-`");
            return Err(ConfigError::value("auth.oidc", why));
        }
        let local = ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|l| {
            self.issuer.strip_prefix(l).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if !self.issuer.starts_with("https://") && !local {
            let why = format!(
                "{id}: the issuer has to be an https address, without a path that ends in `/.well-known`"
            );
            return Err(ConfigError::value("auth.oidc.issuer", why));
        }
        if self.client_id.is_empty() {
            return Err(ConfigError::value("auth.oidc.client_id", format!("{id}: it must not be empty")));
        }
        if !self.client_secret.0.is_empty() && !self.client_secret_file.is_empty() {
            let why = format!("{id}: give client_secret or client_secret_file, not both");
            return Err(ConfigError::value("auth.oidc.client_secret_file", why));
        }
        Ok(())
    }
}

/// A value that is read and never shown.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "(hidden)" })
    }
}
