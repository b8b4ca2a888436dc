//! Signing in through a provider: OpenID Connect, authorization code with PKCE.
//!
//! The journey is kept on the host (`login_flows`), under a cookie that only this browser has: an answer of the provider
//! that another browser began is not taken.

mod claims;
mod provider;
mod users;

use std::collections::BTreeMap;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use provider::OidcError;

use super::{
    AccountError, Services,
    flows::Kind,
    sign_in::{Client, NewSession},
};
use crate::{clock::SharedClock, config::Config};
use provider::Provider;

/// Name of the cookie that ties a journey to a browser.
pub const JOURNEY_COOKIE: &str = "__Host-sign-in";
/// How long a journey may take.
pub const JOURNEY: Duration = Duration::minutes(10);

/// The providers of the configuration.
pub(super) struct Providers(BTreeMap<String, Provider>);

impl Providers {
    pub(super) fn of(config: &Config, clock: &SharedClock) -> anyhow::Result<Self> {
        let made = config
            .auth
            .oidc
            .iter()
            .map(|(id, c)| Ok((id.clone(), Provider::new(id, c.clone(), clock.clone())?)));
        Ok(Self(made.collect::<anyhow::Result<_>>()?))
    }
}

/// A provider, for the sign-in page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OidcMethod {
    /// Its id.
    pub id: String,
    /// What to call it.
    pub name: String,
    /// Where the browser goes.
    pub start: String,
}

/// What is remembered of a journey.
#[derive(Serialize, Deserialize)]
struct Journey {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    return_to: String,
}

/// Where a browser goes next, with what cookie.
pub struct Departure {
    /// The provider's page.
    pub url: String,
    /// The cookie's value.
    pub cookie: String,
}

/// What a provider's answer carries.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Code to exchange.
    pub code: Option<String>,
    /// What ties it to the journey.
    pub state: Option<String>,
    /// The provider's refusal.
    pub error: Option<String>,
}

impl Services {
    /// Providers to sign in through.
    pub fn oidc_methods(&self) -> Vec<OidcMethod> {
        let method = |(id, provider): (&String, &Provider)| OidcMethod {
            id: id.clone(),
            name: provider.name().to_owned(),
            start: format!("/api/v1/auth/oidc/{id}/start"),
        };
        self.providers.0.iter().map(method).collect()
    }

    fn provider(&self, id: &str) -> Result<&Provider, OidcError> {
        self.providers.0.get(id).ok_or(OidcError::UnknownProvider)
    }

    /// Begin a journey; `callback` is where the provider sends the browser back to.
    pub async fn start_oidc(
        &self,
        id: &str,
        callback: &str,
        return_to: &str,
        client: &Client,
    ) -> Result<Departure, OidcError> {
        let provider = self.provider(id)?;
        self.admit(client)?;
        let departure = provider.depart(callback).await?;
        let journey = Journey {
            provider: id.into(),
            state: departure.state,
            nonce: departure.nonce,
            verifier: departure.verifier,
            return_to: own_path(return_to).into(),
        };
        let data = serde_json::to_vec(&journey).map_err(|e| OidcError::Failed(e.to_string()))?;
        let (cookie, _) = self.begin_flow(Kind::Oidc, None, JOURNEY, Some(&data)).await?;
        Ok(Departure { url: departure.url, cookie })
    }

    /// End a journey: the provider's answer becomes a session, and the path to go on to.
    pub async fn finish_oidc(
        &self,
        id: &str,
        callback: &str,
        cookie: Option<&str>,
        answer: Answer,
        client: Client,
    ) -> Result<(NewSession, String), OidcError> {
        let provider = self.provider(id)?;
        self.admit(&client)?;
        let flow = self.use_flow(Kind::Oidc, cookie.ok_or(OidcError::WrongState)?).await;
        let flow = flow.map_err(|error| match error {
            AccountError::HalfSessionEnded => OidcError::WrongState,
            other => other.into(),
        })?;
        let journey: Journey = serde_json::from_slice(&self.flow_data(&flow)?)
            .map_err(|e| OidcError::Failed(format!("a journey is damaged: {e}")))?;
        if journey.provider != id || answer.state.as_deref() != Some(journey.state.as_str()) {
            return Err(OidcError::WrongState);
        }
        // The answer is this journey's, so the journey is over, however it ends.
        if !self.end_flow(flow.id).await? {
            return Err(OidcError::WrongState);
        }
        if let Some(error) = answer.error {
            return Err(OidcError::Denied(error.chars().take(100).collect()));
        }
        let code = answer.code.ok_or(OidcError::WrongState)?;
        let who = provider.arrive(callback, code, journey.verifier, journey.nonce).await?;
        let user = self.user_of(provider, &who, &client).await?;
        let ctx = super::sign_in::context(&user, &client);
        let session = self.begin_session(&ctx, user, client, &format!("oidc:{id}")).await?;
        Ok((session, journey.return_to))
    }

    /// Where a session that began by `method` can be ended at its provider.
    pub async fn provider_logout(&self, method: &str, back: &str) -> Option<String> {
        let provider = self.provider(method.strip_prefix("oidc:")?).ok()?;
        provider.logout_url(back).await
    }
}

/// A path of this host; anything else becomes its front page: the sign-in must not send people elsewhere.
fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 500
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if own { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_sign_in_ends_on_this_host() {
        for own in ["/", "/machines?q=tag:web#top"] {
            assert_eq!(own_path(own), own);
        }
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "machines"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere}");
        }
    }
}
