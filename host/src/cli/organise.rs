//! `sysmanage tag|search`.

use anyhow::{Context, bail};
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client, encoded},
};

/// Tags.
#[derive(Debug, Subcommand)]
pub(super) enum TagCommand {
    /// List tags with how many machines have them.
    List,
    /// Put tags on machines, and take others off.
    Set {
        /// The machines, e.g. `os:debian name:web-*`.
        selector: String,
        /// Tags to put on.
        #[arg(long)]
        add: Vec<String>,
        /// Tags to take off.
        #[arg(long)]
        remove: Vec<String>,
    },
    /// Describe a tag.
    Describe {
        /// The tag.
        tag: String,
        /// What it means.
        #[arg(long)]
        description: Option<String>,
        /// `#rrggbb`.
        #[arg(long)]
        colour: Option<String>,
    },
    /// Make a tag automatic: machines that the rule selects have it, and no others. An empty rule ends it.
    Rule {
        /// The tag.
        tag: String,
        /// The rule.
        selector: String,
    },
    /// Rename a tag.
    Rename {
        /// The tag.
        tag: String,
        /// Its new name.
        to: String,
    },
    /// Delete a tag, from every machine too.
    Remove {
        /// The tag.
        tag: String,
    },
}

impl TagCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let out = &session.out;
        let path = |tag: &str| format!("/api/v1/tags/{}", encoded(tag));
        match self {
            Self::List => {
                let columns = ["name", "machines", "selector", "description"];
                out.table(&client.get("/api/v1/tags").await?, &columns)
            }
            Self::Set { selector, add, remove } => {
                let body = json!({"selector": selector, "add": add, "remove": remove});
                let answer = client.post("/api/v1/machines/-/tags", body).await?;
                out.done(&answer, &format!("{} machines changed", answer["machines"]))
            }
            Self::Describe { tag, description, colour } => {
                let body = json!({"description": description, "colour": colour});
                out.thing(&client.call(Method::PATCH, &path(&tag), Body::Json(body)).await?)
            }
            Self::Rule { tag, selector } => {
                let body = Body::Json(json!({"selector": selector}));
                out.thing(&client.call(Method::PATCH, &path(&tag), body).await?)
            }
            Self::Rename { tag, to } => {
                client.post(&format!("{}/rename", path(&tag)), json!({"name": to})).await?;
                out.done(&json!({"name": to}), &format!("{tag} is {to} now"))
            }
            Self::Remove { tag } => {
                client.delete(&path(&tag)).await?;
                out.done(&json!({"name": tag}), &format!("{tag} removed"))
            }
        }
    }
}

/// Saved searches.
#[derive(Debug, Subcommand)]
pub(super) enum SearchCommand {
    /// List saved searches.
    List,
    /// Show a saved search.
    Show {
        /// Its name.
        name: String,
    },
    /// Save a search, or change the one of this name.
    Save {
        /// 1 to 64 of a-z, 0-9, `-` and `_`.
        name: String,
        /// What it finds.
        selector: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// Let everybody use it.
        #[arg(long)]
        shared: bool,
    },
    /// Delete a saved search that nothing uses.
    Remove {
        /// Its name.
        name: String,
    },
    /// Say what is wrong with a selector, or how many machines it selects.
    Check {
        /// The selector.
        selector: String,
    },
}

impl SearchCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let out = &session.out;
        match self {
            Self::List => {
                let columns = ["name", "shared", "owner_name", "selector"];
                out.table(&client.get("/api/v1/searches?limit=500").await?, &columns)
            }
            Self::Show { name } => {
                out.thing(&named(&client, &name).await?.context("there is no such search")?)
            }
            Self::Save { name, selector, description, shared } => {
                let body =
                    json!({"name": name, "selector": selector, "description": description, "shared": shared});
                let answer = match named(&client, &name).await? {
                    None => client.post("/api/v1/searches", body).await?,
                    Some(known) => client.call(Method::PATCH, &path(&known), Body::Json(body)).await?,
                };
                out.done(&answer, &format!("search:{name} is saved"))
            }
            Self::Remove { name } => {
                let known = named(&client, &name).await?.context("there is no such search")?;
                client.delete(&path(&known)).await?;
                out.done(&json!({"name": name}), &format!("{name} removed"))
            }
            Self::Check { selector } => {
                let answer = client.post("/api/v1/selector/check", json!({"text": selector})).await?;
                if answer["valid"] == true || out.json {
                    return out.thing(&answer);
                }
                let at = answer["problem"]["at"].as_u64().unwrap_or(1).saturating_sub(1) as usize;
                let length = answer["problem"]["length"].as_u64().unwrap_or(1).max(1) as usize;
                let marked = format!("{selector}\n{}{}", " ".repeat(at), "^".repeat(length));
                bail!("{}\n{marked}", answer["problem"]["detail"].as_str().unwrap_or("the selector is wrong"))
            }
        }
    }
}

fn path(search: &Value) -> String {
    format!("/api/v1/searches/{}", search["id"].as_str().unwrap_or_default())
}

async fn named(client: &Client, name: &str) -> anyhow::Result<Option<Value>> {
    let found = client.get(&format!("/api/v1/searches?name={}", encoded(name))).await?;
    Ok(found["items"].get(0).cloned())
}
