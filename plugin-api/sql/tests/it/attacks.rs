//! What engines must not be able to say, and what they must.

use std::collections::BTreeSet;

use plugin_api::abi::{NO_TX, SqlBackend};
use plugin_sql::{
    Limits, SqlError,
    guard::{Guard, Tables},
};
use proptest::prelude::*;

use crate::db::{all, rows, run};

fn guard(backend: SqlBackend) -> Guard {
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let tables = Tables {
        engine: "foo".into(),
        own: set(&["foo_items", "foo_parts"]),
        views: set(&["v1_machines"]),
        others: set(&["foo_bar"]),
    };
    Guard::new(backend, tables, 100, 64 << 10)
}

const ATTACKS: &[&str] = &[
    "SELECT * FROM users",
    "SELECT * FROM \"users\"",
    "SELECT * FROM foo_items, users",
    "SELECT * FROM foo_items JOIN users ON true",
    "SELECT * FROM foo_items WHERE id IN (SELECT id FROM users)",
    "SELECT (SELECT password FROM users LIMIT 1)",
    "SELECT * FROM foo_items UNION SELECT id, password FROM users",
    "SELECT * FROM (SELECT * FROM users) x",
    "SELECT * FROM foo_items ORDER BY (SELECT max(id) FROM users)",
    "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM users)) FROM foo_items",
    "SELECT sum(id) OVER (ORDER BY (SELECT id FROM users)) FROM foo_items",
    "SELECT CASE WHEN (SELECT 1 FROM users) = 1 THEN 1 END FROM foo_items",
    "SELECT 1 FROM foo_items LIMIT (SELECT id FROM users)",
    "SELECT 1 FROM foo_items GROUP BY (SELECT id FROM users)",
    "SELECT 1 FROM foo_items HAVING (SELECT id FROM users) = 1",
    "TABLE users",
    "SELECT * FROM foo_items UNION TABLE users",
    "SELECT * INTO foo_x FROM users",
    "WITH a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a",
    "SELECT * FROM (WITH users AS (SELECT 1) SELECT 1) x, users",
    "WITH users AS (SELECT 1) DELETE FROM users",
    "WITH users AS (SELECT 1) UPDATE users SET password = 'x'",
    "WITH users AS (SELECT 1) INSERT INTO users VALUES (1)",
    "WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d",
    "INSERT INTO foo_items SELECT id, password FROM users",
    "INSERT INTO users VALUES (1, 'x')",
    "INSERT INTO foo_items VALUES (1, (SELECT password FROM users))",
    "INSERT INTO foo_items VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = (SELECT password FROM users)",
    "INSERT INTO foo_items VALUES (1, 'a') RETURNING (SELECT password FROM users)",
    "INSERT INTO v1_machines VALUES (1)",
    "UPDATE users SET password = 'x'",
    "UPDATE foo_items SET name = u.password FROM users u",
    "UPDATE foo_items SET name = (SELECT password FROM users)",
    "UPDATE v1_machines SET name = 'x'",
    "DELETE FROM users",
    "DELETE FROM foo_items USING users WHERE true",
    "DELETE FROM v1_machines",
    "SELECT * FROM foo_bar_secrets",
    "SELECT * FROM v1_secrets",
    "SELECT * FROM main.users",
    "SELECT * FROM main.foo_items",
    "SELECT * FROM public.foo_items",
    "SELECT * FROM \"public\".\"users\"",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM pragma_table_info('users')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM engine_migrations",
    "SELECT * FROM dblink('host=x', 'select 1') AS t(a int)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_sleep(100)",
    "SELECT \"pg_sleep\"(100)",
    "SELECT pg_catalog.pg_sleep(100)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT query_to_xml('select * from users', true, true, '')",
    "SELECT current_setting('data_directory')",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT nextval('users_id_seq')",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('/tmp/x', 'y')",
    "SELECT zeroblob(1000000000)",
    "SELECT randomblob(1000000000)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT repeat('x', 1000000000)",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT 'users'::regclass",
    "SELECT CAST('users' AS regclass)",
    "SELECT regclass 'users'",
    "SELECT 1 OPERATOR(pg_catalog.+) 1",
    "SELECT 1; SELECT 2",
    "SELECT 1;; DROP TABLE users",
    "SELECT 1 /* ; */ ; DROP TABLE users",
    "SELECT '\\'; DROP TABLE users; --'",
    "SELECT $$x$$",
    "SELECT $a$ x $a$ FROM users",
    "SELECT * FROM U&\"users\"",
    "SELECT * FROM `users`",
    "SELECT * FROM [users]",
    "SELECT * FROM 'users'",
    "SELECT 1 -- \r FROM users\n UNION SELECT id FROM users",
    "ATTACH DATABASE '/tmp/x' AS x",
    "DETACH DATABASE x",
    "PRAGMA journal_mode = DELETE",
    "VACUUM",
    "VACUUM INTO '/tmp/x'",
    "ANALYZE",
    "REINDEX",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE DELETE FROM users",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "RELEASE x",
    "SET ROLE postgres",
    "SET statement_timeout = 0",
    "RESET ALL",
    "SHOW ALL",
    "COPY users TO '/tmp/x'",
    "COPY users TO PROGRAM 'sh'",
    "DO 'BEGIN END'",
    "CALL x()",
    "LOCK TABLE users",
    "LISTEN x",
    "NOTIFY x",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "DECLARE c CURSOR FOR SELECT 1",
    "MERGE INTO foo_items USING users ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE foo_items",
    "CREATE TABLE foo_x (id int)",
    "DROP TABLE foo_items",
    "ALTER TABLE foo_items ADD COLUMN x int",
    "CREATE VIEW foo_v AS SELECT 1",
    "GRANT ALL ON foo_items TO public",
    "COMMENT ON TABLE foo_items IS 'x'",
    "SELECT * FROM foo_items FOR XML AUTO",
    "SELECT @@version",
    "SELECT :name",
    "SELECT @name",
    "SELECT (foo_items.x).y.z FROM foo_items",
    "SELECT public.foo_items.id FROM foo_items",
    "FROM users",
    "FROM users SELECT *",
    "SELECT * FROM users TABLESAMPLE SYSTEM (1)",
    "SELECT * FROM foo_items WHERE name MATCH 'x'",
    "SELECT x'00'",
    "REPLACE INTO users VALUES (1, 'x')",
    "SELECT 1 IN users",
    "SELECT 1 IN pragma_table_info('users')",
    "VALUES ((SELECT password FROM users))",
    "(((SELECT * FROM users)))",
    "",
    ";",
    "-- nothing",
    "\0",
];

/// Texts that are harmless expressions to SQLite.
const ATTACKS_POSTGRES: &[&str] = &["SELECT U&'\\0061'", "SELECT E'\\''; DROP TABLE users; --'"];

#[test]
fn every_attack_is_refused_in_both_dialects() {
    for backend in [SqlBackend::Sqlite, SqlBackend::Postgres] {
        let guard = guard(backend);
        let allowed: Vec<_> = ATTACKS.iter().filter(|sql| guard.check(sql).is_ok()).collect();
        assert!(allowed.is_empty(), "{backend:?} allowed {allowed:#?}");
    }
    let postgres = guard(SqlBackend::Postgres);
    for sql in ATTACKS_POSTGRES {
        assert!(postgres.check(sql).is_err(), "{sql:?}");
    }
}

const ALLOWED: &[&str] = &[
    "SELECT 1",
    "SELECT 1;",
    "SELECT foo_items.id, count(*) AS n FROM foo_items GROUP BY foo_items.id HAVING count(*) > 1 ORDER BY n DESC LIMIT 5 OFFSET 2",
    "SELECT \"foo_items\".\"id\" FROM \"foo_items\" INNER JOIN \"foo_parts\" AS \"p\" ON \"p\".\"id\" = \"foo_items\".\"id\"",
    "SELECT * FROM FOO_Items",
    "SELECT i.id FROM foo_items i LEFT JOIN v1_machines m ON m.id = i.id WHERE i.name LIKE 'a%' AND i.id BETWEEN 1 AND 2",
    "WITH a AS (SELECT id FROM foo_items), b AS (SELECT id FROM a) SELECT * FROM b UNION ALL SELECT id FROM a",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n",
    "INSERT INTO foo_items (id, name) VALUES (1, 'a'), (2, 'it''s') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id",
    "INSERT INTO \"foo_items\" (\"id\") SELECT \"id\" FROM \"foo_parts\" WHERE true ON CONFLICT DO NOTHING",
    "UPDATE foo_items SET name = upper(name) WHERE id = 1 RETURNING *",
    "UPDATE foo_items SET name = p.name FROM foo_parts p WHERE p.id = foo_items.id",
    "DELETE FROM foo_items WHERE id IN (SELECT id FROM foo_parts) RETURNING id",
    "SELECT row_number() OVER (PARTITION BY name ORDER BY id) FROM foo_items",
    "SELECT CASE WHEN id > 1 THEN 'a' ELSE 'b' END, coalesce(name, ''), CAST(id AS text) FROM foo_items",
    "SELECT EXISTS(SELECT 1 FROM foo_items WHERE id = 1)",
    "SELECT count(DISTINCT name) FROM foo_items /* a 'comment' */ -- and another ; DROP TABLE users",
    "SELECT id FROM foo_items WHERE (name, id) > ('a', 1)",
    "SELECT 'a -- b' || ';' FROM foo_items",
];

#[tokio::test]
async fn ordinary_statements_run_on_every_database() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let parts = [
            crate::db::script("m0001", &["CREATE TABLE foo_items (id bigint PRIMARY KEY, name text UNIQUE)"]),
            crate::db::script("m0002", &["CREATE TABLE foo_parts (id bigint PRIMARY KEY, name text UNIQUE)"]),
        ];
        sql.migrate(&parts, chrono::Utc::now()).await.unwrap();
        for text in ALLOWED {
            rows(&sql, NO_TX, text).await.unwrap_or_else(|e| panic!("{:?} refused {text}: {e}", db.backend));
        }
    }
}

#[tokio::test]
async fn a_granted_view_is_read_and_never_written() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        rows(&sql, NO_TX, "SELECT id, name FROM v1_machines").await.unwrap();
        assert!(matches!(run(&sql, NO_TX, "DELETE FROM v1_machines").await, Err(SqlError::Refused(_))));
    }
}

#[test]
fn the_text_that_runs_has_no_comments() {
    let verdict = guard(SqlBackend::Sqlite).check("SELECT/*x*/1 -- y").unwrap();
    assert_eq!(verdict.sql.trim(), "SELECT 1");
}

proptest! {
    #[test]
    fn no_input_panics_and_no_foreign_table_passes(sql in "(SELECT|WITH|DELETE|FROM|users|foo_items|\\(|\\)|,|'|\"|;|--|/\\*|\\*/|\\*| |\n|=|1|AS|x|\\$\\$|E'|\\\\){0,25}") {
        for backend in [SqlBackend::Sqlite, SqlBackend::Postgres] {
            if let Ok(verdict) = guard(backend).check(&sql) {
                let reads = regex_free_from_users(&verdict.sql);
                prop_assert!(!reads, "{}", verdict.sql);
            }
        }
    }

    #[test]
    fn garbage_never_panics(sql in "\\PC{0,60}") {
        let _ = guard(SqlBackend::Sqlite).check(&sql);
        let _ = guard(SqlBackend::Postgres).check_migration(&sql);
    }
}

/// Whether `FROM users` stands in the text outside quotes, which no allowed statement may hold here.
fn regex_free_from_users(sql: &str) -> bool {
    let bare: String = sql.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = bare.split_whitespace().collect();
    !bare.contains('"')
        && words.windows(2).any(|w| w[0] == "FROM" && w[1] == "users")
        && !bare.contains("WITH")
}
