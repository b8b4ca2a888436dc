//! Errors of the SQL service as sea-orm's.

use plugin_api::{EngineError, abi::AbiError};
use sea_orm::{DbErr, RuntimeErr};

pub(super) fn db_error(e: AbiError) -> DbErr {
    engine_error(&EngineError::from(e))
}

/// The code travels at the end of the text, in brackets, as [`EngineError`] displays it.
pub(super) fn engine_error(e: &EngineError) -> DbErr {
    DbErr::Exec(RuntimeErr::Internal(e.to_string()))
}

/// The SQL service's stable code, e.g. `unique_violation` or `sql_refused`; `None` for sea-orm's own errors.
pub fn error_code(e: &DbErr) -> Option<&str> {
    let (DbErr::Exec(inner) | DbErr::Query(inner) | DbErr::Conn(inner)) = e else { return None };
    let RuntimeErr::Internal(text) = inner;
    let (_, code) = text.strip_suffix(')')?.rsplit_once(" (")?;
    code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_').then_some(code)
}

/// Whether a statement broke a unique constraint.
pub fn is_unique_violation(e: &DbErr) -> bool {
    error_code(e) == Some("unique_violation")
}
