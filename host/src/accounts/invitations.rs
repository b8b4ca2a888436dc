//! Invitations: a link that makes one user, with roles chosen beforehand.

use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services, User, UserState,
    entity::{invitation, user},
    sessions::hash,
    sign_in::Client,
    store,
    users::{checked_email, checked_name, checked_text, taken},
};
use crate::{
    audit::Change,
    ctx::{Actor, Ctx},
    http::Page,
    keys,
};

const DEFAULT_HOURS: u32 = 72;
const MAX_HOURS: u32 = 720;

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Address for mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Name to log in with; chosen by the invited when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Name to show.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Names of roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// How long the link works: 1 to 720 hours; 72 when absent.
    #[serde(default)]
    pub expires_in_hours: Option<u32>,
}

/// An invitation that nobody accepted yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invitation {
    /// Id.
    pub id: Uuid,
    /// Address for mail.
    pub email: Option<String>,
    /// Name to log in with.
    pub name: Option<String>,
    /// Name to show.
    pub display_name: Option<String>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Who invites, e.g. `user:<uuid>`.
    pub created_by: String,
    /// When made.
    pub created_at: DateTime<Utc>,
    /// When the link ends.
    pub expires_at: DateTime<Utc>,
}

/// How to accept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Token of the link.
    pub token: String,
    /// Name to log in with, where the invitation leaves it open.
    #[serde(default)]
    pub name: Option<String>,
    /// Name to show.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Password.
    pub password: String,
}

impl From<invitation::Model> for Invitation {
    fn from(m: invitation::Model) -> Self {
        Self {
            id: m.id,
            email: m.email,
            name: m.name,
            display_name: m.display_name,
            roles: serde_json::from_value(m.roles).unwrap_or_default(),
            created_by: m.created_by,
            created_at: m.created_at,
            expires_at: m.expires_at,
        }
    }
}

impl Services {
    /// Invitations that are open, oldest first.
    pub async fn list_invitations(
        &self,
        ctx: &Ctx,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Invitation>, AccountError> {
        ctx.require("users:read")?;
        let mut query = invitation::Entity::find()
            .filter(invitation::Column::ExpiresAt.gt(self.core.clock.now()))
            .order_by_asc(invitation::Column::Id)
            .limit(limit + 1);
        if let Some(after) = after {
            query = query.filter(invitation::Column::Id.gt(after));
        }
        let rows = query.all(self.core.db.read()).await?;
        Ok(Page::cut(rows, limit, |i| i.id.to_string()).map(Invitation::from))
    }

    /// Invite somebody: the invitation, and the token of its link, told this once.
    pub async fn invite(&self, ctx: &Ctx, new: NewInvitation) -> Result<(Invitation, String), AccountError> {
        ctx.require("users:manage")?;
        let hours = new.expires_in_hours.unwrap_or(DEFAULT_HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            let why = format!("An invitation is open for 1 to {MAX_HOURS} hours.");
            return Err(AccountError::Invalid("expires_in_hours", why));
        }
        let name = new.name.filter(|n| !n.trim().is_empty()).map(|n| checked_name(&n)).transpose()?;
        let db = self.core.db.read();
        if let Some(name) = &name
            && store::user_by_name(db, name).await?.is_some()
        {
            return Err(AccountError::NameTaken("user"));
        }
        let roles = store::roles_named(db, &new.roles).await?;
        if let Some(unknown) = new.roles.iter().find(|n| !roles.iter().any(|r| r.name == **n)) {
            return Err(AccountError::Invalid("roles", format!("There is no role `{unknown}`.")));
        }
        self.require_covered(ctx, &roles)?;
        let now = self.core.clock.now();
        let token = BASE64URL_NOPAD.encode(&keys::random::<32>());
        let row = invitation::ActiveModel {
            id: Set(Uuid::now_v7()),
            token_hash: Set(hash(&token)),
            email: Set(checked_email(new.email)?),
            name: Set(name),
            display_name: Set(new.display_name.map(|n| checked_text("display_name", n)).transpose()?),
            roles: Set(serde_json::json!(new.roles)),
            created_by: Set(ctx.actor.to_string()),
            created_at: Set(now),
            expires_at: Set(now + Duration::hours(hours.into())),
        };
        let tx = self.core.db.begin().await?;
        let made = Invitation::from(row.insert(&tx).await?);
        let change = Change::new("invitation.created", "invitation", made.id).after(&made);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok((made, token))
    }

    /// Revoke one.
    pub async fn revoke_invitation(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        ctx.require("users:manage")?;
        let tx = self.core.db.begin().await?;
        let row = invitation::Entity::find_by_id(id).one(&tx).await?;
        let row = row.ok_or(AccountError::NotFound("invitation"))?;
        let before = Invitation::from(row.clone());
        row.delete(&tx).await?;
        let change = Change::new("invitation.revoked", "invitation", id).before(&before);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What the link with `token` offers.
    pub async fn look_at_invitation(&self, token: &str, client: &Client) -> Result<Invitation, AccountError> {
        self.admit(client)?;
        Ok(self.open_invitation(token, client).await?.into())
    }

    async fn open_invitation(&self, token: &str, client: &Client) -> Result<invitation::Model, AccountError> {
        let found = invitation::Entity::find()
            .filter(invitation::Column::TokenHash.eq(hash(token)))
            .filter(invitation::Column::ExpiresAt.gt(self.core.clock.now()))
            .one(self.core.db.read())
            .await?;
        found.ok_or_else(|| {
            self.blame(client);
            AccountError::WrongInvitation
        })
    }

    /// Accept: makes the user, and ends the link.
    pub async fn accept_invitation(&self, accept: Acceptance, client: &Client) -> Result<User, AccountError> {
        self.admit(client)?;
        let open = self.open_invitation(&accept.token, client).await?;
        let name = match (&open.name, &accept.name) {
            (Some(name), _) => name.clone(),
            (None, Some(name)) => checked_name(name)?,
            (None, None) => {
                return Err(AccountError::Invalid("name", "Choose a name to log in with.".into()));
            }
        };
        let display = accept.display_name.or(open.display_name.clone()).unwrap_or_else(|| name.clone());
        let now = self.core.clock.now();
        let row = user::ActiveModel {
            id: Set(Uuid::now_v7()),
            display_name: Set(checked_text("display_name", display)?),
            password_hash: Set(self.new_password(&accept.password, &name).await?),
            name: Set(name),
            email: Set(open.email.clone()),
            state: Set(UserState::Active.name().into()),
            failed_logins: Set(0),
            locked_until: Set(None),
            last_login_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            language: Set(String::new()),
            preferences: Set(None),
            totp_enabled: Set(false),
        };
        let tx = self.core.db.begin().await?;
        // Whoever deletes the row has the invitation: two at once cannot both.
        if invitation::Entity::delete_by_id(open.id).exec(&tx).await?.rows_affected == 0 {
            return Err(AccountError::WrongInvitation);
        }
        let row = row.insert(&tx).await.map_err(|e| taken(e, "user"))?;
        // Who invited was allowed to give these roles then; a role deleted since is left out.
        let granted: Vec<String> = serde_json::from_value(open.roles).unwrap_or_default();
        let granted: Vec<String> =
            store::roles_named(&tx, &granted).await?.into_iter().map(|r| r.name).collect();
        let mut ctx = Ctx::system("invitation");
        let roles = self.set_roles(&ctx, &tx, row.id, &granted).await?;
        let user = User::of(row, roles);
        ctx.actor = Actor::User(user.id);
        ctx.actor_name = user.name.clone();
        ctx.request_id = client.request_id.clone();
        ctx.client_ip = client.ip;
        let change = Change::new("user.created", "user", user.id)
            .before(serde_json::json!({"invitation": open.id, "invited_by": open.created_by}))
            .after(&user);
        self.core.audit.record_in(&ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(user)
    }
}
