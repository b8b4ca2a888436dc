//! Log-ins under way, kept for minutes under the hash of a random token: half-sessions, and journeys to a provider.

use chrono::Duration;
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr,
    sea_query::ExprTrait,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AccountError, Services, entity::login_flow, sessions::hash};
use crate::keys;

/// How often a flow may be used before it ends.
const MAX_ATTEMPTS: i32 = 5;

/// What a flow waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The code of a second factor.
    Totp,
    /// A second factor to be set up.
    EnrolTotp,
    /// An answer of a provider.
    Oidc,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::EnrolTotp => "enrol_totp",
            Self::Oidc => "oidc",
        }
    }
}

impl Services {
    /// Begin a flow: its token, and its end.
    pub(super) async fn begin_flow(
        &self,
        kind: Kind,
        user: Option<Uuid>,
        valid_for: Duration,
        data: Option<&[u8]>,
    ) -> Result<(String, chrono::DateTime<chrono::Utc>), AccountError> {
        let token = BASE64URL_NOPAD.encode(&keys::random::<32>());
        let token_hash = hash(&token);
        let expires_at = self.core.clock.now() + valid_for;
        let row = login_flow::ActiveModel {
            id: Set(Uuid::now_v7()),
            kind: Set(kind.name().into()),
            sealed: Set(data.map(|data| self.core.keys.seal(&place(&token_hash), data))),
            token_hash: Set(token_hash),
            user_id: Set(user),
            attempts: Set(0),
            expires_at: Set(expires_at),
        };
        row.insert(self.core.db.write()).await?;
        Ok((token, expires_at))
    }

    /// Use a flow: counts, and fails when it is none, has ended or was used too often.
    pub(super) async fn use_flow(&self, kind: Kind, token: &str) -> Result<login_flow::Model, AccountError> {
        use login_flow::{Column, Entity};
        let token_hash = hash(token);
        let counted = Entity::update_many()
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::TokenHash.eq(&token_hash))
            .filter(Column::Kind.eq(kind.name()))
            .filter(Column::Attempts.lt(MAX_ATTEMPTS))
            .filter(Column::ExpiresAt.gt(self.core.clock.now()))
            .exec(self.core.db.write())
            .await?;
        if counted.rows_affected == 0 {
            return Err(AccountError::HalfSessionEnded);
        }
        let row = Entity::find().filter(Column::TokenHash.eq(token_hash)).one(self.core.db.write()).await?;
        row.ok_or(AccountError::HalfSessionEnded)
    }

    /// End a flow; `false` when somebody else did.
    pub(super) async fn end_flow(&self, id: Uuid) -> Result<bool, AccountError> {
        Ok(login_flow::Entity::delete_by_id(id).exec(self.core.db.write()).await?.rows_affected == 1)
    }

    /// The data that a flow was begun with.
    pub(super) fn flow_data(&self, flow: &login_flow::Model) -> Result<Zeroizing<Vec<u8>>, AccountError> {
        Ok(self.core.keys.unseal(&place(&flow.token_hash), flow.sealed.as_deref().unwrap_or_default())?)
    }
}

fn place(token_hash: &str) -> String {
    format!("login_flow:{token_hash}")
}
