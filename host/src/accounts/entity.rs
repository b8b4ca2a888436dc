//! Tables of accounts.

pub mod identity;
pub mod invitation;
pub mod login_flow;
pub mod password_history;
pub mod recovery_code;
pub mod role;
pub mod session;
pub mod token;
pub mod totp;
pub mod user;
pub mod user_role;
