//! Inventory: sections with digests.

use agent_protocol::inventory::{Digest, SectionDigest};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    MachineError, Machines, Section, SectionSummary,
    entity::section,
    ingest::{self, Catalogue},
};
use crate::ctx::Ctx;

impl Machines {
    /// Which of the machine's sections the host does not have as the digests say, and what it has of them.
    pub(crate) async fn stale_sections(
        &self,
        id: Uuid,
        digests: &[SectionDigest],
    ) -> Result<(Vec<String>, Vec<SectionDigest>), DbErr> {
        let known = summaries(self.core.db.read(), id).await?;
        let (mut names, mut bases) = (Vec::new(), Vec::new());
        for told in digests {
            let known = known.iter().find(|known| known.name == told.name).map(|known| &known.digest);
            if known == Some(&told.digest.to_hex()) {
                continue;
            }
            names.push(told.name.clone());
            if let Some(digest) = known.and_then(|known| Digest::from_hex(known)) {
                bases.push(SectionDigest { name: told.name.clone(), digest });
            }
        }
        Ok((names, bases))
    }

    /// Sections the host has of a machine.
    pub async fn sections(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<SectionSummary>, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        Ok(summaries(self.core.db.read(), id).await?)
    }

    /// A list of a machine that is stored once for the fleet: `packages` or `updates`.
    pub(crate) async fn listed(
        &self,
        ctx: &Ctx,
        id: Uuid,
        name: &str,
    ) -> Result<Vec<serde_json::Value>, MachineError> {
        let no = self.visible(ctx, "machines:read", id).await?.no;
        match (Catalogue::of(name), no) {
            (Some(catalogue), Some(no)) => Ok(ingest::listed(self.core.db.read(), catalogue, no).await?),
            _ => Ok(Vec::new()),
        }
    }

    /// One section.
    pub async fn section(&self, ctx: &Ctx, id: Uuid, name: &str) -> Result<Section, MachineError> {
        let no = self.visible(ctx, "machines:read", id).await?.no;
        let db = self.core.db.read();
        let row = section::Entity::find_by_id((id, name.to_owned())).one(db).await?;
        let mut row = row.ok_or(MachineError::NotFound("inventory section"))?;
        if let (Some(catalogue), Some(no)) = (Catalogue::of(name), no) {
            let list = ingest::listed(db, catalogue, no).await?;
            if let (false, Some(data)) = (list.is_empty(), row.data.as_object_mut()) {
                data.insert(catalogue.member().into(), list.into());
            }
        }
        Ok(row.into())
    }
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
