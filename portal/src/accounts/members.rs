//! Members of an organisation and their roles.

use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::{AccountError, Accounts, store};
use crate::{
    audit::Change,
    ctx::{Ctx, Permission, Role},
};

/// A member.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// The person.
    pub user: Uuid,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: Role,
}

impl Accounts {
    /// Members, by name.
    pub async fn members(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<Member>, AccountError> {
        ctx.require(organisation, Permission::OrganisationRead)?;
        let rows = store::members(self.core.db.read(), organisation).await?;
        let members = rows.into_iter().filter_map(|(member, user)| {
            let role = Role::named(&member.role)?;
            Some(Member { user: user.id, name: user.name, email: user.email, role })
        });
        Ok(members.collect())
    }

    /// Give a member another role.
    pub async fn set_role(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        user: Uuid,
        role: Role,
    ) -> Result<(), AccountError> {
        ctx.require(organisation, Permission::MembersManage)?;
        let tx = self.core.db.begin().await?;
        if role != Role::Owner {
            require_another_owner(&tx, organisation, user).await?;
        }
        let member = store::member(&tx, organisation, user).await?;
        let before = member.ok_or(AccountError::NotFound("member"))?.role;
        store::set_role(&tx, organisation, user, role).await?;
        let detail = serde_json::json!({"before": before, "after": role.name()});
        let change = Change::new("member.role_changed", "user", user).of(organisation).detail(detail);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Remove a member, or leave oneself. Their tokens for the organisation end.
    pub async fn remove_member(&self, ctx: &Ctx, organisation: Uuid, user: Uuid) -> Result<(), AccountError> {
        let leaves = ctx.require_person().is_ok_and(|own| own == user);
        let permission = if leaves { Permission::OrganisationRead } else { Permission::MembersManage };
        ctx.require(organisation, permission)?;
        let tx = self.core.db.begin().await?;
        require_another_owner(&tx, organisation, user).await?;
        store::member(&tx, organisation, user).await?.ok_or(AccountError::NotFound("member"))?;
        store::delete_member(&tx, organisation, user).await?;
        let change = Change::new("member.removed", "user", user).of(organisation);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Fail when `user` is the only owner.
async fn require_another_owner(
    tx: &impl ConnectionTrait,
    organisation: Uuid,
    user: Uuid,
) -> Result<(), AccountError> {
    store::locked_organisation(tx, organisation).await?.ok_or(AccountError::NotFound("organisation"))?;
    let member = store::member(tx, organisation, user).await?;
    let owner = member.is_some_and(|m| m.role == Role::Owner.name());
    if owner && store::owners(tx, organisation).await? < 2 {
        return Err(AccountError::LastOwner);
    }
    Ok(())
}
