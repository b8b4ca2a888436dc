//! What was used, as its customer and the vendor see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    HostError, Hosts,
    entity::{contact, receipt},
    store,
};
use crate::ctx::{Ctx, Permission};

/// Most receipts in one answer.
const LIMIT: u64 = 100;

/// A host that called, with the last receipt that it handed in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct UsedBy {
    /// Licence that it named.
    pub license: String,
    /// Id of its instance key.
    pub instance: String,
    /// Version of the host.
    pub host_version: String,
    /// Its engines.
    pub engines: serde_json::Value,
    /// When it called first.
    pub first_at: DateTime<Utc>,
    /// When it called last.
    pub last_at: DateTime<Utc>,
    /// Its last receipt.
    pub last: Option<KeptReceipt>,
}

/// A receipt that the portal took.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeptReceipt {
    /// Licence.
    pub license: String,
    /// Id of the instance's key.
    pub instance: String,
    /// Number in its chain.
    pub sequence: i64,
    /// Beginning of the period.
    pub from: DateTime<Utc>,
    /// End of the period.
    pub until: DateTime<Utc>,
    /// Most machines at once.
    pub machines: i64,
    /// Most child machines at once.
    pub child_machines: i64,
    /// When the portal took it.
    pub received_at: DateTime<Utc>,
    /// The receipt with both signatures.
    pub countersigned: String,
}

impl From<receipt::Model> for KeptReceipt {
    fn from(row: receipt::Model) -> Self {
        Self {
            license: row.license_id,
            instance: row.instance,
            sequence: row.sequence,
            from: row.period_from,
            until: row.period_until,
            machines: row.machines,
            child_machines: row.child_machines,
            received_at: row.received_at,
            countersigned: row.countersigned,
        }
    }
}

/// Which receipts.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Which {
    /// Of this licence.
    pub license: Option<String>,
    /// Of this instance.
    pub instance: Option<String>,
    /// Of a lower number: with an instance, the next hundred.
    pub before: Option<i64>,
}

impl Hosts {
    /// Hosts of an organisation, the one that called last first.
    pub async fn used_by(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<UsedBy>, HostError> {
        authorise(ctx, organisation)?;
        let db = self.core.db.read();
        let mut hosts = Vec::new();
        for row in store::contacts(db, organisation).await? {
            let contact::Model { license_id, instance, host_version, engines, first_at, last_at, .. } = row;
            let last = store::receipts(db, organisation, Some(&license_id), Some(&instance), None, 1).await?;
            hosts.push(UsedBy {
                license: license_id,
                instance,
                host_version,
                engines,
                first_at,
                last_at,
                last: last.into_iter().next().map(KeptReceipt::from),
            });
        }
        Ok(hosts)
    }

    /// Receipts of an organisation, those taken last first.
    pub async fn receipts(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        which: &Which,
    ) -> Result<Vec<KeptReceipt>, HostError> {
        authorise(ctx, organisation)?;
        let (license, instance) = (which.license.as_deref(), which.instance.as_deref());
        let db = self.core.db.read();
        let rows = store::receipts(db, organisation, license, instance, which.before, LIMIT).await?;
        Ok(rows.into_iter().map(KeptReceipt::from).collect())
    }
}

fn authorise(ctx: &Ctx, organisation: Uuid) -> Result<(), HostError> {
    if !ctx.staff {
        ctx.require(organisation, Permission::LicensesRead)?;
    }
    Ok(())
}
