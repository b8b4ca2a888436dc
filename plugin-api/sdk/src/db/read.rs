//! Rows of the SQL service as sea-orm's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use plugin_api::abi::{SqlColumn, SqlRows};
use sea_orm::{DbErr, ProxyRow, QueryResult, sea_query::ArrayType};

use super::{
    convert,
    entities::{Entities, Table},
    text,
};

/// Statements whose column types are remembered.
const REMEMBERED: usize = 512;

/// Types of a result's columns; `None` for a column no entity declares.
type Types = Arc<[Option<ArrayType>]>;

/// Converts rows with the types the engine's entities declare.
pub(super) struct Reader {
    entities: Entities,
    known: Mutex<HashMap<String, Types>>,
}

impl Reader {
    pub(super) fn new(entities: Entities) -> Self {
        Self { entities, known: Mutex::default() }
    }

    pub(super) fn rows(&self, sql: &str, rows: SqlRows) -> Result<Vec<QueryResult>, DbErr> {
        if rows.values.is_empty() {
            return Ok(Vec::new());
        }
        let types = self.types(sql, &rows.columns)?;
        let width = types.len();
        if width == 0 || !rows.values.len().is_multiple_of(width) {
            return Err(DbErr::Type("the host answered rows of uneven width".into()));
        }
        let keys = index_keys(width);
        let count = rows.values.len() / width;
        let mut out = Vec::with_capacity(count);
        let mut values = rows.values.into_iter();
        for _ in 0..count {
            let mut row = BTreeMap::new();
            for (i, column) in rows.columns.iter().enumerate() {
                let Some(value) = values.next() else { break };
                let value = convert::to_value(value, types[i].as_ref())
                    .map_err(|e| DbErr::Type(format!("column `{}`: {e}", column.name)))?;
                if let Some(key) = keys.get(i) {
                    row.insert(key.clone(), value.clone());
                }
                row.insert(column.name.to_string(), value);
            }
            out.push(QueryResult::from(ProxyRow::new(row)));
        }
        Ok(out)
    }

    fn types(&self, sql: &str, columns: &[SqlColumn]) -> Result<Types, DbErr> {
        // A panic while the lock was held left at worst an entry out.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(types) = known.get(sql).filter(|types| types.len() == columns.len()) {
            return Ok(types.clone());
        }
        let tables = mentioned(&self.entities, sql);
        let found: Result<Vec<_>, _> = columns.iter().map(|c| declared(&tables, sql, &c.name)).collect();
        let types: Types = found?.into();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(sql.to_owned(), types.clone());
        Ok(types)
    }
}

/// sea-orm reads by index in the order of keys: these sort before every name. One column needs none.
fn index_keys(width: usize) -> Vec<String> {
    if width < 2 {
        return Vec::new();
    }
    (0..width).map(|i| format!("\0{i:04}")).collect()
}

/// Declared tables that the statement names, in order of their first mention after `FROM`, `INTO` or `UPDATE`.
fn mentioned<'a>(entities: &'a Entities, sql: &str) -> Vec<(&'a str, &'a Table)> {
    let start = [" FROM ", " INTO ", "UPDATE "].iter().filter_map(|word| sql.find(word)).min().unwrap_or(0);
    let mut found: Vec<_> = entities
        .iter()
        .filter_map(|(name, table)| text::find_word(&sql[start..], name).map(|at| (at, name, table)))
        .collect();
    found.sort_by_key(|(at, ..)| *at);
    found.into_iter().map(|(_, name, table)| (name, table)).collect()
}

/// The type entities declare for a result column, if any.
fn declared(tables: &[(&str, &Table)], sql: &str, column: &str) -> Result<Option<ArrayType>, DbErr> {
    if let Some(found) = agreed(tables, column) {
        return match found {
            Ok(kind) => Ok(Some(kind)),
            Err(()) => qualified(tables, sql, column).map(Some),
        };
    }
    // `A_`, `B_`, ...: how sea-orm tells the entities of a join apart.
    let bytes = column.as_bytes();
    if bytes.len() > 2 && bytes[0].is_ascii_uppercase() && bytes[1] == b'_' {
        let plain = &column[2..];
        return match agreed(tables, plain) {
            Some(Ok(kind)) => Ok(Some(kind)),
            Some(Err(())) => {
                let nth = usize::from(bytes[0] - b'A');
                match tables.get(nth).and_then(|(_, table)| table.get(plain)) {
                    Some(kind) => Ok(Some(kind.clone())),
                    None => Err(ambiguous(column)),
                }
            }
            None => Ok(None),
        };
    }
    Ok(None)
}

/// The type on which all tables that have the column agree; `Err` when they differ, `None` when none has it.
fn agreed(tables: &[(&str, &Table)], column: &str) -> Option<Result<ArrayType, ()>> {
    let mut kinds = tables.iter().filter_map(|(_, table)| table.get(column));
    let first = kinds.next()?;
    Some(if kinds.all(|kind| kind == first) { Ok(first.clone()) } else { Err(()) })
}

/// Tables differ: the select list says which one is meant.
fn qualified(tables: &[(&str, &Table)], sql: &str, column: &str) -> Result<ArrayType, DbErr> {
    let list = sql.split_once(" FROM ").map_or(sql, |(list, _)| list);
    let mut kinds = tables
        .iter()
        .filter(|(name, _)| list.contains(&format!("\"{name}\".\"{column}\"")))
        .filter_map(|(_, table)| table.get(column));
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Ok(kind.clone()),
        _ => Err(ambiguous(column)),
    }
}

fn ambiguous(column: &str) -> DbErr {
    DbErr::Type(format!(
        "column `{column}`: tables of this statement declare it with different types; name it"
    ))
}
