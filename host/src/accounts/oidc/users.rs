//! From a person at a provider to a user here: known, linked, or made on the spot; and their roles.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::{
    claims::Person,
    provider::{OidcError, Provider},
};
use crate::{
    accounts::{
        AccountError, Services, User, UserState,
        entity::{identity, user},
        sign_in::Client,
        store,
        users::{checked_email, checked_text},
    },
    audit::{Change, Outcome},
    ctx::Ctx,
};

impl Services {
    pub(super) async fn user_of(
        &self,
        provider: &Provider,
        who: &Person,
        client: &Client,
    ) -> Result<user::Model, OidcError> {
        let mut ctx = Ctx::system("oidc");
        ctx.request_id = client.request_id.clone();
        ctx.client_ip = client.ip;
        let tx = self.core.db.begin().await?;
        let known = identity::Entity::find_by_id((who.issuer.clone(), who.subject.clone())).one(&tx).await?;
        let id = match known {
            Some(known) => known.user_id,
            None => match self.newcomer(&ctx, &tx, provider, who).await? {
                Some(id) => id,
                None => {
                    let told = serde_json::json!({"subject": who.subject, "email": who.email});
                    let change = Change::new("session.refused", "provider", provider.id());
                    let change = change.outcome(Outcome::Refused).after(told);
                    self.core.audit.record_in(&ctx, &tx, change).await?;
                    tx.commit().await?;
                    return Err(OidcError::NoAccount);
                }
            },
        };
        let row = user::Entity::find_by_id(id).one(&tx).await?.ok_or(OidcError::NoAccount)?;
        if UserState::of(&row.state) == UserState::Disabled {
            return Err(OidcError::Disabled);
        }
        let seen = identity::ActiveModel {
            issuer: Set(who.issuer.clone()),
            subject: Set(who.subject.clone()),
            last_login_at: Set(self.core.clock.now()),
            ..Default::default()
        };
        seen.update(&tx).await?;
        self.follow_groups(&ctx, &tx, provider, who, id).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(row)
    }

    /// The user of somebody who comes for the first time.
    async fn newcomer(
        &self,
        ctx: &Ctx,
        tx: &impl ConnectionTrait,
        provider: &Provider,
        who: &Person,
    ) -> Result<Option<Uuid>, OidcError> {
        let linked = match (provider.config.link_by_verified_email, who.email_verified, &who.email) {
            (true, true, Some(email)) => only_user_with(tx, email).await?,
            _ => None,
        };
        let id = match linked {
            Some(id) => {
                let told = serde_json::json!({"provider": provider.id(), "subject": who.subject});
                let change = Change::new("user.identity_linked", "user", id).after(told);
                self.core.audit.record_in(ctx, tx, change).await?;
                id
            }
            None if provider.config.create_users => self.make_user(ctx, tx, provider, who).await?,
            None => return Ok(None),
        };
        let now = self.core.clock.now();
        let row = identity::ActiveModel {
            issuer: Set(who.issuer.clone()),
            subject: Set(who.subject.clone()),
            user_id: Set(id),
            provider: Set(provider.id().into()),
            created_at: Set(now),
            last_login_at: Set(now),
        };
        identity::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(Some(id))
    }

    async fn make_user(
        &self,
        ctx: &Ctx,
        tx: &impl ConnectionTrait,
        provider: &Provider,
        who: &Person,
    ) -> Result<Uuid, OidcError> {
        let mut free = None;
        for name in who.names() {
            if store::user_by_name(tx, &name).await?.is_none() {
                free = Some(name);
                break;
            }
        }
        let name = free.ok_or_else(|| OidcError::Failed("no name is free for this person".into()))?;
        let now = self.core.clock.now();
        let shown = who.name.clone().and_then(|n| checked_text("display_name", n).ok());
        let row = user::ActiveModel {
            id: Set(Uuid::now_v7()),
            display_name: Set(shown.unwrap_or_else(|| name.clone())),
            name: Set(name),
            // An address that nobody verified could be somebody else's.
            email: Set(checked_email(who.email.clone().filter(|_| who.email_verified)).unwrap_or_default()),
            // No password verifies against this.
            password_hash: Set(String::new()),
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
        let row = row.insert(tx).await?;
        let id = row.id;
        let names = self.existing(tx, provider, &provider.config.default_roles).await?;
        let roles = self.set_roles(ctx, tx, id, &names).await?;
        let change = Change::new("user.created", "user", id)
            .before(serde_json::json!({"provider": provider.id(), "subject": who.subject}))
            .after(User::of(row, roles));
        self.core.audit.record_in(ctx, tx, change).await?;
        Ok(id)
    }

    /// Where groups decide about roles, give the user those of their groups; the last administrator stays one.
    async fn follow_groups(
        &self,
        ctx: &Ctx,
        tx: &impl ConnectionTrait,
        provider: &Provider,
        who: &Person,
        id: Uuid,
    ) -> Result<(), OidcError> {
        let config = &provider.config;
        if config.roles.is_empty() {
            return Ok(());
        }
        let mapped = who.groups.iter().filter_map(|g| config.roles.get(g)).flatten();
        let mut names: Vec<String> = config.default_roles.iter().chain(mapped).cloned().collect();
        names.sort();
        names.dedup();
        let names = self.existing(tx, provider, &names).await?;
        let before = self.user(tx, id).await?;
        if before.roles == names {
            return Ok(());
        }
        let admin = |roles: &[String]| roles.iter().any(|r| r == "admin");
        if admin(&before.roles) && !admin(&names) && !store::another_admin(tx, id).await? {
            tracing::warn!(user = %before.name, "the last administrator keeps the role, whatever the provider's groups say");
            return Ok(());
        }
        let roles = self.set_roles(ctx, tx, id, &names).await?;
        let told = serde_json::json!({"roles": roles, "groups": who.groups, "provider": provider.id()});
        let change = Change::new("user.roles_followed_groups", "user", id)
            .before(serde_json::json!({"roles": before.roles}))
            .after(told);
        Ok(self.core.audit.record_in(ctx, tx, change).await?)
    }

    /// Roles that exist, sorted: a role of the configuration that was deleted must not keep everybody out.
    async fn existing(
        &self,
        tx: &impl ConnectionTrait,
        provider: &Provider,
        names: &[String],
    ) -> Result<Vec<String>, AccountError> {
        let mut found: Vec<String> =
            store::roles_named(tx, names).await?.into_iter().map(|r| r.name).collect();
        found.sort();
        for missing in names.iter().filter(|n| !found.contains(n)) {
            tracing::warn!(provider = provider.id(), role = %missing, "the configuration names a role that is not there");
        }
        Ok(found)
    }
}

/// The user with this address, where there is exactly one.
async fn only_user_with(tx: &impl ConnectionTrait, email: &str) -> Result<Option<Uuid>, sea_orm::DbErr> {
    let same = Expr::expr(Func::lower(Expr::col(user::Column::Email))).eq(email.trim().to_lowercase());
    let found =
        user::Entity::find().filter(same).filter(user::Column::State.eq("active")).limit(2).all(tx).await?;
    Ok(match found.as_slice() {
        [one] => Some(one.id),
        _ => None,
    })
}
