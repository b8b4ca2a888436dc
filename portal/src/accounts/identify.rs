//! Who a session or a token belongs to, asked of the database with every request: what is taken away is gone at once.

use super::{Accounts, entity::user, store};
use crate::{
    ctx::{Actor, Ctx},
    problem::Problem,
    secret::hash,
};

impl Accounts {
    /// Fill `ctx` with the person of a session; `false` when there is no such session.
    pub async fn identify_session(&self, ctx: &mut Ctx, token: &str) -> Result<bool, Problem> {
        let db = self.core.db.read();
        let session = store::session_by_hash(db, &hash(token)).await?;
        let Some(session) = session.filter(|s| s.expires_at > self.core.clock.now()) else {
            return Ok(false);
        };
        let Some(user) = store::user(db, session.user_id).await? else { return Ok(false) };
        ctx.memberships = store::memberships(db, user.id).await?.into();
        let enrolled = !self.core.config.auth.staff_second_factor
            || (user.staff && self.has_second_factor(db, user.id).await?);
        ctx.staff = user.staff && enrolled;
        ctx.unenrolled_staff = user.staff && !enrolled;
        ctx.session = Some(session.id);
        name(ctx, Actor::User(user.id), &user);
        Ok(true)
    }

    /// Fill `ctx` with the program of a token: its owner's role, in the token's organisation only, and never the vendor's
    /// rights.
    pub async fn identify_token(&self, ctx: &mut Ctx, token: &str) -> Result<bool, Problem> {
        let db = self.core.db.read();
        let row = store::token_by_hash(db, &hash(token)).await?;
        let now = self.core.clock.now();
        let Some(row) = row.filter(|t| t.expires_at.is_none_or(|end| end > now)) else { return Ok(false) };
        let Some(user) = store::user(db, row.user_id).await? else { return Ok(false) };
        let memberships = store::memberships(db, user.id).await?;
        ctx.memberships = memberships.into_iter().filter(|m| m.organisation == row.organisation_id).collect();
        name(ctx, Actor::Token { id: row.id, user: user.id }, &user);
        Ok(true)
    }
}

fn name(ctx: &mut Ctx, actor: Actor, user: &user::Model) {
    ctx.actor = actor;
    ctx.actor_name = user.name.clone();
}
