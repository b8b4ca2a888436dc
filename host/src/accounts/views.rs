//! What callers see of accounts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::{role, session, token, user};
use crate::permissions::{PermissionSet, Registry};

/// Whether a user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// May log in.
    Active,
    /// May not; sessions and tokens are refused.
    Disabled,
}

impl UserState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub(super) fn of(name: &str) -> Self {
        if name == "active" { Self::Active } else { Self::Disabled }
    }
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Id.
    pub id: Uuid,
    /// Name to log in with.
    pub name: String,
    /// Name to show.
    pub display_name: String,
    /// Address for mail.
    pub email: Option<String>,
    /// Whether the user may log in.
    pub state: UserState,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Locked until then after wrong passwords.
    pub locked_until: Option<DateTime<Utc>>,
    /// Whether a code is asked for at sign-in.
    #[serde(default)]
    pub totp: bool,
    /// Whether there is a password; those who come from a provider need none.
    #[serde(default)]
    pub has_password: bool,
    /// Language of the console, e.g. `de`; empty for the browser's.
    #[serde(default)]
    pub language: String,
    /// Last log-in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When made.
    pub created_at: DateTime<Utc>,
    /// When changed last.
    pub updated_at: DateTime<Utc>,
}

impl User {
    pub(super) fn of(m: user::Model, mut roles: Vec<String>) -> Self {
        roles.sort();
        Self {
            id: m.id,
            name: m.name,
            display_name: m.display_name,
            email: m.email,
            state: UserState::of(&m.state),
            roles,
            locked_until: m.locked_until,
            totp: m.totp_enabled,
            has_password: !m.password_hash.is_empty(),
            language: m.language,
            last_login_at: m.last_login_at,
            created_at: m.created_at,
            updated_at: m.updated_at,
        }
    }
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it came with the host.
    pub built_in: bool,
    /// Names and patterns of permissions; for built-in roles, what they hold now.
    #[schema(value_type = Vec<String>)]
    pub permissions: PermissionSet,
    /// Selector of the machines it reaches; empty for all.
    pub scope: String,
    /// Whether those who have it need a second factor to sign in.
    #[serde(default)]
    pub require_totp: bool,
    /// When made.
    pub created_at: DateTime<Utc>,
    /// When changed last.
    pub updated_at: DateTime<Utc>,
}

impl Role {
    pub(super) fn of(m: role::Model, registry: &Registry) -> Self {
        Self {
            permissions: permissions_of(&m, registry),
            id: m.id,
            name: m.name,
            description: m.description,
            built_in: m.built_in,
            scope: m.scope,
            require_totp: m.require_totp,
            created_at: m.created_at,
            updated_at: m.updated_at,
        }
    }
}

/// What a role allows now.
pub(super) fn permissions_of(role: &role::Model, registry: &Registry) -> PermissionSet {
    if role.built_in { registry.of_role(&role.name) } else { stored(&role.permissions) }
}

/// A permission set from the database; one that does not parse allows nothing.
pub(super) fn stored(json: &serde_json::Value) -> PermissionSet {
    serde_json::from_value(json.clone()).unwrap_or_default()
}

/// A log-in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Id.
    pub id: Uuid,
    /// Address of the client at log-in.
    pub client_ip: Option<String>,
    /// Program of the client at log-in.
    pub user_agent: Option<String>,
    /// What that program is, in a few words: `Firefox on Linux`.
    #[serde(default)]
    pub device: String,
    /// `password`, `password+totp`, `password+recovery_code` or `oidc:<provider>`.
    #[serde(default)]
    pub method: String,
    /// Whether it is the one that asks.
    #[serde(default)]
    pub current: bool,
    /// Log-in.
    pub created_at: DateTime<Utc>,
    /// Last request, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// End, whatever happens.
    pub expires_at: DateTime<Utc>,
}

impl From<session::Model> for Session {
    fn from(m: session::Model) -> Self {
        Self {
            id: m.id,
            client_ip: m.client_ip,
            device: device(m.user_agent.as_deref().unwrap_or_default()),
            user_agent: m.user_agent,
            method: m.method,
            current: false,
            created_at: m.created_at,
            last_used_at: m.last_used_at,
            expires_at: m.expires_at,
        }
    }
}

/// A browser and its system in a few words, from what it calls itself.
fn device(agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
    };
    // Order matters: Edge calls itself Chrome too, and Chrome Safari.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.split(['/', ' ']).next().unwrap_or_default().chars().take(40).collect(),
    }
}

/// An API token without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Id.
    pub id: Uuid,
    /// Whose token.
    pub user_id: Uuid,
    /// What it is for.
    pub name: String,
    /// Names and patterns; never more than its user holds.
    #[schema(value_type = Vec<String>)]
    pub permissions: PermissionSet,
    /// Selector of the machines it reaches, within what its user reaches; empty for all of those.
    #[serde(default)]
    pub scope: String,
    /// How its secret begins.
    #[serde(default)]
    pub prefix: String,
    /// When it got its secret, if that is not its first.
    #[serde(default)]
    pub rotated_at: Option<DateTime<Utc>>,
    /// When made.
    pub created_at: DateTime<Utc>,
    /// Last use, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// End; absent for none.
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<token::Model> for Token {
    fn from(m: token::Model) -> Self {
        Self {
            permissions: stored(&m.permissions),
            id: m.id,
            user_id: m.user_id,
            name: m.name,
            scope: m.scope,
            prefix: m.prefix,
            rotated_at: m.rotated_at,
            created_at: m.created_at,
            last_used_at: m.last_used_at,
            expires_at: m.expires_at,
        }
    }
}
