//! One provider: its discovery document and keys, kept for an hour and read again when a signature does not fit them; the
//! two calls of the code flow.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, future::BoxFuture};
use http::StatusCode;
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde_json::Value;
use tokio::sync::Mutex;

use super::claims::{Person, Rest};
use crate::{accounts::AccountError, clock::SharedClock, config::OidcConfig, problem::SliceError};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 1024 * 1024;
const FRESH: chrono::Duration = chrono::Duration::hours(1);
/// Keys are not read again sooner: a flood of forged tokens must not become a flood of requests.
const LEAST_BETWEEN: chrono::Duration = chrono::Duration::seconds(5);

type Tokens = StandardTokenResponse<
    openidconnect::IdTokenFields<
        Rest,
        openidconnect::EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
type Relying = openidconnect::Client<
    Rest,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why signing in through a provider failed.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No such provider.
    #[error("There is no such provider; the sign-in page lists those there are.")]
    UnknownProvider,
    /// The answer is not of a journey that this browser began, or took too long.
    #[error("This sign-in was begun in another window, or took too long. Begin again.")]
    WrongState,
    /// The provider refused, or the person did not want to.
    #[error("The provider did not sign you in: {0}.")]
    Denied(String),
    /// The provider cannot be reached, or does not speak the protocol.
    #[error("The provider cannot be reached or answered wrongly; the host's log says more.")]
    Provider(String),
    /// The provider's token does not hold.
    #[error("The provider's answer does not prove who you are; the host's log says more.")]
    Token(String),
    /// Nobody here.
    #[error("You have no account here. Ask an administrator.")]
    NoAccount,
    /// Disabled here.
    #[error("Your account here is disabled.")]
    Disabled,
    /// The host failed.
    #[error("the sign-in failed: {0}")]
    Failed(String),
    /// Accounts failed.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<sea_orm::DbErr> for OidcError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Account(error.into())
    }
}

impl SliceError for OidcError {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownProvider => StatusCode::NOT_FOUND,
            Self::WrongState => StatusCode::BAD_REQUEST,
            Self::Denied(_) | Self::NoAccount | Self::Disabled => StatusCode::FORBIDDEN,
            Self::Provider(_) | Self::Token(_) => StatusCode::BAD_GATEWAY,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Account(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownProvider => "not_found",
            Self::WrongState => "oidc_wrong_state",
            Self::Denied(_) => "oidc_denied",
            Self::Provider(_) => "oidc_provider_failed",
            Self::Token(_) => "oidc_wrong_token",
            Self::NoAccount => "oidc_no_account",
            Self::Disabled => "oidc_disabled",
            Self::Failed(_) => "internal",
            Self::Account(e) => e.code(),
        }
    }
}

/// A provider of the configuration.
pub(super) struct Provider {
    id: String,
    pub(super) config: OidcConfig,
    secret: Option<ClientSecret>,
    http: Http,
    clock: SharedClock,
    known: Mutex<Option<(DateTime<Utc>, ProviderMetadataWithLogout)>>,
}

/// The beginning of a journey.
pub(super) struct Departing {
    pub(super) url: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// A request to the provider that failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unanswered(String);

impl Provider {
    pub(super) fn new(id: &str, config: OidcConfig, clock: SharedClock) -> anyhow::Result<Self> {
        let mut secret = config.client_secret.0.clone();
        if !config.client_secret_file.is_empty() {
            let file = &config.client_secret_file;
            secret = std::fs::read_to_string(file)
                .with_context(|| format!("auth.oidc.{id}.client_secret_file: {file} cannot be read"))?;
        }
        let secret = secret.trim();
        // What a provider redirects to is not followed: it could lead inside.
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT);
        if !config.ca_file.is_empty() {
            let pem = std::fs::read(&config.ca_file)
                .with_context(|| format!("auth.oidc.{id}.ca_file: {} cannot be read", config.ca_file))?;
            let authority = reqwest::Certificate::from_pem(&pem).with_context(|| {
                format!("auth.oidc.{id}.ca_file: {} is no PEM certificate", config.ca_file)
            })?;
            http = http.tls_certs_only([authority]);
        }
        crate::pki::install_crypto();
        Ok(Self {
            id: id.into(),
            secret: (!secret.is_empty()).then(|| ClientSecret::new(secret.into())),
            config,
            http: Http(http.build()?),
            clock,
            known: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn name(&self) -> &str {
        if self.config.name.is_empty() { &self.id } else { &self.config.name }
    }

    /// The provider's page to sign in at, and what to remember until the answer.
    pub(super) async fn depart(&self, callback: &str) -> Result<Departing, OidcError> {
        let client = self.client(self.metadata(FRESH).await?, callback)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        Ok(Departing {
            url: url.into(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Exchange a code, and verify who came.
    pub(super) async fn arrive(
        &self,
        callback: &str,
        code: String,
        verifier: String,
        nonce: String,
    ) -> Result<Person, OidcError> {
        let client = self.client(self.metadata(FRESH).await?, callback)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|e| self.wrong("has no token endpoint", e))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|e| self.wrong("did not exchange the code", e))?;
        let nonce = Nonce::new(nonce);
        let claims = match self.verified(&client, &tokens, &nonce) {
            // The provider may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(why)) => {
                tracing::info!(provider = %self.id, %why, "reading the provider's keys again");
                let client = self.client(self.metadata(LEAST_BETWEEN).await?, callback)?;
                self.verified(&client, &tokens, &nonce)
            }
            done => done,
        };
        let claims = claims.map_err(|e| {
            tracing::warn!(provider = %self.id, error = %chain(&e), "an ID token does not hold");
            OidcError::Token(chain(&e))
        })?;
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let more = self.user_info(&client, &tokens, &subject).await;
        Person::of(self.config.issuer.clone(), claims, more, &self.config.groups_claim)
            .ok_or_else(|| OidcError::Token("the ID token names nobody".into()))
    }

    fn verified(
        &self,
        client: &Relying,
        tokens: &Tokens,
        nonce: &Nonce,
    ) -> Result<Value, ClaimsVerificationError> {
        use CoreJwsSigningAlgorithm as Alg;
        let id_token =
            tokens.id_token().ok_or_else(|| ClaimsVerificationError::Other("there is no ID token".into()))?;
        let clock = self.clock.clone();
        // Signed with a key that only the provider has: no shared secret, no signature-less token.
        let verifier = client.id_token_verifier().set_time_fn(move || clock.now()).set_allowed_algs([
            Alg::RsaSsaPkcs1V15Sha256,
            Alg::RsaSsaPkcs1V15Sha384,
            Alg::RsaSsaPkcs1V15Sha512,
            Alg::RsaSsaPssSha256,
            Alg::RsaSsaPssSha384,
            Alg::RsaSsaPssSha512,
            Alg::EcdsaP256Sha256,
            Alg::EcdsaP384Sha384,
            Alg::EdDsa,
        ]);
        let claims = id_token.claims(&verifier, nonce)?;
        let other = |e: String| ClaimsVerificationError::Other(e);
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|e| other(e.to_string()))?;
            let key =
                id_token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(|e| other(e.to_string()))? != *expected {
                return Err(other("the access token belongs to another ID token".into()));
            }
        }
        serde_json::to_value(claims).map_err(|e| other(e.to_string()))
    }

    /// What the provider tells besides; many tell groups and addresses only here. Nothing when it fails.
    async fn user_info(&self, client: &Relying, tokens: &Tokens, subject: &str) -> Value {
        let subject = openidconnect::SubjectIdentifier::new(subject.into());
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) else {
            return Value::Null;
        };
        let told: Result<UserInfoClaims<Rest, CoreGenderClaim>, _> = request.request_async(&self.http).await;
        match told {
            Ok(claims) => serde_json::to_value(claims).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(provider = %self.id, error = %chain(&error), "the provider does not tell about a user");
                Value::Null
            }
        }
    }

    /// Where the provider's own session can be ended.
    pub(super) async fn logout_url(&self, back: &str) -> Option<String> {
        if !self.config.logout {
            return None;
        }
        let metadata = self.metadata(FRESH).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(ClientId::new(self.config.client_id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.into()).ok()?);
        Some(request.http_get_url().into())
    }

    fn client(&self, metadata: ProviderMetadataWithLogout, callback: &str) -> Result<Relying, OidcError> {
        let callback = RedirectUrl::new(callback.into()).map_err(|e| OidcError::Failed(e.to_string()))?;
        let id = ClientId::new(self.config.client_id.clone());
        Ok(Relying::from_provider_metadata(metadata, id, self.secret.clone()).set_redirect_uri(callback))
    }

    /// The discovery document and the keys, at most this old.
    async fn metadata(&self, at_most: chrono::Duration) -> Result<ProviderMetadataWithLogout, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = known.as_ref()
            && self.clock.now() - *at < at_most
        {
            return Ok(metadata.clone());
        }
        let issuer =
            IssuerUrl::new(self.config.issuer.clone()).map_err(|e| OidcError::Failed(e.to_string()))?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &self.http).await;
        let metadata = metadata.map_err(|e| self.wrong("cannot be discovered", e))?;
        *known = Some((self.clock.now(), metadata.clone()));
        Ok(metadata)
    }

    fn wrong(&self, what: &str, error: impl std::error::Error) -> OidcError {
        let why = format!("{what}: {}", chain(&error));
        tracing::warn!(provider = %self.id, error = %why, "a provider fails");
        OidcError::Provider(why)
    }
}

/// The client of a provider. Its futures are boxed: the library's own are not `Send` for every lifetime.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(call(&self.0, request))
    }
}

async fn call(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
    let failed = |e: reqwest::Error| Unanswered(e.without_url().to_string());
    let (parts, body) = request.into_parts();
    let answer = http
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .map_err(failed)?;
    let mut response = http::Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.extend(answer.headers().clone());
    }
    let mut bytes = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(failed)?);
        if bytes.len() > MAX_ANSWER {
            return Err(Unanswered(format!("the answer has more than {MAX_ANSWER} bytes")));
        }
    }
    response.body(bytes).map_err(|e| Unanswered(e.to_string()))
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
