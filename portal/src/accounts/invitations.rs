//! Invitations: a link that makes the person with the invited address a member, once.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountError, Accounts, entity::invitation, organisations::Organisation, store, text};
use crate::{
    audit::Change,
    ctx::{Ctx, Permission, Role},
    secret,
};

/// Most open invitations of an organisation.
const MAX_OPEN: usize = 100;

/// Whom to invite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Address.
    pub email: String,
    /// Role to have.
    pub role: Role,
}

/// An open invitation.
#[derive(Debug, Clone, Serialize)]
pub struct Invitation {
    /// Id.
    pub id: Uuid,
    /// Address.
    pub email: String,
    /// Role.
    pub role: String,
    /// End.
    pub expires_at: DateTime<Utc>,
    /// The link to pass on; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<invitation::Model> for Invitation {
    fn from(row: invitation::Model) -> Self {
        Self { id: row.id, email: row.email, role: row.role, expires_at: row.expires_at, link: None }
    }
}

impl Accounts {
    /// Invite somebody. The answer has the link: whoever invites passes it on.
    pub async fn invite(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        new: NewInvitation,
    ) -> Result<Invitation, AccountError> {
        ctx.require(organisation, Permission::MembersManage)?;
        let (token, now) = (secret::new("spi_"), self.core.clock.now());
        let row = invitation::Model {
            id: Uuid::now_v7(),
            organisation_id: organisation,
            email: text::email(&new.email)?,
            role: new.role.name().into(),
            token_hash: secret::hash(&token),
            created_at: now,
            expires_at: now + Duration::days(self.core.config.auth.invitation_days.into()),
        };
        let tx = self.core.db.begin().await?;
        if store::invitations(&tx, organisation, now).await?.len() >= MAX_OPEN {
            return Err(AccountError::Full("open invitations"));
        }
        store::insert_invitation(&tx, row.clone()).await?;
        let detail = serde_json::json!({"email": row.email, "role": row.role});
        let change = Change::new("invitation.created", "invitation", row.id).of(organisation).detail(detail);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        let link = self.core.link(&format!("/invitations/{token}"));
        Ok(Invitation { link: Some(link), ..row.into() })
    }

    /// Open invitations, newest first.
    pub async fn invitations(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<Invitation>, AccountError> {
        ctx.require(organisation, Permission::MembersManage)?;
        let rows = store::invitations(self.core.db.read(), organisation, self.core.clock.now()).await?;
        Ok(rows.into_iter().map(Invitation::from).collect())
    }

    /// Withdraw an invitation.
    pub async fn withdraw_invitation(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        id: Uuid,
    ) -> Result<(), AccountError> {
        ctx.require(organisation, Permission::MembersManage)?;
        let tx = self.core.db.begin().await?;
        if !store::delete_invitation(&tx, organisation, id).await? {
            return Err(AccountError::NotFound("invitation"));
        }
        let change = Change::new("invitation.withdrawn", "invitation", id).of(organisation);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Accept: the caller, whose address must be the invited one, becomes a member.
    pub async fn accept_invitation(&self, ctx: &Ctx, token: &str) -> Result<Organisation, AccountError> {
        let user = ctx.require_person()?;
        let (hash, now) = (secret::hash(token), self.core.clock.now());
        let tx = self.core.db.begin().await?;
        let row = store::invitation_by_hash(&tx, &hash, now).await?.ok_or(AccountError::WrongInvitation)?;
        let role = Role::named(&row.role).ok_or(AccountError::WrongInvitation)?;
        let person = store::user(&tx, user).await?.ok_or(AccountError::NotFound("user"))?;
        if person.email != row.email {
            return Err(AccountError::OthersInvitation);
        }
        let organisation = row.organisation_id;
        let known = store::locked_organisation(&tx, organisation).await?;
        let known = known.ok_or(AccountError::WrongInvitation)?;
        if store::member(&tx, organisation, user).await?.is_some() {
            return Err(AccountError::MemberAlready);
        }
        if !store::delete_invitation(&tx, organisation, row.id).await? {
            return Err(AccountError::WrongInvitation);
        }
        store::insert_member(&tx, organisation, user, role, now).await?;
        let change =
            Change::new("invitation.accepted", "invitation", row.id).of(organisation).detail(row.role);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(Organisation { organisation: known, role: Some(role) })
    }
}
