//! Migrations: ordered, frozen once released, rendered to text for the host's database.
//!
//! ```
//! use plugin_sdk::{Migration, sea_orm::sea_query::{ColumnDef, Table}};
//!
//! let migration = Migration::new("m0001_create_notes", |schema| {
//!     let price = schema.decimal("price");
//!     schema.run(
//!         Table::create()
//!             .table("example_notes")
//!             .col(ColumnDef::new("id").uuid().not_null().primary_key())
//!             .col(ColumnDef::new("title").text().not_null())
//!             .col(price),
//!     );
//! });
//! # let _ = migration;
//! ```

use plugin_api::{abi::SqlBackend, description::MigrationScript};
use sea_orm::sea_query::{
    ColumnDef, IntoIden, PostgresQueryBuilder, QueryStatementWriter, SchemaStatementBuilder,
    SqliteQueryBuilder,
};

/// One change of the engine's tables. The host runs it once, in a transaction, after the licence check, and
/// refuses an engine whose released migrations changed. Never import an entity here: it will change.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    name: &'static str,
    up: fn(&mut Schema),
}

impl Migration {
    /// A migration with a name that orders it: `m0001_create_notes`.
    pub const fn new(name: &'static str, up: fn(&mut Schema)) -> Self {
        Self { name, up }
    }
}

/// Collects a migration's statements.
#[derive(Debug)]
pub struct Schema {
    backend: SqlBackend,
    statements: Vec<String>,
}

impl Schema {
    /// The database the statements are for.
    pub fn backend(&self) -> SqlBackend {
        self.backend
    }

    /// Add a schema statement: create, alter or drop a table or an index.
    pub fn run<S: SchemaStatementBuilder>(&mut self, statement: &S) -> &mut Self {
        let sql = match self.backend {
            SqlBackend::Sqlite => statement.to_string(SqliteQueryBuilder),
            SqlBackend::Postgres => statement.to_string(PostgresQueryBuilder),
        };
        self.statements.push(sql);
        self
    }

    /// Add an insert, update or delete.
    pub fn data<S: QueryStatementWriter>(&mut self, statement: &S) -> &mut Self {
        let sql = match self.backend {
            SqlBackend::Sqlite => statement.to_string(SqliteQueryBuilder),
            SqlBackend::Postgres => statement.to_string(PostgresQueryBuilder),
        };
        self.statements.push(sql);
        self
    }

    /// Add one statement as text, valid for both databases.
    pub fn sql(&mut self, statement: &str) -> &mut Self {
        self.statements.push(statement.into());
        self
    }

    /// A decimal column that keeps every digit: `numeric` on PostgreSQL, text on SQLite, whose own decimals
    /// are floating point. Compare and sum decimals in the engine, not in SQL: on SQLite text sorts as text.
    pub fn decimal(&self, name: impl IntoIden) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        match self.backend {
            SqlBackend::Sqlite => column.text(),
            SqlBackend::Postgres => column.decimal(),
        };
        column
    }
}

/// Render migrations for a database. Pure: the same text every time.
pub fn render(migrations: &[Migration], backend: SqlBackend) -> Vec<MigrationScript> {
    migrations
        .iter()
        .map(|migration| {
            let mut schema = Schema { backend, statements: Vec::new() };
            (migration.up)(&mut schema);
            MigrationScript { name: migration.name.into(), statements: schema.statements }
        })
        .collect()
}
