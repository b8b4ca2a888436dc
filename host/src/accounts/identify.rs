//! From a session's or token's secret to who acts with which rights; remembered for seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use super::{
    AccountError, Services, UserState,
    entity::{session, token, user},
    sessions::hash,
    store, tokens,
    views::{permissions_of, stored},
};
use crate::{
    ctx::Actor,
    permissions::{Grant, PermissionSet},
};

/// Rights may be this stale after a change made by another node.
const FRESH: Duration = Duration::seconds(5);
const MAX_REMEMBERED: usize = 10_000;

/// Who acts.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who.
    pub actor: Actor,
    /// The user's name.
    pub name: String,
    /// What they may do.
    pub grants: Arc<[Grant]>,
    /// Names of their roles.
    pub roles: Arc<[String]>,
    /// The session, where there is one.
    pub session: Option<Uuid>,
    valid_until: DateTime<Utc>,
}

/// Identities by the hash of their secret.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<String, (DateTime<Utc>, Identity)>>);

impl Cache {
    fn get(&self, hash: &str, now: DateTime<Utc>) -> Option<Identity> {
        let cache = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let (at, identity) = cache.get(hash)?;
        (now - *at < FRESH && now < identity.valid_until).then(|| identity.clone())
    }

    fn put(&self, hash: String, now: DateTime<Utc>, identity: Identity) {
        let mut cache = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if cache.len() >= MAX_REMEMBERED {
            cache.clear();
        }
        cache.insert(hash, (now, identity));
    }

    /// Forget all: called after every change of rights.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).clear();
    }
}

/// A user who may act, what they may do, and the names of their roles.
type ActiveUser = (user::Model, Vec<Grant>, Arc<[String]>);

impl Services {
    /// Who holds this secret; `None` when nobody does any more.
    pub async fn identify(&self, secret: &str) -> Result<Option<Identity>, AccountError> {
        let hash = hash(secret);
        let now = self.core.clock.now();
        if let Some(identity) = self.identities.get(&hash, now) {
            return Ok(Some(identity));
        }
        let found = match secret.starts_with(tokens::PREFIX) {
            true => self.by_token(&hash, now).await?,
            false => self.by_session(&hash, now).await?,
        };
        if let Some(identity) = &found {
            self.identities.put(hash, now, identity.clone());
        }
        Ok(found)
    }

    async fn by_session(&self, hash: &str, now: DateTime<Utc>) -> Result<Option<Identity>, AccountError> {
        let Some(session) = store::session_by_hash(self.core.db.read(), hash).await? else { return Ok(None) };
        let idle = Duration::minutes(self.core.config.auth.session_idle_minutes.into());
        if now >= session.expires_at.min(session.last_used_at + idle) {
            return Ok(None);
        }
        let Some((user, grants, roles)) = self.active_user(session.user_id).await? else { return Ok(None) };
        if now - session.last_used_at >= Duration::minutes(1) {
            let touch =
                session::ActiveModel { id: Set(session.id), last_used_at: Set(now), ..Default::default() };
            self.tolerate(touch.update(self.core.db.write()).await.map(drop))?;
        }
        let valid_until = session.expires_at.min(now + idle);
        Ok(Some(Identity {
            actor: Actor::User(user.id),
            name: user.name,
            grants: grants.into(),
            roles,
            session: Some(session.id),
            valid_until,
        }))
    }

    async fn by_token(&self, hash: &str, now: DateTime<Utc>) -> Result<Option<Identity>, AccountError> {
        let Some(token) = store::token_by_hash(self.core.db.read(), hash).await? else { return Ok(None) };
        if token.expires_at.is_some_and(|end| now >= end) {
            return Ok(None);
        }
        let Some((user, grants, roles)) = self.active_user(token.user_id).await? else { return Ok(None) };
        if token.last_used_at.is_none_or(|last| now - last >= Duration::minutes(1)) {
            let touch =
                token::ActiveModel { id: Set(token.id), last_used_at: Set(Some(now)), ..Default::default() };
            self.tolerate(touch.update(self.core.db.write()).await.map(drop))?;
        }
        let limit = stored(&token.permissions);
        let grants = grants.into_iter().map(|g| self.limited(g, &limit, &token.scope)).collect::<Vec<_>>();
        let valid_until = token.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let actor = Actor::Token { id: token.id, user: user.id };
        Ok(Some(Identity {
            actor,
            name: user.name,
            grants: grants.into(),
            roles,
            session: None,
            valid_until,
        }))
    }

    /// What both the user and the token allow, where both reach. Patterns are resolved to the names that exist now.
    fn limited(&self, grant: Grant, limit: &PermissionSet, scope: &str) -> Grant {
        let scope = match (grant.scope.trim(), scope.trim()) {
            (one, "") | ("", one) => one.to_owned(),
            (own, token) => format!("({own}) ({token})"),
        };
        if limit.patterns().any(|p| p == "*") {
            return Grant { permissions: grant.permissions, scope };
        }
        let names = self.core.permissions.names();
        let both = names.into_iter().filter(|p| grant.permissions.allows(p) && limit.allows(p));
        Grant { permissions: PermissionSet::new(both), scope }
    }

    async fn active_user(&self, id: Uuid) -> Result<Option<ActiveUser>, AccountError> {
        let db = self.core.db.read();
        let user = user::Entity::find_by_id(id).one(db).await?;
        let Some(user) = user.filter(|u| UserState::of(&u.state) == UserState::Active) else {
            return Ok(None);
        };
        let roles = store::roles_of(db, &[id]).await?.remove(&id).unwrap_or_default();
        let grants = roles
            .iter()
            .map(|r| Grant { permissions: permissions_of(r, &self.core.permissions), scope: r.scope.clone() })
            .collect();
        let roles = roles.into_iter().map(|r| r.name).collect();
        Ok(Some((user, grants, roles)))
    }

    /// A session or token that was deleted meanwhile is no error of the request that used it.
    fn tolerate(&self, touched: Result<(), sea_orm::DbErr>) -> Result<(), AccountError> {
        match touched {
            Err(sea_orm::DbErr::RecordNotUpdated) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
