//! Routes of users, roles, sessions, tokens and set-up.

mod me;
mod roles;
mod session;
mod setup;
mod tokens;
mod users;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(setup::get_setup, setup::set_up))
        .routes(routes!(setup::create_setup_link))
        .routes(routes!(session::log_in, session::log_out))
        .routes(routes!(me::get_me))
        .routes(routes!(me::change_own_password))
        .routes(routes!(me::list_own_sessions))
        .routes(routes!(me::end_own_session))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::get_user, users::update_user, users::delete_user))
        .routes(routes!(users::reset_password))
        .routes(routes!(roles::list_roles, roles::create_role))
        .routes(routes!(roles::get_role, roles::update_role, roles::delete_role))
        .routes(routes!(roles::list_permissions))
}
