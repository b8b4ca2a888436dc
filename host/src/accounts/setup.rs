//! First-run set-up: a one-time link makes the first administrator.

use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE64URL_NOPAD;

use super::{AccountError, Services, User, sessions::hash, store, users::NewUser};
use crate::{ctx::Ctx, keys};

const VALID_FOR_MINUTES: i64 = 60;

/// The link in force: hash of its token, and its end.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<Option<(String, DateTime<Utc>)>>);

impl Services {
    /// Whether the host has no user yet.
    pub async fn needs_setup(&self) -> Result<bool, AccountError> {
        Ok(!store::any_user(self.core.db.read()).await?)
    }

    /// A new one-time token, valid for an hour; the one before ends. `None` when the host is set up.
    pub async fn new_setup_token(&self, ctx: &Ctx) -> Result<Option<String>, AccountError> {
        ctx.require("users:manage")?;
        if !self.needs_setup().await? {
            return Ok(None);
        }
        let token = BASE64URL_NOPAD.encode(&keys::random::<32>());
        let end = self.core.clock.now() + Duration::minutes(VALID_FOR_MINUTES);
        *self.setup.0.lock().unwrap_or_else(|e| e.into_inner()) = Some((hash(&token), end));
        Ok(Some(token))
    }

    /// Make the first administrator.
    pub async fn set_up(
        &self,
        request_id: &str,
        token: &str,
        mut admin: NewUser,
    ) -> Result<User, AccountError> {
        if !self.needs_setup().await? {
            return Err(AccountError::SetUpAlready);
        }
        let link = self.take_link(token)?;
        admin.roles = vec!["admin".into()];
        let mut ctx = Ctx::system("setup");
        ctx.request_id = request_id.into();
        let created = self.create_user(&ctx, admin).await;
        if created.is_err() {
            // A password that was refused must not cost the link.
            *self.setup.0.lock().unwrap_or_else(|e| e.into_inner()) = Some(link);
        }
        created
    }

    /// Take the link, so that two at once cannot both use it. Hashes are compared: the time taken tells nothing.
    fn take_link(&self, token: &str) -> Result<(String, DateTime<Utc>), AccountError> {
        let now = self.core.clock.now();
        let mut link = self.setup.0.lock().unwrap_or_else(|e| e.into_inner());
        let fits = link.as_ref().is_some_and(|(expected, end)| now < *end && *expected == hash(token));
        if !fits {
            return Err(AccountError::WrongSetupToken);
        }
        link.take().ok_or(AccountError::WrongSetupToken)
    }
}
