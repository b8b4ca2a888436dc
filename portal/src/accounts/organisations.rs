//! Organisations: the customers.

use data_encoding::BASE32_NOPAD;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::{AccountError, Accounts, entity::organisation, store, text};
use crate::{
    audit::Change,
    ctx::{Ctx, Permission, Role},
    secret,
};

/// Most organisations that one person may be a member of.
const MAX_MEMBERSHIPS: usize = 50;

/// An organisation.
#[derive(Debug, Clone, Serialize)]
pub struct Organisation {
    /// It.
    #[serde(flatten)]
    pub organisation: organisation::Model,
    /// The caller's role; absent for the vendor's staff.
    pub role: Option<Role>,
}

/// A customer number: eight letters and digits that are told apart on the telephone.
fn new_number() -> String {
    format!("C-{}", BASE32_NOPAD.encode(&secret::random::<5>()))
}

impl Accounts {
    /// One's own organisations, by name.
    pub async fn organisations(&self, ctx: &Ctx) -> Result<Vec<Organisation>, AccountError> {
        let ids = ctx.memberships.iter().map(|m| m.organisation);
        let rows = store::organisations(self.core.db.read(), ids).await?;
        Ok(rows
            .into_iter()
            .map(|row| Organisation { role: ctx.role_in(row.id), organisation: row })
            .collect())
    }

    /// One organisation.
    pub async fn organisation(&self, ctx: &Ctx, id: Uuid) -> Result<Organisation, AccountError> {
        if !ctx.staff {
            ctx.require(id, Permission::OrganisationRead)?;
        }
        let row = store::organisations(self.core.db.read(), [id]).await?.pop();
        let organisation = row.ok_or(AccountError::NotFound("organisation"))?;
        Ok(Organisation { organisation, role: ctx.role_in(id) })
    }

    /// Every customer, a hundred at a time.
    pub async fn customers(
        &self,
        ctx: &Ctx,
        after: Option<Uuid>,
    ) -> Result<Vec<organisation::Model>, AccountError> {
        ctx.require_staff()?;
        Ok(store::all_organisations(self.core.db.read(), after, 100).await?)
    }

    /// Make a further organisation, which the caller owns.
    pub async fn create_organisation(
        &self,
        ctx: &Ctx,
        name: &str,
    ) -> Result<organisation::Model, AccountError> {
        let user = ctx.require_person()?;
        if ctx.memberships.len() >= MAX_MEMBERSHIPS {
            return Err(AccountError::Full("organisations"));
        }
        let name = text::name("name", name)?;
        let tx = self.core.db.begin().await?;
        let row = self.make_organisation(ctx, &tx, user, name).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Change an organisation's name.
    pub async fn rename_organisation(
        &self,
        ctx: &Ctx,
        id: Uuid,
        name: &str,
    ) -> Result<organisation::Model, AccountError> {
        ctx.require(id, Permission::OrganisationManage)?;
        let name = text::name("name", name)?;
        let tx = self.core.db.begin().await?;
        let row = store::rename_organisation(&tx, id, name).await?;
        let change = Change::new("organisation.renamed", "organisation", id).of(id).detail(&row.name);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(row)
    }

    pub(super) async fn make_organisation(
        &self,
        ctx: &Ctx,
        tx: &impl ConnectionTrait,
        owner: Uuid,
        name: String,
    ) -> Result<organisation::Model, AccountError> {
        let now = self.core.clock.now();
        let row = organisation::Model { id: Uuid::now_v7(), number: new_number(), name, created_at: now };
        store::insert_organisation(tx, row.clone()).await?;
        store::insert_member(tx, row.id, owner, Role::Owner, now).await?;
        let change = Change::new("organisation.created", "organisation", row.id).of(row.id).detail(&row.name);
        self.core.audit.record_in(ctx, tx, change).await?;
        Ok(row)
    }
}
