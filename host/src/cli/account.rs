//! `sysmanage user|token|audit`.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client, encoded},
};

/// Users.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create a user. The password is read from standard input, or asked for.
    Create {
        /// Name to log in with.
        name: String,
        /// Roles, e.g. admin, operator, viewer.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Name to show.
        #[arg(long)]
        display_name: Option<String>,
        /// Address for mail.
        #[arg(long)]
        email: Option<String>,
    },
    /// List users.
    List,
    /// Give a user a new password, read from standard input or asked for.
    ResetPassword {
        /// Name.
        name: String,
    },
    /// Keep a user from logging in.
    Disable {
        /// Name.
        name: String,
    },
    /// Let a disabled user log in again.
    Enable {
        /// Name.
        name: String,
    },
}

impl UserCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Create { name, roles, display_name, email } => {
                let body = json!({"name": name, "roles": roles, "display_name": display_name, "email": email,
                    "password": read_password()?});
                let user = client.post("/api/v1/users", body).await?;
                session.out.done(&user, &format!("user {name} created"))
            }
            Self::List => {
                let users = client.get("/api/v1/users?limit=500").await?;
                session.out.table(&users, &["name", "display_name", "roles", "state", "last_login_at"])
            }
            Self::ResetPassword { name } => {
                let id = user_id(&client, &name).await?;
                let body = json!({"password": read_password()?});
                client.post(&format!("/api/v1/users/{id}/password"), body).await?;
                session
                    .out
                    .done(&json!({"id": id}), &format!("{name} has a new password; all sessions ended"))
            }
            Self::Disable { name } => set_state(session, &client, &name, "disabled").await,
            Self::Enable { name } => set_state(session, &client, &name, "active").await,
        }
    }
}

async fn set_state(session: &Session, client: &Client, name: &str, state: &str) -> anyhow::Result<()> {
    let id = user_id(client, name).await?;
    let body = Body::Json(json!({"state": state}));
    let user = client.call(Method::PATCH, &format!("/api/v1/users/{id}"), body).await?;
    session.out.done(&user, &format!("{name} is {state}"))
}

async fn user_id(client: &Client, name: &str) -> anyhow::Result<String> {
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/v1/users?limit=500{cursor}")).await?;
        let found = page["items"].as_array().into_iter().flatten().find(|u| u["name"] == name);
        if let Some(id) = found.and_then(|u| u["id"].as_str()) {
            return Ok(id.into());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
            None => bail!("there is no user `{name}`"),
        }
    }
}

/// One line of standard input. On a terminal it is asked for, and what is typed is not shown.
fn read_password() -> anyhow::Result<String> {
    let input = std::io::stdin();
    let mut line = String::new();
    if !input.is_terminal() {
        input.lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    write!(std::io::stderr(), "Password: ")?;
    let shown =
        rustix::termios::tcgetattr(&input).context("this terminal cannot hide a password; pipe it in")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(rustix::termios::LocalModes::ECHO);
    rustix::termios::tcsetattr(&input, rustix::termios::OptionalActions::Now, &hidden)?;
    let read = input.lock().read_line(&mut line);
    rustix::termios::tcsetattr(&input, rustix::termios::OptionalActions::Now, &shown)?;
    writeln!(std::io::stderr())?;
    read?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// API tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token and print its secret, this once.
    Create {
        /// What it is for.
        name: String,
        /// Whose token it becomes; yours when absent.
        #[arg(long)]
        user: Option<String>,
        /// Permissions or patterns; all of the user's when absent.
        #[arg(long = "permission")]
        permissions: Vec<String>,
        /// End, e.g. 2030-01-01T00:00:00Z.
        #[arg(long)]
        expires_at: Option<DateTime<Utc>>,
    },
    /// List tokens.
    List,
    /// Revoke a token.
    Revoke {
        /// Id.
        id: uuid::Uuid,
    },
}

impl TokenCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Create { name, user, permissions, expires_at } => {
                let permissions = if permissions.is_empty() { Value::Null } else { json!(permissions) };
                let body =
                    json!({"name": name, "user": user, "permissions": permissions, "expires_at": expires_at});
                let token = client.post("/api/v1/tokens", body).await?;
                session.out.done(&token, token["secret"].as_str().unwrap_or_default())
            }
            Self::List => {
                let tokens = client.get("/api/v1/tokens?limit=500").await?;
                session.out.table(&tokens, &["id", "name", "permissions", "last_used_at", "expires_at"])
            }
            Self::Revoke { id } => {
                client.delete(&format!("/api/v1/tokens/{id}")).await?;
                session.out.done(&json!({"id": id}), "revoked")
            }
        }
    }
}

/// Audit log.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List changes, newest first.
    List {
        /// Actor, e.g. `user:<uuid>`, or a name.
        #[arg(long)]
        actor: Option<String>,
        /// Action, or a prefix that ends in `*`.
        #[arg(long)]
        action: Option<String>,
        /// Kind of thing changed.
        #[arg(long)]
        entity_kind: Option<String>,
        /// Id of thing changed.
        #[arg(long)]
        entity_id: Option<String>,
        /// Most entries.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

impl AuditCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Self::List { actor, action, entity_kind, entity_id, limit } = self;
        let filters =
            [("actor", actor), ("action", action), ("entity_kind", entity_kind), ("entity_id", entity_id)];
        let mut path = format!("/api/v1/audit?limit={limit}");
        for (name, value) in filters {
            if let Some(value) = value {
                path += &format!("&{name}={}", encoded(&value));
            }
        }
        let entries = session.client().await?.get(&path).await?;
        session.out.table(&entries, &["at", "actor_name", "action", "entity_kind", "entity_id", "request_id"])
    }
}
