//! Names as the database will read them.

use sqlparser::ast::{Ident, ObjectName};

use crate::SqlError;

/// The one part of a name, folded as both databases fold it. Qualified names are refused: nothing lies in
/// another schema that an engine may reach.
pub(super) fn single(name: &ObjectName) -> Result<String, SqlError> {
    match name.0.as_slice() {
        [part] => part
            .as_ident()
            .map(folded)
            .ok_or_else(|| SqlError::refused(format!("`{name}` is not a plain name"))),
        _ => Err(SqlError::refused(format!(
            "`{name}` is qualified; name tables and functions without a schema"
        ))),
    }
}

/// Lower case unless quoted. A quoted name with capitals stays what it is and matches no table of an engine.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}
