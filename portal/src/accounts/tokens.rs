//! API tokens: for programs, with their owner's role in one organisation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountError, Accounts, entity::token, store, text};
use crate::{
    audit::Change,
    ctx::{Ctx, Permission, Role},
    secret,
};

/// How a token begins, so that scanners find it where it should not be.
pub const PREFIX: &str = "spt_";
/// How much of a secret lists show, to tell tokens apart.
const SHOWN: usize = 10;
/// Most tokens of one person for one organisation.
const MAX_TOKENS: usize = 50;

/// A token to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// End; absent for none.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    /// Id.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// What it is for.
    pub name: String,
    /// How its secret begins.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// End.
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<token::Model> for Token {
    fn from(row: token::Model) -> Self {
        let token::Model { id, user_id: user, name, prefix, created_at, expires_at, .. } = row;
        Self { id, user, name, prefix, created_at, expires_at }
    }
}

/// A token just made.
#[derive(Serialize)]
pub struct CreatedToken {
    /// Send it as `Authorization: Bearer <secret>`. Told this once.
    pub secret: String,
    /// The rest.
    #[serde(flatten)]
    pub token: Token,
}

impl Accounts {
    /// One's own tokens for an organisation; everybody's for an owner.
    pub async fn tokens(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<Token>, AccountError> {
        ctx.require(organisation, Permission::OrganisationRead)?;
        let own = if ctx.role_in(organisation) == Some(Role::Owner) { None } else { ctx.actor.user() };
        let rows = store::tokens(self.core.db.read(), organisation, own).await?;
        Ok(rows.into_iter().map(Token::from).collect())
    }

    /// Make a token. Only people can: a token that makes tokens would outlive what took it away.
    pub async fn create_token(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        new: NewToken,
    ) -> Result<CreatedToken, AccountError> {
        ctx.require(organisation, Permission::OrganisationRead)?;
        let user = ctx.require_person()?;
        let now = self.core.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(AccountError::Invalid("expires_at", "This is in the past.".into()));
        }
        let secret = secret::new(PREFIX);
        let row = token::Model {
            id: Uuid::now_v7(),
            user_id: user,
            organisation_id: organisation,
            name: text::name("name", &new.name)?,
            token_hash: secret::hash(&secret),
            prefix: secret.chars().take(SHOWN).collect(),
            created_at: now,
            expires_at: new.expires_at,
        };
        let tx = self.core.db.begin().await?;
        if store::tokens(&tx, organisation, Some(user)).await?.len() >= MAX_TOKENS {
            return Err(AccountError::Full("tokens"));
        }
        store::insert_token(&tx, row.clone()).await?;
        let token = Token::from(row);
        let change = Change::new("token.created", "token", token.id).of(organisation).detail(&token);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(CreatedToken { secret, token })
    }

    /// Revoke a token: one's own, or anybody's as an owner.
    pub async fn revoke_token(&self, ctx: &Ctx, organisation: Uuid, id: Uuid) -> Result<(), AccountError> {
        let tokens = self.tokens(ctx, organisation).await?;
        let token = tokens.into_iter().find(|t| t.id == id).ok_or(AccountError::NotFound("token"))?;
        let tx = self.core.db.begin().await?;
        store::delete_token(&tx, id).await?;
        let change = Change::new("token.revoked", "token", id).of(organisation).detail(&token);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }
}
