//! Renewal without a network: a request file out, an answer back.

use chrono::{DateTime, SecondsFormat, Utc};
use plugin_sdk::{Ctx, payloads::audit::AuditRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Coverage, Result, allowed};
use crate::{
    entities::renewal,
    error::Error,
    model::chain::{BEGINNING, sha256},
    permissions::{READ, RENEW},
};

const REQUEST: &str = "sysmanage-renewal-request/1";
const RESPONSE: &str = "sysmanage-renewal-response/1";

/// A request with its file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RenewalFile {
    /// Id.
    pub id: Uuid,
    /// What the answer names.
    pub digest: String,
    /// Who asked.
    pub actor_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When an answer was taken in.
    pub answered_at: Option<DateTime<Utc>>,
    /// The file for the vendor, as text.
    pub file: String,
}

/// The vendor's answer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewalResponse {
    /// `sysmanage-renewal-response/1`.
    pub format: String,
    /// Digest of the request it answers.
    pub request: String,
    /// The renewed licence.
    pub license: String,
}

impl From<renewal::Model> for RenewalFile {
    fn from(m: renewal::Model) -> Self {
        let renewal::Model { id, actor_name, digest, request, created_at, answered_at } = m;
        Self { id, digest, actor_name, created_at, answered_at, file: request }
    }
}

impl Coverage {
    /// Make a request.
    pub async fn request_renewal(&self, ctx: &Ctx) -> Result<RenewalFile> {
        allowed(ctx, RENEW)?;
        let (id, now) = (Uuid::now_v7(), Utc::now());
        let body = self.request_body(id, now).await?.to_string();
        let digest = sha256(body.as_bytes());
        let proof = self.host.licenses().proof(&digest).await?;
        // The body travels as the text that was hashed, so that both sides hash the same bytes.
        let file = json!({"format": REQUEST, "body": body, "digest": digest, "proof": proof});
        let row = renewal::Model {
            id,
            actor_name: ctx.actor_name.clone(),
            digest: digest.clone(),
            request: file.to_string(),
            created_at: now,
            answered_at: None,
        };
        let row = self.store.add_renewal(row).await?;
        self.changed(ctx, "requested", &row).await?;
        Ok(row.into())
    }

    async fn request_body(&self, id: Uuid, now: DateTime<Utc>) -> Result<Value> {
        let report = self.host.licenses().explain(None).await?;
        let head = self.store.head().await?;
        Ok(json!({
            "id": id,
            "at": now.to_rfc3339_opts(SecondsFormat::Micros, true),
            "instance": report.instance,
            "licenses": report.licenses.iter().map(|l| &l.id).collect::<Vec<_>>(),
            "engines": report.engines.iter().map(|e| json!({"id": e.id, "version": e.version})).collect::<Vec<_>>(),
            "machines": {"approved": report.machines.approved, "limit": report.machines.limit},
            "ledger": {
                "entries": head.as_ref().map_or(0, |h| h.seq),
                "head": head.map_or(BEGINNING.to_owned(), |h| h.hash),
            },
        }))
    }

    /// The last requests, newest first.
    pub async fn renewals(&self, ctx: &Ctx) -> Result<Vec<RenewalFile>> {
        allowed(ctx, READ)?;
        Ok(self.store.renewals(100).await?.into_iter().map(Into::into).collect())
    }

    /// Take in an answer; the token in it goes to the host's licence page. The host checks its signature.
    pub async fn answer_renewal(&self, ctx: &Ctx, id: Uuid, response: RenewalResponse) -> Result<String> {
        allowed(ctx, RENEW)?;
        let row = self.store.renewal(id).await?.ok_or(Error::NoRenewal(id))?;
        if response.format != RESPONSE {
            return Err(Error::Response("This is no answer to a renewal request of this version."));
        }
        if response.request != row.digest {
            return Err(Error::Response(
                "This file answers another request; choose the one it was made for.",
            ));
        }
        self.store.renewal_answered(row.clone(), Utc::now()).await?;
        self.changed(ctx, "answered", &row).await?;
        Ok(response.license)
    }

    async fn changed(&self, ctx: &Ctx, verb: &str, row: &renewal::Model) -> Result<()> {
        let facts = json!({"id": row.id, "digest": row.digest, "actor": ctx.actor_name});
        let record = AuditRecord {
            context: ctx.0.clone(),
            action: format!("proplus_core.renewal.{verb}"),
            entity_kind: "proplus_core.renewal".into(),
            entity_id: row.id.to_string(),
            before: Value::Null,
            after: facts.clone(),
        };
        self.host.audit().record(&record).await?;
        self.note(&format!("renewal.{verb}"), facts).await
    }
}
