//! People, organisations, roles, invitations, sessions and API tokens.

pub mod entity;
mod error;
mod identify;
mod invitations;
mod members;
mod organisations;
mod routes;
pub mod second_factor;
mod sign_in;
mod store;
mod text;
mod tokens;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use ::second_factor::Sealer;
use passwords::{Hasher, limits::PerAddress, lockout::Failures};

pub use error::AccountError;
pub use invitations::{Invitation, NewInvitation};
pub use members::Member;
pub use organisations::Organisation;
pub use routes::routes;
pub use second_factor::{Enrolment, SecondFactor};
pub use sign_in::{NewSession, SignUp, SignedIn, User};
pub use tokens::{CreatedToken, NewToken, PREFIX as TOKEN_PREFIX, Token};

use crate::app::Core;

/// An organisation, for other slices.
pub(crate) async fn organisation_of(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<entity::organisation::Model>, DbErr> {
    Ok(store::organisations(db, [id]).await?.pop())
}

/// Let no other transaction decide about this organisation until the caller's ends.
pub(crate) async fn lock_organisation(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    store::locked_organisation(db, id).await.map(drop)
}

/// Services of this slice.
pub struct Accounts {
    core: Arc<Core>,
    hasher: Hasher,
    attempts: PerAddress,
    failures: Failures,
    sealer: Sealer,
}

impl Accounts {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let auth = &core.config.auth;
        let key = match auth.secrets_key_file.as_str() {
            "" => core.data_dir.join("secrets.key"),
            file => file.into(),
        };
        Ok(Self {
            sealer: second_factor::open_sealer(&key)?,
            hasher: Hasher::new(auth.hashes_at_once),
            attempts: PerAddress::new(auth.logins_per_minute),
            failures: Failures::default(),
            core,
        })
    }

    /// Delete what has ended.
    pub async fn sweep(&self) -> Result<(), AccountError> {
        let now = self.core.clock.now();
        self.sweep_half_sessions(now).await?;
        Ok(store::delete_ended(self.core.db.write(), now).await?)
    }
}
