//! Expressions, functions and types that statements may hold.

use sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, DataType, Expr, Function, FunctionArguments, UnaryOperator,
    Value,
};

use super::{functions, names::single};
use crate::SqlError;

/// Judge one node; its children are visited apart.
pub(super) fn check(expr: &Expr, postgres: bool) -> Result<(), SqlError> {
    match expr {
        Expr::CompoundIdentifier(parts) if parts.len() > 2 => {
            Err(SqlError::refused(format!("`{expr}` names a schema; write table.column")))
        }
        Expr::CompoundFieldAccess { access_chain, .. } => {
            if access_chain.iter().any(|a| matches!(a, AccessExpr::Dot(_))) {
                return Err(SqlError::refused("fields of composite values are not used by engines"));
            }
            Ok(())
        }
        Expr::BinaryOp { op, .. }
        | Expr::AnyOp { compare_op: op, .. }
        | Expr::AllOp { compare_op: op, .. } => operator(op),
        Expr::Cast { data_type, .. } => data_type_allowed(data_type),
        Expr::TypedString(t) => data_type_allowed(&t.data_type),
        Expr::Function(f) => function(f),
        Expr::Value(v) => value(&v.value, postgres),
        expr if is_plain(expr) => Ok(()),
        other => {
            let shown: String = other.to_string().chars().take(60).collect();
            Err(SqlError::refused(format!("`{shown}` is an expression outside the list")))
        }
    }
}

fn is_plain(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::InUnnest { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::UnaryOp { op: UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not, .. }
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Overlay { .. }
            | Expr::Collate { .. }
            | Expr::Nested(_)
            | Expr::Case { .. }
            | Expr::Exists { .. }
            | Expr::Subquery(_)
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Interval(_)
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..)
    )
}

fn value(value: &Value, postgres: bool) -> Result<(), SqlError> {
    match value {
        Value::Placeholder(p) if p.starts_with(if postgres { '$' } else { '?' }) => Ok(()),
        Value::Placeholder(p) => Err(SqlError::refused(format!("`{p}` is not this database's placeholder"))),
        Value::Number(..) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null => Ok(()),
        other => Err(SqlError::refused(format!("`{other}` is a literal outside the list; bind it"))),
    }
}

fn operator(op: &BinaryOperator) -> Result<(), SqlError> {
    // MATCH and REGEXP call functions that extensions define; OPERATOR() names a schema.
    match op {
        BinaryOperator::Custom(_)
        | BinaryOperator::PGCustomBinaryOperator(_)
        | BinaryOperator::Match
        | BinaryOperator::Regexp
        | BinaryOperator::Assignment => {
            Err(SqlError::refused(format!("the operator `{op}` is outside the list")))
        }
        _ => Ok(()),
    }
}

fn function(f: &Function) -> Result<(), SqlError> {
    let name = single(&f.name)?;
    if !functions::is_function(&name) {
        return Err(SqlError::refused(format!("the function `{name}` is outside the list")));
    }
    if f.uses_odbc_syntax || !matches!(f.parameters, FunctionArguments::None) {
        return Err(SqlError::refused(format!("`{name}` is called in a foreign form")));
    }
    Ok(())
}

/// Types that CAST, literals and column definitions may name.
pub(super) fn data_type_allowed(data_type: &DataType) -> Result<(), SqlError> {
    match data_type {
        DataType::Custom(name, _) => {
            let name = single(name)?;
            // `double`, `float` and the like have variants; the rest must be listed.
            if functions::is_type(&name) { Ok(()) } else { Err(refused_type(&name)) }
        }
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::AngleBracket(inner),
        ) => data_type_allowed(inner),
        DataType::Regclass
        | DataType::Trigger
        | DataType::AnyType
        | DataType::Table(_)
        | DataType::NamedTable { .. }
        | DataType::Map(..)
        | DataType::Tuple(_)
        | DataType::Nested(_)
        | DataType::Struct(..)
        | DataType::Union(_)
        | DataType::Nullable(_)
        | DataType::LowCardinality(_)
        | DataType::Set(_)
        | DataType::Enum(..) => Err(refused_type(&data_type.to_string())),
        _ => Ok(()),
    }
}

fn refused_type(name: &str) -> SqlError {
    SqlError::refused(format!("the type `{name}` is outside the list"))
}
