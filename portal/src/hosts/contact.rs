//! A host calls: it says what it runs and what it used, and hears what is newer.

use chrono::Duration;
use licenses::receipt::{Receipt, ReceiptError, Standing, place};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use super::{
    Host, HostError, Hosts,
    entity::{contact, receipt},
    store,
};
use crate::{accounts, audit::Change, ctx::Ctx};

/// Most receipts in one call; a host that has more sends the rest with the next one.
const MAX_RECEIPTS: usize = 50;
/// Most engines that a host may say it has.
const MAX_ENGINES: usize = 200;
/// Longest version or id that a host may say.
const MAX_TEXT: usize = 100;
/// Most receipts of one chain in a day: hosts write one a day, and catch up after a time without contact.
const MAX_A_DAY: u64 = 1000;
/// Most instances of one licence that is bound to none.
const MAX_INSTANCES: u64 = 1000;

/// What a host says.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct Contact {
    /// Version of the host.
    pub host_version: String,
    /// Engines that it has.
    #[serde(default)]
    pub engines: Vec<HostEngine>,
    /// Usage receipts, in their order.
    #[serde(default)]
    pub receipts: Vec<String>,
}

/// An engine of a host.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostEngine {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
}

/// What a host hears.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Answer {
    /// The edition in force, where the host has an older one.
    pub license: Option<String>,
    /// The revocation list; absent while nothing was revoked.
    pub revocations: Option<String>,
    /// The receipts that were sent, countersigned.
    pub receipts: Vec<String>,
}

impl Hosts {
    /// Take what a host says. The same call again has the same answer.
    pub async fn contact(&self, ctx: &Ctx, contact: Contact) -> Result<Answer, HostError> {
        let host = ctx.require_host()?.clone();
        check(&contact)?;
        let receipts = self.take(ctx, &host, contact).await?;
        let newest = self.licensing.newest(&host.license).await?;
        let newer = newest.filter(|edition| edition.iat > host.edition);
        Ok(Answer {
            license: newer.map(|edition| edition.token),
            revocations: self.licensing.revocations().await?,
            receipts,
        })
    }

    async fn take(&self, ctx: &Ctx, host: &Host, contact: Contact) -> Result<Vec<String>, HostError> {
        let tx = self.core.db.begin().await?;
        // Two calls of one host at once are taken one after the other.
        accounts::lock_organisation(&tx, host.organisation).await?;
        let now = self.core.clock.now();
        if !store::has_called(&tx, host).await? {
            if store::instances(&tx, &host.license).await? >= MAX_INSTANCES {
                let why = format!("{MAX_INSTANCES} hosts use this licence already. Order one for this host.");
                return Err(HostError::TooMany("too_many_instances", why));
            }
            let change = Change::new("host.called_first", "host", &host.instance).of(host.organisation);
            self.core.audit.record_in(ctx, &tx, change.detail(&host.license)).await?;
        }
        let row = contact::Model {
            license_id: host.license.clone(),
            instance: host.instance.to_string(),
            organisation_id: host.organisation,
            host_version: contact.host_version,
            engines: serde_json::json!(contact.engines),
            first_at: now,
            last_at: now,
        };
        store::note(&tx, row).await?;
        let mut taken = Vec::with_capacity(contact.receipts.len());
        for text in &contact.receipts {
            taken.push(self.countersign(&tx, host, text).await?);
        }
        let day = store::taken_since(&tx, host, now - Duration::days(1)).await?;
        if !taken.is_empty() && day > MAX_A_DAY {
            let why = format!("More than {MAX_A_DAY} usage receipts of this host in a day.");
            return Err(HostError::TooMany("too_many_receipts", why));
        }
        tx.commit().await?;
        Ok(taken)
    }

    /// The countersigned form of a receipt: the stored one, or a new one where the receipt goes on from the last.
    async fn countersign(
        &self,
        tx: &DatabaseTransaction,
        host: &Host,
        text: &str,
    ) -> Result<String, HostError> {
        let head = store::head(tx, host).await?;
        let refused =
            |error| HostError::Receipt { error, head: head.as_ref().map(|row| row.countersigned.clone()) };
        let receipt = Receipt::verify(text).map_err(refused)?;
        let usage = receipt.usage();
        if usage.instance.id() != host.instance || usage.license != host.license {
            return Err(refused(ReceiptError::WrongChain(usage.sequence)));
        }
        let number = |n: u64| i64::try_from(n).map_err(|_| refused(ReceiptError::Malformed(too_large())));
        let (sequence, machines, child_machines) =
            (number(usage.sequence)?, number(usage.machines)?, number(usage.child_machines)?);
        let same = store::numbered(tx, host, sequence).await?;
        let now = self.core.clock.now();
        let read = |row: &Option<receipt::Model>| {
            row.as_ref().map(|row| Receipt::verify(&row.receipt)).transpose().map_err(&refused)
        };
        let standing =
            place(&receipt, read(&head)?.as_ref(), read(&same)?.as_ref(), now).map_err(&refused)?;
        if let (Standing::Known, Some(same)) = (standing, same) {
            return Ok(same.countersigned);
        }
        let countersigned = self.licensing.keys().countersign(receipt.clone(), now).await?;
        let row = receipt::Model {
            license_id: host.license.clone(),
            instance: host.instance.to_string(),
            sequence,
            organisation_id: host.organisation,
            period_from: usage.from,
            period_until: usage.until,
            machines,
            child_machines,
            receipt: receipt.text().to_owned(),
            countersigned: countersigned.clone(),
            received_at: now,
        };
        store::insert(tx, row).await?;
        Ok(countersigned)
    }
}

fn too_large() -> String {
    "a number in it is larger than any count".into()
}

fn check(contact: &Contact) -> Result<(), HostError> {
    let too_long = |text: &str| text.is_empty() || text.len() > MAX_TEXT;
    if too_long(&contact.host_version) {
        let why = format!("The host's version has 1 to {MAX_TEXT} characters.");
        return Err(HostError::Invalid("host_version", why));
    }
    if contact.engines.len() > MAX_ENGINES
        || contact.engines.iter().any(|engine| too_long(&engine.id) || too_long(&engine.version))
    {
        let why =
            format!("At most {MAX_ENGINES} engines, with ids and versions of 1 to {MAX_TEXT} characters.");
        return Err(HostError::Invalid("engines", why));
    }
    if contact.receipts.len() > MAX_RECEIPTS {
        let why = format!("At most {MAX_RECEIPTS} receipts in one call; send the rest with the next one.");
        return Err(HostError::Invalid("receipts", why));
    }
    Ok(())
}
