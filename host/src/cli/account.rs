//! `sysmanage user|api-token`.

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
    /// Invite somebody: prints a link that makes one user.
    Invite {
        /// Roles, e.g. admin, operator, viewer.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Name to log in with; the invited chooses when absent.
        #[arg(long)]
        name: Option<String>,
        /// Address for mail.
        #[arg(long)]
        email: Option<String>,
        /// How long the link works.
        #[arg(long, default_value_t = 72)]
        hours: u32,
    },
    /// List invitations that are open.
    Invitations,
    /// Revoke an invitation.
    RevokeInvitation {
        /// Id.
        id: uuid::Uuid,
    },
    /// Let a user who is locked after wrong passwords try again.
    Unlock {
        /// Name.
        name: String,
    },
    /// Take away the second factor of a user who lost it; their sessions end.
    TotpReset {
        /// Name.
        name: String,
    },
    /// List the sessions of a user, or end them.
    Sessions {
        /// Name.
        name: String,
        /// End all of them.
        #[arg(long)]
        end: bool,
    },
    /// Say whether a user may do something, and why.
    Explain {
        /// Name.
        name: String,
        /// Permission, e.g. machines:approve.
        permission: String,
        /// Id of a machine.
        #[arg(long)]
        machine: Option<uuid::Uuid>,
    },
    /// Delete a user, with sessions and API tokens.
    Delete {
        /// Name.
        name: String,
        /// Name of the user who gets what this one made.
        #[arg(long)]
        reassign_to: Option<String>,
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
            Self::Invite { roles, name, email, hours } => {
                let body = json!({"roles": roles, "name": name, "email": email, "expires_in_hours": hours});
                let made = client.post("/api/v1/invitations", body).await?;
                session.out.done(&made, made["url"].as_str().unwrap_or_default())
            }
            Self::Invitations => {
                let open = client.get("/api/v1/invitations?limit=500").await?;
                session.out.table(&open, &["id", "name", "email", "roles", "created_by", "expires_at"])
            }
            Self::RevokeInvitation { id } => {
                client.delete(&format!("/api/v1/invitations/{id}")).await?;
                session.out.done(&json!({"id": id}), "revoked")
            }
            Self::Explain { name, permission, machine } => {
                let body = json!({"user": name, "permission": permission, "machine": machine});
                explained(session, &client.post("/api/v1/access/explain", body).await?)
            }
            Self::Unlock { .. } | Self::TotpReset { .. } | Self::Sessions { .. } | Self::Delete { .. } => {
                self.steer(session, &client).await
            }
        }
    }

    /// What an administrator does to one account.
    async fn steer(self, session: &Session, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Unlock { name } => {
                let id = user_id(client, &name).await?;
                let user = client.post(&format!("/api/v1/users/{id}/unlock"), Value::Null).await?;
                session.out.done(&user, &format!("{name} may try again"))
            }
            Self::TotpReset { name } => {
                let id = user_id(client, &name).await?;
                client.post(&format!("/api/v1/users/{id}/totp-reset"), Value::Null).await?;
                session.out.done(&json!({"id": id}), &format!("{name} has no second factor any more"))
            }
            Self::Sessions { name, end: true } => {
                let id = user_id(client, &name).await?;
                let ended = client.delete(&format!("/api/v1/users/{id}/sessions")).await?;
                session.out.done(&ended, &format!("{} sessions of {name} ended", ended["ended"]))
            }
            Self::Sessions { name, end: false } => {
                let id = user_id(client, &name).await?;
                let sessions = client.get(&format!("/api/v1/users/{id}/sessions")).await?;
                session
                    .out
                    .table(&sessions, &["id", "device", "client_ip", "method", "last_used_at", "expires_at"])
            }
            Self::Delete { name, reassign_to } => {
                let mut path = format!("/api/v1/users/{}", user_id(client, &name).await?);
                if let Some(heir) = reassign_to {
                    path += &format!("?reassign_to={}", user_id(client, &heir).await?);
                }
                client.delete(&path).await?;
                session.out.done(&json!({"name": name}), &format!("{name} deleted"))
            }
            _ => Ok(()),
        }
    }
}

fn explained(session: &Session, answer: &Value) -> anyhow::Result<()> {
    if session.out.json {
        return session.out.json(answer);
    }
    session.out.line(answer["reason"].as_str().unwrap_or_default())?;
    if answer["path"].as_array().is_some_and(|p| !p.is_empty()) {
        session
            .out
            .table(&answer["path"], &["role", "verdict", "grant", "near", "scope", "scope_matches"])?;
    }
    if answer["allowed"] == false {
        let roles =
            answer["roles_with_permission"].as_array().into_iter().flatten().filter_map(Value::as_str);
        session.out.line(&format!("Roles that would do: {}", roles.collect::<Vec<_>>().join(", ")))?;
    }
    Ok(())
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
        /// Selector of the machines it reaches.
        #[arg(long, default_value = "")]
        scope: String,
        /// End, e.g. 2030-01-01T00:00:00Z.
        #[arg(long)]
        expires_at: Option<DateTime<Utc>>,
    },
    /// List tokens.
    List {
        /// Name of another user.
        #[arg(long)]
        user: Option<String>,
    },
    /// Give a token a new secret and print it, this once; the old one ends.
    Rotate {
        /// Id.
        id: uuid::Uuid,
    },
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
            Self::Create { name, user, permissions, scope, expires_at } => {
                let permissions = if permissions.is_empty() { Value::Null } else { json!(permissions) };
                let body = json!({"name": name, "user": user, "permissions": permissions, "scope": scope,
                    "expires_at": expires_at});
                let token = client.post("/api/v1/tokens", body).await?;
                session.out.done(&token, token["secret"].as_str().unwrap_or_default())
            }
            Self::List { user } => {
                let of = user.map(|u| format!("&user={}", encoded(&u))).unwrap_or_default();
                let tokens = client.get(&format!("/api/v1/tokens?limit=500{of}")).await?;
                let columns = ["id", "prefix", "name", "permissions", "scope", "last_used_at", "expires_at"];
                session.out.table(&tokens, &columns)
            }
            Self::Rotate { id } => {
                let token = client.post(&format!("/api/v1/tokens/{id}/rotate"), Value::Null).await?;
                session.out.done(&token, token["secret"].as_str().unwrap_or_default())
            }
            Self::Revoke { id } => {
                client.delete(&format!("/api/v1/tokens/{id}")).await?;
                session.out.done(&json!({"id": id}), "revoked")
            }
        }
    }
}
