//! [`Ctx`]: who calls, with which rights, until when. First argument of every service method.

use std::{ops::Deref, time::Duration};

use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::request::Parts;
use plugin_api::{CallContext, error::decode};

use crate::problem::Problem;

/// The call's context as the host sent it; decoded only when a handler asks for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ctx(pub CallContext);

/// The context's JSON, in the request's extensions.
#[derive(Clone)]
pub(crate) struct RawContext(pub(crate) Bytes);

impl RawContext {
    pub(crate) fn decode(&self) -> Result<CallContext, plugin_api::EngineError> {
        decode(&self.0)
    }
}

impl Ctx {
    /// The first line of a service method: the actor must hold `permission`.
    ///
    /// # Errors
    /// 403 `permission_denied` with the missing permission.
    pub fn require(&self, permission: &str) -> Result<(), Problem> {
        if self.0.allows(permission) {
            return Ok(());
        }
        Err(Problem::new(403, "permission_denied", format!("This needs the permission `{permission}`."))
            .with("permission", permission))
    }

    /// Time left until the caller stops waiting; `None` when it waits for ever.
    pub fn remaining(&self) -> Option<Duration> {
        if self.0.deadline_unix_ms == 0 {
            return None;
        }
        let left = self.0.deadline_unix_ms - chrono::Utc::now().timestamp_millis();
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }
}

impl Deref for Ctx {
    type Target = CallContext;
    fn deref(&self) -> &CallContext {
        &self.0
    }
}

impl From<CallContext> for Ctx {
    fn from(context: CallContext) -> Self {
        Self(context)
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let raw = parts.extensions.get::<RawContext>();
        let Some(raw) = raw else {
            return Err(Problem::new(500, "no_context", "The host sent no context with this request."));
        };
        Ok(Self(raw.decode()?))
    }
}
