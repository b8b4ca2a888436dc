//! Migrations and their ledger.

use chrono::Utc;
use plugin_api::abi::NO_TX;
use plugin_sql::{Limits, SqlError};

use crate::db::{all, count, rows, run, script};

#[tokio::test]
async fn migrations_run_once_and_in_order() {
    for db in all(Limits::default()).await {
        let sql = db.engine("foo").await;
        let first = script("m0001", &["CREATE TABLE foo_items (id bigint PRIMARY KEY, name text)"]);
        let second = script(
            "m0002",
            &[
                "ALTER TABLE foo_items ADD COLUMN note text",
                "CREATE INDEX idx_foo_items_name ON foo_items (name)",
            ],
        );
        let report = sql.migrate(std::slice::from_ref(&first), Utc::now()).await.unwrap();
        assert_eq!(report.applied, ["m0001"]);
        let report = sql.migrate(&[first.clone(), second], Utc::now()).await.unwrap();
        assert_eq!(report.applied, ["m0002"]);
        assert!(report.tables.contains("foo_items"));
        // A rollback to the older version finds its own list and runs nothing.
        assert!(sql.migrate(&[first], Utc::now()).await.unwrap().applied.is_empty());
        assert_eq!(count(&sql, NO_TX).await, 0);
    }
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let changed = script("m0001", &["CREATE TABLE foo_items (id bigint PRIMARY KEY)"]);
        assert!(matches!(sql.migrate(&[changed], Utc::now()).await, Err(SqlError::MigrationChanged(_))));
        let renamed = script("m0000", &["CREATE TABLE foo_other (id bigint)"]);
        assert!(matches!(sql.migrate(&[renamed], Utc::now()).await, Err(SqlError::MigrationOrder(_))));
    }
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing() {
    for db in all(Limits::default()).await {
        let sql = db.engine("foo").await;
        let bad =
            script("m0001", &["CREATE TABLE foo_a (id bigint)", "INSERT INTO foo_a (nothing) VALUES (1)"]);
        let error = sql.migrate(&[bad], Utc::now()).await.unwrap_err();
        assert!(matches!(error, SqlError::Migration { .. }), "{error}");
        assert!(sql.tables().is_empty());
        let good = script("m0001", &["CREATE TABLE foo_a (id bigint)"]);
        sql.migrate(&[good], Utc::now()).await.unwrap();
        assert_eq!(sql.tables().len(), 1);
    }
}

#[tokio::test]
async fn a_migration_reaches_only_its_own_tables() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        for bad in [
            "CREATE TABLE users2 (id int)",
            "CREATE TABLE foo_bar_x (id int)",
            "CREATE TABLE IF NOT EXISTS users (id int)",
            "CREATE TABLE foo_x AS SELECT * FROM users",
            "CREATE TABLE foo_x (LIKE users)",
            "CREATE TABLE foo_x (id int REFERENCES users (id))",
            "CREATE TABLE foo_x (id int, FOREIGN KEY (id) REFERENCES users (id))",
            "CREATE TABLE foo_x (id int DEFAULT (SELECT max(id) FROM users))",
            "CREATE TABLE foo_x (id int CHECK (id IN (SELECT id FROM users)))",
            "CREATE TEMPORARY TABLE foo_x (id int)",
            "CREATE TABLE public.foo_x (id int)",
            "CREATE TABLE main.foo_x (id int)",
            "CREATE TABLE \"FOO_X\" (id int)",
            "CREATE INDEX idx_foo_u ON users (id)",
            "CREATE INDEX users_idx ON foo_items (id)",
            "CREATE VIEW foo_v AS SELECT * FROM users",
            "CREATE TRIGGER foo_t AFTER INSERT ON foo_items BEGIN DELETE FROM users; END",
            "CREATE FUNCTION foo_f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE EXTENSION dblink",
            "CREATE ROLE foo_r SUPERUSER",
            "CREATE VIRTUAL TABLE foo_x USING fts5(body)",
            "ALTER TABLE users ADD COLUMN x int",
            "ALTER TABLE foo_items RENAME TO users2",
            "ALTER TABLE foo_items OWNER TO postgres",
            "ALTER TABLE foo_items DROP COLUMN name CASCADE",
            "DROP TABLE users",
            "DROP TABLE foo_items CASCADE",
            "DROP TABLE foo_items, users",
            "DROP VIEW v1_machines",
            "DROP INDEX users_pkey",
            "INSERT INTO users VALUES (1, 'x')",
            "PRAGMA writable_schema = 1",
            "TRUNCATE users",
            "GRANT ALL ON users TO public",
        ] {
            let list = [
                script("m0001", &["CREATE TABLE foo_items (id bigint PRIMARY KEY, name text UNIQUE)"]),
                script("m0002", &[bad]),
            ];
            let error = sql.migrate(&list, Utc::now()).await.expect_err(bad);
            assert!(matches!(error, SqlError::Migration { .. }), "{bad}: {error}");
        }
        assert_eq!(sql.tables().len(), 1);
    }
}

#[tokio::test]
async fn a_table_of_the_engine_with_the_shorter_id_is_foreign() {
    for db in all(Limits::default()).await {
        let long = db.engine("foo_bar").await;
        long.migrate(&[script("m1", &["CREATE TABLE foo_bar_secrets (id bigint)"])], Utc::now())
            .await
            .unwrap();
        let short = db.with_items().await;
        let error = rows(&short, NO_TX, "SELECT * FROM foo_bar_secrets").await.unwrap_err();
        assert!(matches!(error, SqlError::Refused(_)));
        assert!(run(&short, NO_TX, "DELETE FROM foo_bar_secrets").await.is_err());
    }
}

#[tokio::test]
async fn a_purge_removes_tables_that_refer_to_one_another() {
    for db in all(Limits::default()).await {
        let sql = db.engine("foo").await;
        let m = script(
            "m1",
            &[
                "CREATE TABLE foo_a (id bigint PRIMARY KEY)",
                "CREATE TABLE foo_b (id bigint PRIMARY KEY, a bigint REFERENCES foo_a (id))",
            ],
        );
        sql.migrate(&[m], Utc::now()).await.unwrap();
        run(&sql, NO_TX, "INSERT INTO foo_a VALUES (1)").await.unwrap();
        run(&sql, NO_TX, "INSERT INTO foo_b VALUES (1, 1)").await.unwrap();
        let mut lines = Vec::new();
        let written = db
            .db
            .export("foo", "foo_b", &mut |l| {
                lines.extend_from_slice(l);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(written, 1);
        assert_eq!(String::from_utf8(lines).unwrap(), "{\"a\":1,\"id\":1}\n");
        db.db.purge("foo").await.unwrap();
        assert!(db.db.tables("foo").await.unwrap().is_empty());
        assert!(db.db.export("foo", "users", &mut |_| Ok(())).await.is_err());
    }
}
