//! API tokens: for programs, with at most the permissions of their user.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, ModelTrait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services, Token, entity::token, sessions::hash, store, users::checked_text,
    views::permissions_of,
};
use crate::{
    audit::Change,
    ctx::{Actor, Ctx},
    http::Page,
    keys,
    permissions::PermissionSet,
};

/// How a token begins, so that scanners find it where it should not be.
pub(super) const PREFIX: &str = "smt_";

/// How much of a secret lists show, to tell tokens apart.
const SHOWN: usize = 10;

fn new_secret() -> String {
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&keys::random::<32>()))
}

/// A token to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Names and patterns of permissions; all of its user's when absent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub permissions: Option<PermissionSet>,
    /// Selector of the machines it reaches, within what its user reaches; empty for all of those.
    #[serde(default)]
    pub scope: String,
    /// End; absent for none.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Name of another user whose token it becomes; needs `users:manage`.
    #[serde(default)]
    pub user: Option<String>,
}

/// A token just made; its secret is shown this once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The secret: send it as `Authorization: Bearer <secret>`.
    pub secret: String,
    /// The rest.
    #[serde(flatten)]
    pub token: Token,
}

impl Services {
    /// One's own tokens; those of the user named `of` with `users:manage`; everybody's for the operator on the host itself.
    pub async fn list_tokens(
        &self,
        ctx: &Ctx,
        of: Option<&str>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Token>, AccountError> {
        let mut user = ctx.actor.user_id();
        if user.is_none() || of.is_some() {
            ctx.require("users:manage")?;
        }
        if let Some(name) = of {
            let row = store::user_by_name(self.core.db.read(), &name.to_lowercase()).await?;
            user = Some(row.ok_or(AccountError::NotFound("user"))?.id);
        }
        let rows = store::tokens(self.core.db.read(), user, after, limit + 1).await?;
        Ok(Page::cut(rows, limit, |t| t.id.to_string()).map(Token::from))
    }

    /// Create a token.
    pub async fn create_token(&self, ctx: &Ctx, new: NewToken) -> Result<CreatedToken, AccountError> {
        let user_id = self.owner(ctx, new.user.as_deref()).await?;
        let wanted = new.permissions.unwrap_or_else(|| PermissionSet::new(["*"]));
        if let Some(bad) = wanted.first_malformed() {
            return Err(AccountError::Invalid(
                "permissions",
                format!("`{bad}` is neither a permission nor a pattern."),
            ));
        }
        let now = self.core.clock.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(AccountError::Invalid("expires_at", "This is in the past.".into()));
        }
        let scope = new.scope.trim();
        if !scope.is_empty() {
            self.core.selectors.parse(ctx, scope)?;
        }
        let secret = new_secret();
        let row = token::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(user_id),
            name: Set(checked_text("name", new.name)?),
            token_hash: Set(hash(&secret)),
            permissions: Set(serde_json::to_value(&wanted).unwrap_or_default()),
            created_at: Set(now),
            last_used_at: Set(None),
            expires_at: Set(new.expires_at),
            scope: Set(scope.into()),
            prefix: Set(secret.chars().take(SHOWN).collect()),
            rotated_at: Set(None),
        };
        let tx = self.core.db.begin().await?;
        let token = Token::from(row.insert(&tx).await?);
        self.core
            .audit
            .record_in(ctx, &tx, Change::new("token.created", "token", token.id).after(&token))
            .await?;
        tx.commit().await?;
        Ok(CreatedToken { secret, token })
    }

    /// Whose token it becomes. A token cannot make tokens that outlive or outdo it: only people and the operator can.
    async fn owner(&self, ctx: &Ctx, name: Option<&str>) -> Result<Uuid, AccountError> {
        let own = ctx.actor.user_id();
        let Some(name) = name else {
            if matches!(ctx.actor, Actor::Token { .. }) {
                return Err(AccountError::BeyondOwn);
            }
            return own.ok_or_else(|| AccountError::Invalid("user", "Say whose token it becomes.".into()));
        };
        ctx.require("users:manage")?;
        let user = store::user_by_name(self.core.db.read(), &name.to_lowercase()).await?;
        let user = user.ok_or(AccountError::NotFound("user"))?;
        let roles =
            store::roles_of(self.core.db.read(), &[user.id]).await?.remove(&user.id).unwrap_or_default();
        if roles.iter().all(|r| ctx.covers(&permissions_of(r, &self.core.permissions), &r.scope)) {
            return Ok(user.id);
        }
        Err(AccountError::BeyondOwn)
    }

    /// Give a token a new secret; the old one ends at once. One's own, or anybody's that may not do more than one may.
    pub async fn rotate_token(&self, ctx: &Ctx, id: Uuid) -> Result<CreatedToken, AccountError> {
        let row = token::Entity::find_by_id(id).one(self.core.db.read()).await?;
        let row = row.ok_or(AccountError::NotFound("token"))?;
        if ctx.actor.user_id() != Some(row.user_id) {
            if !ctx.allows("users:manage") {
                return Err(AccountError::NotFound("token"));
            }
            self.require_not_above(ctx, self.core.db.read(), row.user_id).await?;
        } else if matches!(ctx.actor, Actor::Token { id: own, .. } if own != id) {
            // A narrow token must not take over a wide one of the same user; it may renew itself.
            return Err(AccountError::BeyondOwn);
        }
        let secret = new_secret();
        let change = token::ActiveModel {
            id: Set(id),
            token_hash: Set(hash(&secret)),
            prefix: Set(secret.chars().take(SHOWN).collect()),
            rotated_at: Set(Some(self.core.clock.now())),
            ..Default::default()
        };
        let tx = self.core.db.begin().await?;
        let token = Token::from(change.update(&tx).await?);
        let audit = Change::new("token.rotated", "token", id).before(Token::from(row)).after(&token);
        self.core.audit.record_in(ctx, &tx, audit).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(CreatedToken { secret, token })
    }

    /// Revoke a token: one's own, or anybody's with `users:manage`.
    pub async fn revoke_token(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        let tx = self.core.db.begin().await?;
        let row = token::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("token"))?;
        if ctx.actor.user_id() != Some(row.user_id) && !ctx.allows("users:manage") {
            return Err(AccountError::NotFound("token"));
        }
        let before = Token::from(row.clone());
        row.delete(&tx).await?;
        self.core
            .audit
            .record_in(ctx, &tx, Change::new("token.revoked", "token", id).before(&before))
            .await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(())
    }
}
