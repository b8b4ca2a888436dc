//! What of the other sections is searched across machines: services, sockets, certificates, users and roles.
//!
//! `kind` is `service`, `socket`, `certificate`, `user`, `group` or `role`; `name` in lower case. `detail` and `number` are: a
//! service's state; a socket's protocol with its address, and port (its name is the process); a certificate's path
//! or key, and the Unix second it ends at (its name is the subject); `admin` or nothing of a user, and the user's id.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "
CREATE TABLE machine_items (
    machine_no integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    detail text NOT NULL,
    number bigint,
    PRIMARY KEY (machine_no, kind, key)
) PAIRS;
CREATE INDEX machine_items_name ON machine_items (kind, name, machine_no);
CREATE INDEX machine_items_number ON machine_items (kind, number, machine_no);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let sql = TABLE.replace(" PAIRS", if postgres { "" } else { " WITHOUT ROWID" });
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_items").to_owned()).await
    }
}
