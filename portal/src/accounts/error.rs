//! What can go wrong with accounts.

use http::StatusCode;
use passwords::PasswordError;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// Somebody has an account with this address.
    #[error("There is an account with this address already. Sign in instead.")]
    EmailTaken,
    /// The invited person is a member.
    #[error("You are a member of this organisation already.")]
    MemberAlready,
    /// An organisation needs an owner.
    #[error("This is the last owner of the organisation. Make somebody else an owner first.")]
    LastOwner,
    /// The invitation is wrong, used or over.
    #[error("This invitation is wrong, was used, was withdrawn or has ended. Ask for a new one.")]
    WrongInvitation,
    /// The invitation is for somebody else.
    #[error("This invitation is for another address than yours.")]
    OthersInvitation,
    /// Address or password is wrong.
    #[error("Address or password is wrong.")]
    WrongLogin,
    /// The password that confirms a change is wrong.
    #[error("The password is wrong.")]
    WrongPassword,
    /// The code is wrong or was used.
    #[error("This code is wrong, or was used. Enter the one that the authenticator shows now.")]
    WrongCode,
    /// The code came too late, or after too many wrong ones.
    #[error("Too late, or too many wrong codes. Sign in again.")]
    HalfSessionEnded,
    /// There is a second factor.
    #[error("There is a second factor already. Turn it off to set up another one.")]
    SecondFactorAlready,
    /// There is no second factor.
    #[error("There is no second factor. Set one up first.")]
    NoSecondFactor,
    /// The vendor's staff keep theirs.
    #[error("The vendor's staff must have a second factor; it cannot be turned off.")]
    SecondFactorRequired,
    /// A secret does not open.
    #[error(transparent)]
    Sealed(#[from] second_factor::Unsealable),
    /// Too many wrong passwords.
    #[error("Too many wrong passwords. Wait {0} s.")]
    Locked(u64),
    /// Too many attempts from an address.
    #[error("Too many attempts from this address. Wait {0} s.")]
    TooMany(u64),
    /// The password is not taken, or cannot be looked at.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// There are too many of something.
    #[error("There are {0} already, and no more can be made.")]
    Full(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for AccountError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) | Self::Password(PasswordError::Weak(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::EmailTaken | Self::MemberAlready | Self::LastOwner | Self::Full(_) => StatusCode::CONFLICT,
            Self::WrongInvitation | Self::OthersInvitation => StatusCode::FORBIDDEN,
            Self::WrongLogin | Self::WrongCode | Self::HalfSessionEnded => StatusCode::UNAUTHORIZED,
            Self::WrongPassword | Self::SecondFactorRequired => StatusCode::FORBIDDEN,
            Self::SecondFactorAlready | Self::NoSecondFactor => StatusCode::CONFLICT,
            Self::Sealed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Locked(_) | Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Password(PasswordError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Password(PasswordError::Hash(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Invalid(..) | Self::Password(PasswordError::Weak(_)) => "invalid",
            Self::EmailTaken => "email_taken",
            Self::MemberAlready => "member_already",
            Self::LastOwner => "last_owner",
            Self::WrongInvitation => "wrong_invitation",
            Self::OthersInvitation => "others_invitation",
            Self::WrongLogin => "wrong_login",
            Self::WrongPassword => "wrong_password",
            Self::WrongCode => "wrong_code",
            Self::HalfSessionEnded => "half_session_ended",
            Self::SecondFactorAlready => "second_factor_already",
            Self::NoSecondFactor => "no_second_factor",
            Self::SecondFactorRequired => "second_factor_required",
            Self::Sealed(_) => "unsealable",
            Self::Locked(_) => "login_locked",
            Self::TooMany(_) => "too_many_logins",
            Self::Full(_) => "limit_reached",
            Self::Password(PasswordError::Busy) => "busy",
            Self::Password(PasswordError::Hash(_)) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            Self::Password(PasswordError::Weak(_)) => Map::from_iter([("field".into(), "password".into())]),
            Self::Locked(seconds) | Self::TooMany(seconds) => {
                Map::from_iter([("retry_after_s".into(), (*seconds).into())])
            }
            _ => Map::new(),
        }
    }
}
