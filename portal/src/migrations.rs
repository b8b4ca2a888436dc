//! The portal's schema: in order, for SQLite and PostgreSQL. Migrations are frozen after merge and never import an entity.

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, prelude::*};

mod m0001_create_users;
mod m0002_create_organisations;
mod m0003_create_credentials;
mod m0004_create_audit_log;
mod m0005_create_orders;
mod m0006_create_payment_events;
mod m0007_create_license_editions;
mod m0008_create_releases;
mod m0010_create_usage_receipts;
mod m0011_create_revocation_lists;
mod m0012_create_second_factors;
mod m0013_create_advisories;
mod m0014_add_asks_and_conformance;
mod m0015_create_screenshots;
mod m0016_create_download_counts;
mod m0017_create_tuf_files;

/// Every migration of the portal, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_create_users::Migration),
            Box::new(m0002_create_organisations::Migration),
            Box::new(m0003_create_credentials::Migration),
            Box::new(m0004_create_audit_log::Migration),
            Box::new(m0005_create_orders::Migration),
            Box::new(m0006_create_payment_events::Migration),
            Box::new(m0007_create_license_editions::Migration),
            Box::new(m0008_create_releases::Migration),
            Box::new(m0010_create_usage_receipts::Migration),
            Box::new(m0011_create_revocation_lists::Migration),
            Box::new(m0012_create_second_factors::Migration),
            Box::new(m0013_create_advisories::Migration),
            Box::new(m0014_add_asks_and_conformance::Migration),
            Box::new(m0015_create_screenshots::Migration),
            Box::new(m0016_create_download_counts::Migration),
            Box::new(m0017_create_tuf_files::Migration),
        ]
    }
}

/// A column that is never absent.
fn col(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).not_null().to_owned()
}

/// A key to a table's `id`: rows go with what they belong to.
fn belongs(from: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(to, "id").on_delete(ForeignKeyAction::Cascade).to_owned()
}

/// An index over columns.
fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).if_not_exists().to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}

/// Create tables. On SQLite a migration is no transaction, so what one made that was killed is there already.
async fn create(manager: &SchemaManager<'_>, tables: Vec<TableCreateStatement>) -> Result<(), DbErr> {
    for mut table in tables {
        manager.create_table(table.if_not_exists().to_owned()).await?;
    }
    Ok(())
}

async fn drop_all(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
