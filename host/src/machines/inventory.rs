//! Inventory: sections with digests, and the history of their changes.

use agent_protocol::inventory::{InventorySection, SectionDigest};
use chrono::DateTime;
use ring::digest::{SHA256, digest};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    InventoryChange, MachineError, Machines, Section, SectionSummary, diff,
    entity::{change, section},
};
use crate::{ctx::Ctx, events::NewEvent, http::Page};

/// Versions of sections whose changes are kept, per machine.
const KEPT_CHANGES: u64 = 1000;

impl Machines {
    /// Which of the machine's sections the host does not have as the digests say.
    pub(crate) async fn stale_sections(
        &self,
        id: Uuid,
        digests: &[SectionDigest],
    ) -> Result<Vec<String>, DbErr> {
        let known = summaries(self.core.db.read(), id).await?;
        let same =
            |d: &&SectionDigest| known.iter().any(|k| k.name == d.name && k.digest == d.digest.to_hex());
        Ok(digests.iter().filter(|d| !same(d)).map(|d| d.name.clone()).collect())
    }

    /// Store a section as the machine sent it, with what changed. The error names what is wrong with it.
    pub(crate) async fn store_section(
        &self,
        id: Uuid,
        new: InventorySection,
    ) -> Result<(), StoreSectionError> {
        if digest(&SHA256, &new.data).as_ref() != new.digest.bytes() {
            return Err(StoreSectionError::Digest);
        }
        let data: Value = serde_json::from_slice(&new.data).map_err(|_| StoreSectionError::Json)?;
        let now = self.core.clock.now();
        let hex = new.digest.to_hex();
        let tx = self.core.db.begin().await?;
        let old = section::Entity::find_by_id((id, new.name.clone())).one(&tx).await?;
        if old.as_ref().is_some_and(|o| o.digest == hex) {
            return Ok(());
        }
        let row = section::ActiveModel {
            machine_id: Set(id),
            name: Set(new.name.clone()),
            digest: Set(hex.clone()),
            data: Set(data.clone()),
            collected_at: Set(DateTime::from_timestamp_millis(new.collected_at).unwrap_or(now)),
            received_at: Set(now),
        };
        upsert(&tx, row).await?;
        let changes = old.map(|o| diff::changes(&o.data, &data));
        if let Some((changes, truncated)) = &changes {
            let row = change::ActiveModel {
                id: Set(Uuid::now_v7()),
                machine_id: Set(id),
                section: Set(new.name.clone()),
                at: Set(now),
                digest: Set(hex),
                changes: Set(json!(changes)),
                truncated: Set(*truncated),
            };
            change::Entity::insert(row).exec_without_returning(&tx).await?;
            forget_old_changes(&tx, id).await?;
        }
        tx.commit().await?;
        let data = json!({
            "machine_id": id, "section": new.name, "changes": changes.map(|(c, _)| c.len()),
        });
        self.core
            .events
            .publish(NewEvent::new("machine.inventory_changed", "machines:read", data).machine(id));
        Ok(())
    }

    /// Sections the host has of a machine.
    pub async fn sections(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<SectionSummary>, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        Ok(summaries(self.core.db.read(), id).await?)
    }

    /// One section.
    pub async fn section(&self, ctx: &Ctx, id: Uuid, name: &str) -> Result<Section, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        let row = section::Entity::find_by_id((id, name.to_owned())).one(self.core.db.read()).await?;
        row.map(Section::from).ok_or(MachineError::NotFound("inventory section"))
    }

    /// How inventory changed, newest first; of one section when it is named.
    pub async fn changes(
        &self,
        ctx: &Ctx,
        id: Uuid,
        name: Option<String>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<InventoryChange>, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        let mut query = change::Entity::find().filter(change::Column::MachineId.eq(id));
        if let Some(name) = name {
            query = query.filter(change::Column::Section.eq(name));
        }
        if let Some(after) = after {
            query = query.filter(change::Column::Id.lt(after));
        }
        let rows = query.order_by_desc(change::Column::Id).limit(limit + 1).all(self.core.db.read()).await?;
        Ok(Page::cut(rows, limit, |row| row.id.to_string()).map(InventoryChange::from))
    }
}

/// Why a section was not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreSectionError {
    /// The data does not hash to its digest.
    #[error("the digest of an inventory section does not match its data")]
    Digest,
    /// The data is no JSON.
    #[error("an inventory section is not JSON")]
    Json,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

pub(super) async fn summaries(db: &impl ConnectionTrait, id: Uuid) -> Result<Vec<SectionSummary>, DbErr> {
    use section::Column as C;
    type Row = (String, String, sea_orm::prelude::ChronoDateTimeUtc, sea_orm::prelude::ChronoDateTimeUtc);
    let rows: Vec<Row> = section::Entity::find()
        .select_only()
        .columns([C::Name, C::Digest, C::CollectedAt, C::ReceivedAt])
        .filter(C::MachineId.eq(id))
        .order_by_asc(C::Name)
        .into_tuple()
        .all(db)
        .await?;
    let summary = |(name, digest, collected_at, received_at)| SectionSummary {
        name,
        digest,
        collected_at,
        received_at,
    };
    Ok(rows.into_iter().map(summary).collect())
}

async fn upsert(db: &impl ConnectionTrait, row: section::ActiveModel) -> Result<(), DbErr> {
    use section::Column as C;
    let conflict = OnConflict::columns([C::MachineId, C::Name])
        .update_columns([C::Digest, C::Data, C::CollectedAt, C::ReceivedAt])
        .to_owned();
    section::Entity::insert(row).on_conflict(conflict).exec_without_returning(db).await.map(drop)
}

/// Keep the newest changes.
async fn forget_old_changes(db: &impl ConnectionTrait, machine: Uuid) -> Result<(), DbErr> {
    let oldest: Option<Uuid> = change::Entity::find()
        .select_only()
        .column(change::Column::Id)
        .filter(change::Column::MachineId.eq(machine))
        .order_by_desc(change::Column::Id)
        .offset(KEPT_CHANGES)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let Some(oldest) = oldest else { return Ok(()) };
    change::Entity::delete_many()
        .filter(change::Column::MachineId.eq(machine))
        .filter(change::Column::Id.lte(oldest))
        .exec(db)
        .await
        .map(drop)
}
