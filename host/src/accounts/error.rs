//! What can go wrong with accounts.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError, selector::SelectorError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The actor would hand out more than they hold.
    #[error("You cannot give permissions that you do not hold yourself, on the machines of the role.")]
    BeyondOwn,
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("There is a {0} of this name already.")]
    NameTaken(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The scope of a role is not a selector.
    #[error(transparent)]
    Scope(#[from] SelectorError),
    /// Built-in roles stay as they are.
    #[error("Built-in roles cannot be changed or deleted; make a role of your own.")]
    BuiltIn,
    /// The role is in use.
    #[error("Users have this role; take it from them first.")]
    RoleInUse,
    /// Nobody could administer the host any more.
    #[error("This is the last active administrator.")]
    LastAdmin,
    /// Somebody else changed it.
    #[error("Somebody changed this since you read it; read it again.")]
    Changed,
    /// The link of an invitation is wrong, used or ended.
    #[error("This invitation is wrong, was used, was revoked or has ended. Ask for a new one.")]
    WrongInvitation,
    /// The half-session is none, or has ended.
    #[error("Signing in took too long or too many tries. Begin again with name and password.")]
    HalfSessionEnded,
    /// The code of the second factor is wrong or was used.
    #[error("The code is wrong or was used already. Wait for the next one, or use a recovery code.")]
    WrongCode,
    /// There is a second factor already.
    #[error("A second factor is set up already; turn it off first.")]
    TotpAlready,
    /// There is no second factor.
    #[error("No second factor is set up.")]
    NoTotp,
    /// A role requires the second factor.
    #[error("One of your roles requires a second factor, so it cannot be turned off.")]
    TotpRequired,
    /// Passwords are not taken.
    #[error("This host takes no passwords; sign in through your organisation's login.")]
    NoPasswords,
    /// The list of stolen passwords cannot be read.
    #[error("the list of stolen passwords cannot be searched")]
    BreachedList(#[source] std::io::Error),
    /// A secret does not open with this host's key.
    #[error("the second factor's secret does not open")]
    Sealed(#[from] crate::keys::Unsealable),
    /// Wrong name or password, or disabled.
    #[error("The name or the password is wrong, or the user is disabled.")]
    WrongLogin,
    /// Too many failures of this user.
    #[error("Too many wrong passwords. Wait {0} s, or ask an administrator.")]
    Locked(u64),
    /// Too many attempts from this address.
    #[error("Too many attempts from this address. Wait {0} s.")]
    TooMany(u64),
    /// Passwords cannot be hashed now.
    #[error("Too many people log in at once; try again in a moment.")]
    Busy,
    /// The host is set up already.
    #[error("The host is set up already: log in.")]
    SetUpAlready,
    /// The set-up link is wrong or has ended.
    #[error("This set-up link is wrong or has ended. `sysmanage setup` on the host prints a new one.")]
    WrongSetupToken,
    /// Hashing failed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl From<::passwords::PasswordError> for AccountError {
    fn from(error: ::passwords::PasswordError) -> Self {
        use ::passwords::PasswordError;
        match error {
            PasswordError::Weak(why) => Self::Invalid("password", why),
            PasswordError::Busy => Self::Busy,
            PasswordError::Hash(why) => Self::Hash(why),
        }
    }
}

impl SliceError for AccountError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_)
            | Self::BeyondOwn
            | Self::WrongSetupToken
            | Self::WrongInvitation
            | Self::NoPasswords => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) | Self::Scope(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TotpAlready
            | Self::NoTotp
            | Self::TotpRequired
            | Self::NameTaken(_)
            | Self::BuiltIn
            | Self::RoleInUse
            | Self::LastAdmin
            | Self::SetUpAlready => StatusCode::CONFLICT,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::WrongLogin | Self::HalfSessionEnded | Self::WrongCode => StatusCode::UNAUTHORIZED,
            Self::Locked(_) | Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hash(_) | Self::BreachedList(_) | Self::Sealed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::BeyondOwn => "beyond_own_permissions",
            Self::NotFound(_) => "not_found",
            Self::NameTaken(_) => "name_taken",
            Self::Invalid(..) => "invalid",
            Self::Scope(e) => e.code(),
            Self::BuiltIn => "built_in_role",
            Self::RoleInUse => "role_in_use",
            Self::LastAdmin => "last_administrator",
            Self::Changed => "changed_since",
            Self::WrongLogin => "wrong_login",
            Self::Locked(_) => "login_locked",
            Self::TooMany(_) => "too_many_logins",
            Self::Busy => "busy",
            Self::SetUpAlready => "set_up_already",
            Self::WrongSetupToken => "wrong_setup_token",
            Self::WrongInvitation => "wrong_invitation",
            Self::HalfSessionEnded => "half_session_ended",
            Self::WrongCode => "wrong_code",
            Self::TotpAlready => "totp_enabled",
            Self::NoTotp => "totp_disabled",
            Self::TotpRequired => "totp_required",
            Self::NoPasswords => "no_passwords",
            Self::Hash(_) | Self::BreachedList(_) | Self::Sealed(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Scope(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            Self::Locked(seconds) | Self::TooMany(seconds) => {
                Map::from_iter([("retry_after_s".into(), (*seconds).into())])
            }
            _ => Map::new(),
        }
    }
}
