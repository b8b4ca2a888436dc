//! Routes of users, roles, sessions, tokens and set-up.

mod auth;
mod explain;
mod invitations;
mod me;
mod oidc;
mod roles;
mod session;
mod setup;
mod tokens;
mod totp;
mod users;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().merge(signing_in()).merge(oneself()).merge(administration())
}

fn signing_in() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(setup::get_setup, setup::set_up))
        .routes(routes!(setup::create_setup_link))
        .routes(routes!(auth::get_auth_methods))
        .routes(routes!(session::log_in, session::log_out))
        .routes(routes!(session::log_in_with_code))
        .routes(routes!(session::enrol_at_log_in))
        .routes(routes!(session::confirm_at_log_in))
        .routes(routes!(oidc::start_oidc))
        .routes(routes!(oidc::finish_oidc))
        .routes(routes!(invitations::look_at_invitation))
        .routes(routes!(invitations::accept_invitation))
}

fn oneself() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(me::get_me, me::update_me))
        .routes(routes!(me::change_own_password))
        .routes(routes!(me::list_own_sessions, me::end_other_sessions))
        .routes(routes!(me::end_own_session))
        .routes(routes!(totp::get_own_totp, totp::begin_own_totp))
        .routes(routes!(totp::confirm_own_totp))
        .routes(routes!(totp::renew_recovery_codes))
        .routes(routes!(totp::disable_own_totp))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(tokens::rotate_token))
        .routes(routes!(explain::explain_access))
}

fn administration() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::get_user, users::update_user, users::delete_user))
        .routes(routes!(users::reset_password))
        .routes(routes!(users::unlock_user))
        .routes(routes!(users::reset_totp))
        .routes(routes!(users::list_user_sessions, users::end_user_sessions))
        .routes(routes!(users::end_user_session))
        .routes(routes!(invitations::list_invitations, invitations::create_invitation))
        .routes(routes!(invitations::revoke_invitation))
        .routes(routes!(roles::list_roles, roles::create_role))
        .routes(routes!(roles::get_role, roles::update_role, roles::delete_role))
        .routes(routes!(roles::require_totp))
        .routes(routes!(roles::list_permissions))
}
