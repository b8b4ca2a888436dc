//! Makes licences say what orders say, and gives them out.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use licenses::{Claims, EngineGrant};
use sea_orm::DatabaseTransaction;
use semver::VersionReq;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Keys, LicensingError,
    entity::{edition, revoked},
    store,
};
use crate::{
    accounts,
    app::Core,
    audit::Change,
    ctx::{Ctx, Permission},
    orders::{Grant, Verdict, entity::order},
    releases,
};

/// A licence with its editions.
#[derive(Debug, Clone, Serialize)]
pub struct License {
    /// Its id, kept by every edition.
    pub id: String,
    /// The order it follows from.
    pub order: Uuid,
    /// Why it was revoked.
    pub revoked: Option<String>,
    /// Editions, the one in force first.
    pub editions: Vec<Edition>,
}

/// One edition of a licence.
#[derive(Debug, Clone, Serialize)]
pub struct Edition {
    /// Counted from 1.
    pub edition: i32,
    /// When it was signed.
    pub issued_at: DateTime<Utc>,
    /// What it says.
    pub claims: serde_json::Value,
    /// The file's content.
    #[serde(skip)]
    pub token: String,
}

/// The edition in force of a licence.
pub(crate) struct InForce {
    /// When it was signed, in whole seconds.
    pub(crate) iat: DateTime<Utc>,
    /// The instance that it is bound to.
    pub(crate) instance: Option<trust::KeyId>,
    /// The token.
    pub(crate) token: String,
}

/// The service.
pub struct Licensing {
    pub(super) core: Arc<Core>,
    pub(super) keys: Keys,
}

impl Licensing {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>, keys: Keys) -> Self {
        Self { core, keys }
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Make the licence of an order say what its verdict says, in the caller's transaction. Where it says so already,
    /// nothing is signed.
    pub(crate) async fn follow(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        order: &order::Model,
        verdict: &Verdict,
    ) -> Result<(), LicensingError> {
        let newest = store::newest(tx, &order.license_id).await?;
        match (verdict, newest) {
            (Verdict::Nothing, _) | (Verdict::Ended { .. } | Verdict::Revoked { .. }, None) => Ok(()),
            (Verdict::Grant(grant), newest) => self.edition(ctx, tx, order, grant, newest).await,
            (Verdict::Ended { grant }, Some(newest)) => {
                self.edition(ctx, tx, order, grant, Some(newest)).await
            }
            (Verdict::Revoked { at, reason }, Some(_)) => self.revoke(ctx, tx, order, *at, reason).await,
        }
    }

    async fn edition(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        order: &order::Model,
        grant: &Grant,
        newest: Option<edition::Model>,
    ) -> Result<(), LicensingError> {
        let engines = releases::engines_of(tx, grant.tier).await?;
        if engines.is_empty() {
            tracing::info!(order = %order.id, tier = grant.tier.name(), "nothing is published for this tier yet");
            return Ok(());
        }
        let organisation = accounts::organisation_of(tx, order.organisation_id).await?;
        let organisation = organisation.ok_or(LicensingError::NotFound("organisation"))?;
        let before = newest.as_ref().map(claims_of).transpose()?;
        // Editions are told apart by whole seconds: each is later than the one before.
        let now = whole_seconds(self.core.clock.now());
        let iat = before.as_ref().map_or(now, |b| now.max(b.iat + Duration::seconds(1)));
        let claims = self.claims(order, grant, engines, (&organisation.number, &organisation.name), iat);
        if before.is_some_and(|before| Claims { iat: before.iat, ..claims.clone() } == before) {
            return Ok(());
        }
        let edition = newest.map_or(1, |newest| newest.edition + 1);
        let row = edition::Model {
            license_id: order.license_id.clone(),
            edition,
            order_id: order.id,
            issued_at: self.core.clock.now(),
            claims: serde_json::to_value(&claims)
                .map_err(|e| LicensingError::Stored(order.license_id.clone(), edition, e))?,
            token: self.keys.license(claims.clone()).await?,
        };
        store::insert(tx, row).await?;
        let detail = serde_json::json!({"edition": edition, "until": claims.exp, "machines": claims.hosts, "tier": claims.tier});
        let change = Change::new("license.issued", "license", &order.license_id).of(order.organisation_id);
        Ok(self.core.audit.record_in(ctx, tx, change.detail(detail)).await?)
    }

    fn claims(
        &self,
        order: &order::Model,
        grant: &Grant,
        engines: Vec<String>,
        (customer, organisation): (&str, &str),
        iat: DateTime<Utc>,
    ) -> Claims {
        let config = &self.core.config.licenses;
        let engine = |id| EngineGrant { id, versions: VersionReq::STAR };
        let (from, until) = (whole_seconds(grant.from), whole_seconds(grant.until));
        let until = until.max(from + Duration::seconds(1));
        Claims {
            format: Claims::FORMAT,
            id: order.license_id.clone(),
            customer: customer.to_owned(),
            organisation: short(organisation),
            tier: grant.tier.name().to_owned(),
            engines: engines.into_iter().take(Claims::MAX_ENGINES).map(engine).collect(),
            hosts: Some(grant.machines),
            child_hosts: None,
            iat,
            nbf: from,
            exp: Some(until),
            grace_days: if grant.grace { config.grace_days } else { 0 },
            offline_days: (config.offline_days > 0).then_some(config.offline_days),
            support_until: grant.fallback.then_some(until),
            instance: grant.instance.clone(),
            trial: grant.trial,
            resets_clock: false,
        }
    }

    async fn revoke(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        order: &order::Model,
        at: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), LicensingError> {
        if store::is_revoked(tx, &order.license_id).await?.is_some() {
            return Ok(());
        }
        let sequence = store::revoked(tx).await?.last().map_or(1, |last| last.sequence + 1);
        let row =
            revoked::Model { license_id: order.license_id.clone(), sequence, reason: reason.to_owned(), at };
        store::insert_revoked(tx, row).await?;
        let change = Change::new("license.revoked", "license", &order.license_id).of(order.organisation_id);
        Ok(self.core.audit.record_in(ctx, tx, change.detail(reason)).await?)
    }

    /// Licences of an organisation.
    pub async fn list(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<License>, LicensingError> {
        if !ctx.staff {
            ctx.require(organisation, Permission::LicensesRead)?;
        }
        self.of(organisation).await
    }

    /// One licence.
    pub async fn get(&self, ctx: &Ctx, organisation: Uuid, id: &str) -> Result<License, LicensingError> {
        let licenses = self.list(ctx, organisation).await?;
        licenses.into_iter().find(|l| l.id == id).ok_or(LicensingError::NotFound("licence"))
    }

    /// The same for other slices, which have authorised.
    pub(crate) async fn of(&self, organisation: Uuid) -> Result<Vec<License>, LicensingError> {
        let db = self.core.db.read();
        let mut licenses: Vec<License> = Vec::new();
        for row in store::of_organisation(db, organisation).await? {
            let edition = Edition {
                edition: row.edition,
                issued_at: row.issued_at,
                claims: row.claims,
                token: row.token,
            };
            match licenses.iter_mut().find(|l| l.id == row.license_id) {
                Some(license) => license.editions.push(edition),
                None => {
                    let revoked = store::is_revoked(db, &row.license_id).await?.map(|r| r.reason);
                    let editions = vec![edition];
                    licenses.push(License { id: row.license_id, order: row.order_id, revoked, editions });
                }
            }
        }
        for license in &mut licenses {
            license.editions.sort_by_key(|edition| std::cmp::Reverse(edition.edition));
        }
        Ok(licenses)
    }

    /// Whose licence it is.
    pub(crate) async fn owner(&self, license: &str) -> Result<Option<Uuid>, LicensingError> {
        Ok(store::organisation_of(self.core.db.read(), license).await?)
    }

    /// The edition in force of a licence: when it was signed, whom it is for, and its token.
    pub(crate) async fn newest(&self, license: &str) -> Result<Option<InForce>, LicensingError> {
        let Some(row) = store::newest(self.core.db.read(), license).await? else { return Ok(None) };
        let claims = claims_of(&row)?;
        Ok(Some(InForce { iat: claims.iat, instance: claims.instance, token: row.token }))
    }
}

fn claims_of(row: &edition::Model) -> Result<Claims, LicensingError> {
    let claims = serde_json::from_value(row.claims.clone());
    claims.map_err(|e| LicensingError::Stored(row.license_id.clone(), row.edition, e))
}

fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// A name no longer than a licence may hold.
fn short(name: &str) -> String {
    let mut end = name.len().min(Claims::MAX_TEXT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
