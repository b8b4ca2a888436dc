//! `sysmanage role`.

use anyhow::bail;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client},
};

/// Roles.
#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// List roles.
    List,
    /// List permissions that roles may hold.
    Permissions,
    /// Create a role.
    Create(Definition),
    /// Replace a role.
    Update(Definition),
    /// Say whether those who have a role need a second factor; built-in roles take this too.
    RequireTotp {
        /// Name.
        name: String,
        /// Whether.
        #[arg(action = clap::ArgAction::Set)]
        required: bool,
    },
    /// Delete a role that nobody has.
    Delete {
        /// Name.
        name: String,
    },
}

/// What a role is.
#[derive(Debug, Args)]
pub(super) struct Definition {
    /// Name.
    name: String,
    /// Permissions or patterns: machines:read, machines:*, *:read.
    #[arg(long = "permission", required = true)]
    permissions: Vec<String>,
    /// Selector of the machines it reaches; all when absent.
    #[arg(long, default_value = "")]
    scope: String,
    /// What it is for.
    #[arg(long, default_value = "")]
    description: String,
    /// Ask those who have it for a second factor.
    #[arg(long)]
    require_totp: bool,
}

impl Definition {
    fn body(&self) -> Value {
        json!({"name": self.name, "permissions": self.permissions, "scope": self.scope,
            "description": self.description, "require_totp": self.require_totp})
    }
}

impl RoleCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::List => {
                let roles = client.get("/api/v1/roles?limit=500").await?;
                session.out.table(&roles, &["name", "description", "permissions", "scope", "require_totp"])
            }
            Self::Permissions => {
                let permissions = client.get("/api/v1/permissions").await?;
                session.out.table(&permissions, &["name", "description", "roles"])
            }
            Self::Create(new) => {
                let role = client.post("/api/v1/roles", new.body()).await?;
                session.out.done(&role, &format!("role {} created", new.name))
            }
            Self::Update(new) => {
                let path = format!("/api/v1/roles/{}", role_id(&client, &new.name).await?);
                let role = client.call(Method::PUT, &path, Body::Json(new.body())).await?;
                session.out.done(&role, &format!("role {} changed", new.name))
            }
            Self::RequireTotp { name, required } => {
                let path = format!("/api/v1/roles/{}/totp", role_id(&client, &name).await?);
                let role = client.call(Method::PUT, &path, Body::Json(json!({"required": required}))).await?;
                let what = if required { "needs" } else { "no longer needs" };
                session.out.done(&role, &format!("{name} {what} a second factor"))
            }
            Self::Delete { name } => {
                let id = role_id(&client, &name).await?;
                client.delete(&format!("/api/v1/roles/{id}")).await?;
                session.out.done(&json!({"id": id}), &format!("role {name} deleted"))
            }
        }
    }
}

async fn role_id(client: &Client, name: &str) -> anyhow::Result<String> {
    let roles = client.get("/api/v1/roles?limit=500").await?;
    let found = roles["items"].as_array().into_iter().flatten().find(|r| r["name"] == name);
    match found.and_then(|r| r["id"].as_str()) {
        Some(id) => Ok(id.into()),
        None => bail!("there is no role `{name}`"),
    }
}
