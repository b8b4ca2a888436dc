//! Judges the statements of migrations: own tables and indexes, and changes of own rows.

use sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnDef, ColumnOption, CreateIndex, CreateTable, DropBehavior,
    ObjectName, ObjectType, RenameTableNameKind, Statement, TableConstraint,
};

use super::{
    Tables, expr,
    names::single,
    query::{self, QueryVisitor},
};
use crate::SqlError;

/// What a migration's statement does to the list of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DdlEffect {
    /// Nothing.
    None,
    /// Makes a table.
    Creates {
        /// Its name.
        table: String,
        /// Whether `IF NOT EXISTS` was written.
        if_not_exists: bool,
    },
    /// Removes tables.
    Drops(Vec<String>),
    /// Gives a table another name.
    Renames(String, String),
}

/// Judge a statement of a migration.
pub(super) fn check(statement: &Statement, tables: &Tables, postgres: bool) -> Result<DdlEffect, SqlError> {
    match statement {
        Statement::CreateTable(table) => create_table(table, tables, postgres),
        Statement::CreateIndex(index) => create_index(index, tables, postgres).map(|()| DdlEffect::None),
        Statement::AlterTable(alter) => alter_table(alter, tables, postgres),
        Statement::Drop { object_type, names, cascade, .. } => drop(*object_type, names, *cascade, tables),
        other => query::check(other, tables, postgres).map(|_| DdlEffect::None),
    }
}

fn create_table(t: &CreateTable, tables: &Tables, postgres: bool) -> Result<DdlEffect, SqlError> {
    let odd = t.query.is_some()
        || t.like.is_some()
        || t.clone.is_some()
        || t.inherits.is_some()
        || t.partition_of.is_some()
        || t.temporary
        || t.external
        || t.location.is_some()
        || t.or_replace
        || t.unlogged;
    if odd {
        return Err(SqlError::refused(
            "CREATE TABLE lists columns, and is neither temporary nor made from another",
        ));
    }
    let name = single(&t.name)?;
    tables.may_create(&name)?;
    let with_itself = tables.with(&name);
    for column in &t.columns {
        check_column(column, &with_itself, postgres)?;
    }
    for constraint in &t.constraints {
        check_constraint(constraint, &with_itself, postgres)?;
    }
    Ok(DdlEffect::Creates { table: name, if_not_exists: t.if_not_exists })
}

fn check_column(column: &ColumnDef, tables: &Tables, postgres: bool) -> Result<(), SqlError> {
    expr::data_type_allowed(&column.data_type)?;
    for option in &column.options {
        match &option.option {
            ColumnOption::Null
            | ColumnOption::NotNull
            | ColumnOption::PrimaryKey(_)
            | ColumnOption::Unique(_)
            | ColumnOption::DialectSpecific(_)
            | ColumnOption::OnConflict(_) => {}
            ColumnOption::Collation(name) => {
                single(name)?;
            }
            ColumnOption::Default(e) => QueryVisitor::new(tables, postgres).run(e)?,
            ColumnOption::Check(c) => QueryVisitor::new(tables, postgres).run(&c.expr)?,
            ColumnOption::ForeignKey(fk) => own(&fk.foreign_table, tables)?,
            ColumnOption::Generated { generation_expr, .. } => {
                if let Some(e) = generation_expr {
                    QueryVisitor::new(tables, postgres).run(e)?;
                }
            }
            other => {
                return Err(SqlError::refused(format!("the column option `{other}` is outside the list")));
            }
        }
    }
    Ok(())
}

fn check_constraint(constraint: &TableConstraint, tables: &Tables, postgres: bool) -> Result<(), SqlError> {
    match constraint {
        TableConstraint::Unique(_) | TableConstraint::PrimaryKey(_) => Ok(()),
        TableConstraint::ForeignKey(fk) => own(&fk.foreign_table, tables),
        TableConstraint::Check(c) => QueryVisitor::new(tables, postgres).run(&c.expr),
        other => Err(SqlError::refused(format!("the constraint `{other}` is outside the list"))),
    }
}

fn own(name: &ObjectName, tables: &Tables) -> Result<(), SqlError> {
    let name = single(name)?;
    if tables.owns(&name) {
        return Ok(());
    }
    Err(SqlError::refused(format!("`{name}` is not a table of `{}`", tables.engine)))
}

fn create_index(index: &CreateIndex, tables: &Tables, postgres: bool) -> Result<(), SqlError> {
    own(&index.table_name, tables)?;
    if index.concurrently || index.r#async || !index.with.is_empty() {
        return Err(SqlError::refused("CREATE INDEX runs in the migration's transaction, without options"));
    }
    let named = index.name.as_ref().map(single).transpose()?;
    if let Some(name) = named {
        tables.may_name_index(&name)?;
    }
    for column in &index.columns {
        QueryVisitor::new(tables, postgres).run(&column.column.expr)?;
    }
    index.predicate.as_ref().map_or(Ok(()), |p| QueryVisitor::new(tables, postgres).run(p))
}

fn alter_table(alter: &AlterTable, tables: &Tables, postgres: bool) -> Result<DdlEffect, SqlError> {
    own(&alter.name, tables)?;
    let mut effect = DdlEffect::None;
    for operation in &alter.operations {
        match operation {
            AlterTableOperation::AddColumn { column_def, .. } => check_column(column_def, tables, postgres)?,
            AlterTableOperation::AddConstraint { constraint, .. } => {
                check_constraint(constraint, tables, postgres)?
            }
            AlterTableOperation::DropColumn { drop_behavior, .. }
            | AlterTableOperation::DropConstraint { drop_behavior, .. } => {
                if *drop_behavior == Some(DropBehavior::Cascade) {
                    return Err(SqlError::refused("CASCADE could reach beyond the engine's tables"));
                }
            }
            AlterTableOperation::RenameColumn { .. }
            | AlterTableOperation::RenameConstraint { .. }
            | AlterTableOperation::ValidateConstraint { .. } => {}
            AlterTableOperation::AlterColumn { op, .. } => alter_column(op, tables, postgres)?,
            AlterTableOperation::RenameTable { table_name } => {
                let (RenameTableNameKind::As(new) | RenameTableNameKind::To(new)) = table_name;
                let new = single(new)?;
                tables.may_create(&new)?;
                effect = DdlEffect::Renames(single(&alter.name)?, new);
            }
            other => return Err(SqlError::refused(format!("`{other}` is outside the list"))),
        }
    }
    Ok(effect)
}

fn alter_column(
    op: &sqlparser::ast::AlterColumnOperation,
    tables: &Tables,
    postgres: bool,
) -> Result<(), SqlError> {
    use sqlparser::ast::AlterColumnOperation as Op;
    match op {
        Op::SetNotNull | Op::DropNotNull | Op::DropDefault => Ok(()),
        Op::SetDefault { value } => QueryVisitor::new(tables, postgres).run(value),
        Op::SetDataType { data_type, using, .. } => {
            expr::data_type_allowed(data_type)?;
            using.as_ref().map_or(Ok(()), |e| QueryVisitor::new(tables, postgres).run(e))
        }
        other => Err(SqlError::refused(format!("`{other}` is outside the list"))),
    }
}

fn drop(
    kind: ObjectType,
    names: &[ObjectName],
    cascade: bool,
    tables: &Tables,
) -> Result<DdlEffect, SqlError> {
    if cascade {
        return Err(SqlError::refused("CASCADE could reach beyond the engine's tables"));
    }
    let names = names.iter().map(single).collect::<Result<Vec<_>, _>>()?;
    match kind {
        ObjectType::Table => {
            if let Some(name) = names.iter().find(|n| !tables.owns(n)) {
                return Err(SqlError::refused(format!("`{name}` is not a table of `{}`", tables.engine)));
            }
            Ok(DdlEffect::Drops(names))
        }
        ObjectType::Index => {
            names.iter().try_for_each(|n| tables.may_name_index(n))?;
            Ok(DdlEffect::None)
        }
        other => Err(SqlError::refused(format!("DROP {other} is outside the list"))),
    }
}
