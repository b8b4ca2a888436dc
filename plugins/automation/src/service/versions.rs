//! Versions of scripts: immutable, hashed, compared.

use plugin_sdk::{Ctx, sea_orm::TransactionTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;
use similar::TextDiff;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Service, check_range, check_text, flat};
use crate::{
    entities::{script, script_version},
    error::{Error, Result},
    model::{
        binding::Behaviour,
        digest,
        interpreter::{Interpreter, Passing},
        limits,
        parameter::{self, Kind, Parameter},
    },
    permissions,
    store::{self, PageRequest},
    views::{Page, VersionView},
};

/// A version to add.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// Text, at most 256 KiB.
    pub content: String,
    /// Interpreter.
    pub interpreter: Interpreter,
    /// How values reach it.
    #[serde(default)]
    pub passing: Passing,
    /// Parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Whether runs need another person's approval.
    #[serde(default)]
    pub privileged: bool,
    /// User on the machine; the agent's own when absent.
    #[serde(default)]
    pub run_as: Option<String>,
    /// Absolute working directory; the user's home when absent.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Seconds a run may take; 0 for the engine's setting.
    #[serde(default)]
    pub timeout_s: u32,
    /// What changed.
    #[serde(default)]
    pub note: String,
}

/// Two versions compared.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Diff {
    /// Older side.
    pub from: i32,
    /// Newer side.
    pub to: i32,
    /// Texts as a unified diff; empty when they are equal.
    pub content: String,
    /// Other fields that differ, as `[from, to]`.
    #[schema(value_type = Object)]
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl Service {
    /// A page of versions, newest first, without texts.
    pub async fn list_versions(&self, ctx: &Ctx, id: Uuid, page: PageRequest) -> Result<Page<VersionView>> {
        ctx.require(permissions::SCRIPTS_READ)?;
        self.seen_script(ctx, id).await?;
        let rows = store::scripts::versions(&self.db, id, page).await?;
        Ok(Page::of(rows, page.limit, |v| v.id, VersionView::without_content))
    }

    /// One version with its text.
    pub async fn get_version(&self, ctx: &Ctx, id: Uuid, number: i32) -> Result<VersionView> {
        ctx.require(permissions::SCRIPTS_READ)?;
        let script = self.seen_script(ctx, id).await?;
        Ok(self.version_of(&script, Some(number)).await?.into())
    }

    /// Add a version. The one that is already the newest is refused.
    pub async fn add_version(&self, ctx: &Ctx, id: Uuid, new: NewVersion) -> Result<VersionView> {
        ctx.require(permissions::SCRIPTS_WRITE)?;
        let before = self.own_script(ctx, id).await?;
        let latest = self.version_of(&before, None).await?;
        let version = self.build_version(ctx, id, latest.number + 1, new)?;
        if version.fingerprint == latest.fingerprint && version.timeout_s == latest.timeout_s {
            return Err(Error::SameVersion(latest.number));
        }
        let row = script::Model {
            interpreter: version.interpreter.clone(),
            privileged: version.privileged,
            latest_version: version.number,
            updated_at: self.later(before.updated_at),
            ..before.clone()
        };
        let side = |v: &script_version::Model| json!({ "version": v.number, "sha256": v.sha256, "fingerprint": v.fingerprint, "privileged": v.privileged });
        let (old, new) = (side(&latest), side(&version));
        let change = self.change(ctx, id, "version_added", new.clone());
        let (stored, added, read_at) = (row.clone(), version.clone(), before.updated_at);
        let saved = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if !store::scripts::update(tx, &stored, read_at).await? {
                        return Ok(false);
                    }
                    store::scripts::insert_version(tx, added).await?;
                    store::scripts::insert_change(tx, change).await?;
                    Ok(true)
                })
            })
            .await
            .map_err(flat)?;
        if !saved {
            return Err(Error::Changed);
        }
        self.script_changed(ctx, &row, "version_added", old, new).await;
        Ok(version.into())
    }

    /// Compare two versions.
    pub async fn diff_versions(&self, ctx: &Ctx, id: Uuid, from: i32, to: i32) -> Result<Diff> {
        ctx.require(permissions::SCRIPTS_READ)?;
        let script = self.seen_script(ctx, id).await?;
        let old = self.version_of(&script, Some(from)).await?;
        let new = self.version_of(&script, Some(to)).await?;
        let content = TextDiff::configure()
            .timeout(std::time::Duration::from_secs(2))
            .diff_lines(&old.content, &new.content)
            .unified_diff()
            .header(&format!("version {from}"), &format!("version {to}"))
            .to_string();
        Ok(Diff { from, to, content, fields: fields(&old, &new) })
    }

    /// A version of a script; the newest when no number is given.
    pub(super) async fn version_of(
        &self,
        script: &script::Model,
        number: Option<i32>,
    ) -> Result<script_version::Model> {
        let number = number.unwrap_or(script.latest_version);
        let found = store::scripts::version(&self.db, script.id, number).await?;
        found.ok_or_else(|| Error::NotFound { what: "version", id: number.to_string() })
    }

    pub(super) fn build_version(
        &self,
        ctx: &Ctx,
        script_id: Uuid,
        number: i32,
        new: NewVersion,
    ) -> Result<script_version::Model> {
        check_version(&new)?;
        let sha256 = digest::sha256(new.content.as_bytes());
        let fingerprint = Behaviour {
            content_sha256: &sha256,
            interpreter: new.interpreter,
            passing: new.passing,
            parameters: &new.parameters,
            privileged: new.privileged,
            run_as: new.run_as.as_deref(),
            working_directory: new.working_directory.as_deref(),
        }
        .fingerprint();
        Ok(script_version::Model {
            id: Uuid::now_v7(),
            script_id,
            number,
            content: new.content,
            sha256,
            fingerprint,
            interpreter: new.interpreter.name().into(),
            passing: new.passing.name().into(),
            parameters: json!(new.parameters).to_string(),
            privileged: new.privileged,
            run_as: new.run_as,
            working_directory: new.working_directory,
            timeout_s: check_range("timeout_s", new.timeout_s, limits::TIMEOUT_S)?,
            note: new.note,
            created_by: ctx.principal(),
            created_by_name: ctx.actor_name.clone(),
            created_at: self.now(),
        })
    }
}

fn check_version(new: &NewVersion) -> Result<()> {
    if new.content.trim().is_empty() || new.content.len() > limits::SCRIPT_BYTES {
        return Err(Error::invalid(
            "content",
            format!("expected 1 to {} bytes of text", limits::SCRIPT_BYTES),
        ));
    }
    if new.content.contains('\0') {
        return Err(Error::invalid("content", "a script holds no NUL character"));
    }
    check_text("note", &new.note)?;
    if new.passing == Passing::Arguments && !new.interpreter.takes_arguments() {
        let text = format!("{} takes values through the environment only", new.interpreter.name());
        return Err(Error::invalid("passing", text));
    }
    let is_user = |u: &str| {
        (1..=64).contains(&u.len())
            && !u.starts_with('-')
            && u.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@$\\".contains(&b))
    };
    if new.run_as.as_deref().is_some_and(|u| !is_user(u)) {
        return Err(Error::invalid("run_as", "expected the name of a user"));
    }
    let is_directory = |d: &str| {
        let windows = d.as_bytes().get(1) == Some(&b':');
        d.len() <= 1_000 && (d.starts_with('/') || windows) && !d.chars().any(char::is_control)
    };
    if new.working_directory.as_deref().is_some_and(|d| !is_directory(d)) {
        return Err(Error::invalid("working_directory", "expected an absolute path"));
    }
    parameter::check_declarations(&new.parameters).map_err(Error::Parameters)
}

fn fields(
    old: &script_version::Model,
    new: &script_version::Model,
) -> serde_json::Map<String, serde_json::Value> {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let pairs = [
        ("interpreter", json!(old.interpreter), json!(new.interpreter)),
        ("passing", json!(old.passing), json!(new.passing)),
        ("parameters", parsed(&old.parameters), parsed(&new.parameters)),
        ("privileged", json!(old.privileged), json!(new.privileged)),
        ("run_as", json!(old.run_as), json!(new.run_as)),
        ("working_directory", json!(old.working_directory), json!(new.working_directory)),
        ("timeout_s", json!(old.timeout_s), json!(new.timeout_s)),
    ];
    pairs
        .into_iter()
        .filter(|(_, a, b)| a != b)
        .map(|(name, a, b)| (name.to_owned(), json!([a, b])))
        .collect()
}

/// Parameters of a stored version.
pub(super) fn parameters(version: &script_version::Model) -> Result<Vec<Parameter>> {
    serde_json::from_str(&version.parameters).map_err(|e| {
        plugin_sdk::EngineError::new("bad_row", format!("The parameters of a version: {e}.")).into()
    })
}

/// Whether a parameter is a secret.
pub(super) fn is_secret(parameter: &Parameter) -> bool {
    matches!(parameter.kind, Kind::Secret)
}
