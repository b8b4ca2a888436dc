//! Values survive the way in and out.

use chrono::{DateTime, Utc};
use plugin_api::abi::{NO_TX, SqlBackend, SqlType, SqlValue};
use plugin_sql::{EngineSql, Limits};
use proptest::prelude::*;
use sqlx::sqlite::SqliteConnectOptions;

use crate::db::{Db, all, rows, script, statement};

fn columns(backend: SqlBackend) -> [&'static str; 11] {
    match backend {
        SqlBackend::Sqlite => [
            "boolean",
            "integer",
            "double",
            "text",
            "blob",
            "uuid_text",
            "timestamp_with_timezone_text",
            "timestamp_text",
            "date_text",
            "json_text",
            "text_decimal",
        ],
        SqlBackend::Postgres => [
            "boolean",
            "bigint",
            "double precision",
            "text",
            "bytea",
            "uuid",
            "timestamptz",
            "timestamp",
            "date",
            "jsonb",
            "numeric",
        ],
    }
}

const KINDS: [SqlType; 10] = [
    SqlType::Bool,
    SqlType::I64,
    SqlType::F64,
    SqlType::Text,
    SqlType::Bytes,
    SqlType::Uuid,
    SqlType::TimestampTz,
    SqlType::Timestamp,
    SqlType::Date,
    SqlType::Json,
];

async fn table(db: &Db) -> EngineSql {
    let sql = db.engine("foo").await;
    let types = columns(db.backend);
    let list: Vec<String> = (0..10).map(|i| format!("c{i} {}", types[i])).collect();
    let create = format!("CREATE TABLE foo_values ({})", list.join(", "));
    sql.migrate(&[script("m0001", &[&create])], Utc::now()).await.unwrap();
    sql
}

fn samples() -> Vec<SqlValue> {
    vec![
        SqlValue::Bool(true),
        SqlValue::I64(i64::MIN),
        SqlValue::F64(0.1),
        SqlValue::Text("a 'quoted' \u{1F600} \\ text".into()),
        SqlValue::Bytes(vec![0, 255, 39, 0].into()),
        SqlValue::Uuid([7; 16]),
        SqlValue::TimestampTz(1_700_000_000_123_456),
        SqlValue::Timestamp(-1_000_001),
        SqlValue::Date(-1),
        SqlValue::Json(r#"{"a": [1, null]}"#.into()),
    ]
}

async fn round_trip(db: &Db, sql: &EngineSql, values: &[SqlValue]) -> Vec<SqlValue> {
    let places: Vec<String> = (1..=values.len()).map(|n| db.place(n)).collect();
    let insert = format!("INSERT INTO foo_values VALUES ({})", places.join(", "));
    sql.execute(NO_TX, &statement("DELETE FROM foo_values", [])).await.unwrap();
    sql.execute(NO_TX, &statement(&insert, values.to_vec())).await.unwrap();
    let answer = rows(sql, NO_TX, "SELECT * FROM foo_values").await.unwrap();
    assert_eq!(answer.columns.iter().map(|c| c.kind).collect::<Vec<_>>(), KINDS);
    answer.values.to_vec()
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    for db in all(Limits::default()).await {
        let sql = table(&db).await;
        assert_eq!(round_trip(&db, &sql, &samples()).await, samples());
    }
}

#[tokio::test]
async fn a_null_keeps_the_columns_type() {
    for db in all(Limits::default()).await {
        let sql = table(&db).await;
        let nulls: Vec<SqlValue> = KINDS.iter().map(|k| SqlValue::Null(*k)).collect();
        assert_eq!(round_trip(&db, &sql, &nulls).await, nulls);
    }
}

#[tokio::test]
async fn a_decimal_keeps_its_digits_on_postgresql() {
    for db in all(Limits::default()).await {
        if db.backend == SqlBackend::Sqlite {
            continue;
        }
        let sql = db.engine("foo").await;
        sql.migrate(&[script("m1", &["CREATE TABLE foo_money (v numeric(20, 4))"])], Utc::now())
            .await
            .unwrap();
        let value = SqlValue::Decimal("-1234567890123456.7890".into());
        sql.execute(NO_TX, &statement("INSERT INTO foo_money VALUES ($1)", [value.clone()])).await.unwrap();
        assert_eq!(rows(&sql, NO_TX, "SELECT v FROM foo_money").await.unwrap().values[0], value);
    }
}

#[tokio::test]
async fn sqlite_holds_the_forms_that_the_hosts_driver_writes() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join("t.db")).create_if_missing(true);
    let db = plugin_sql::Database::open_sqlite(&options, Limits::default()).await.unwrap();
    let sql = db.engine("foo", Default::default(), Default::default()).await.unwrap();
    let create = "CREATE TABLE foo_t (at timestamp_with_timezone_text, id uuid_text)";
    sql.migrate(&[script("m1", &[create])], Utc::now()).await.unwrap();
    let (at, id) = (DateTime::from_timestamp_micros(1_700_000_000_500_000).unwrap(), uuid::Uuid::now_v7());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("INSERT INTO foo_t VALUES (?, ?)").bind(at).bind(id).execute(&pool).await.unwrap();
    let same = statement(
        "SELECT count(*) AS n FROM foo_t WHERE at = ? AND id = ?",
        [SqlValue::TimestampTz(at.timestamp_micros()), SqlValue::Uuid(*id.as_bytes())],
    );
    assert_eq!(sql.query(NO_TX, &same).await.unwrap().values[0], SqlValue::I64(1));
    let earlier =
        statement("SELECT at FROM foo_t WHERE at > ?", [SqlValue::TimestampTz(1_700_000_000_499_999)]);
    assert_eq!(sql.query(NO_TX, &earlier).await.unwrap().values.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_comes_back(
        b: bool, i: i64, f in -1e300..1e300f64, t in "[^\0]{0,40}", y: Vec<u8>, u: [u8; 16],
        z in -60_000_000_000_000_000..200_000_000_000_000_000i64, d in -700_000..2_000_000i32, j in "[^\0]{0,20}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = crate::db::sqlite(Limits::default()).await;
            let sql = table(&db).await;
            let json = serde_json::to_string(&j).unwrap();
            let values = vec![
                SqlValue::Bool(b), SqlValue::I64(i), SqlValue::F64(f), SqlValue::Text(t.into()),
                SqlValue::Bytes(y.into()), SqlValue::Uuid(u), SqlValue::TimestampTz(z), SqlValue::Timestamp(z),
                SqlValue::Date(d), SqlValue::Json(json.into()),
            ];
            assert_eq!(round_trip(&db, &sql, &values).await, values);
        });
    }
}
