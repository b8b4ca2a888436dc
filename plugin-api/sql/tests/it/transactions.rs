//! Transactions by number.

use std::time::Duration;

use plugin_api::abi::NO_TX;
use plugin_sql::{Limits, SqlError};

use crate::db::{all, count, rows, run, sqlite};

#[tokio::test]
async fn a_rolled_back_savepoint_leaves_the_rest_of_the_transaction() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        run(&sql, tx, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
        let inner = sql.begin(tx).await.unwrap();
        run(&sql, inner, "INSERT INTO foo_items VALUES (2, 'b')").await.unwrap();
        let deeper = sql.begin(inner).await.unwrap();
        run(&sql, deeper, "INSERT INTO foo_items VALUES (3, 'c')").await.unwrap();
        sql.commit(deeper).await.unwrap();
        sql.rollback(inner).await.unwrap();
        run(&sql, tx, "INSERT INTO foo_items VALUES (4, 'd')").await.unwrap();
        sql.commit(tx).await.unwrap();
        assert_eq!(count(&sql, NO_TX).await, 2);
        assert_eq!(sql.open_transactions(), 0);
        assert!(matches!(sql.commit(tx).await, Err(SqlError::NoTransaction(_))));
    }
}

#[tokio::test]
async fn an_abandoned_savepoint_is_undone_before_the_next_statement() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        let inner = sql.begin(tx).await.unwrap();
        run(&sql, inner, "INSERT INTO foo_items VALUES (2, 'b')").await.unwrap();
        sql.abandon(inner);
        assert_eq!(count(&sql, tx).await, 0);
        run(&sql, tx, "INSERT INTO foo_items VALUES (3, 'c')").await.unwrap();
        sql.commit(tx).await.unwrap();
        assert_eq!(count(&sql, NO_TX).await, 1);
    }
}

#[tokio::test]
async fn an_abandoned_transaction_frees_the_writer() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        run(&sql, tx, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
        sql.abandon(tx);
        run(&sql, NO_TX, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
        assert_eq!(count(&sql, NO_TX).await, 1);
    }
}

#[tokio::test]
async fn an_idle_transaction_is_rolled_back() {
    let limits = Limits { idle: Duration::from_millis(100), ..Limits::default() };
    for db in all(limits).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        run(&sql, tx, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
        let wait = async {
            while sql.open_transactions() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
        assert!(matches!(run(&sql, tx, "DELETE FROM foo_items").await, Err(SqlError::NoTransaction(_))));
        run(&sql, NO_TX, "INSERT INTO foo_items VALUES (2, 'b')").await.unwrap();
        assert_eq!(count(&sql, NO_TX).await, 1);
    }
}

#[tokio::test]
async fn too_many_transactions_are_refused() {
    for db in all(Limits { transactions: 1, ..Limits::default() }).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        assert!(matches!(sql.begin(NO_TX).await, Err(SqlError::TooManyTransactions(1))));
        sql.rollback(tx).await.unwrap();
        let tx = sql.begin(NO_TX).await.unwrap();
        sql.commit(tx).await.unwrap();
    }
}

#[tokio::test]
async fn another_engine_cannot_use_a_transaction() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        let tx = sql.begin(NO_TX).await.unwrap();
        let other = db.engine("foo_bar").await;
        assert!(matches!(other.commit(tx).await, Err(SqlError::NoTransaction(_))));
        sql.rollback(tx).await.unwrap();
    }
}

#[tokio::test]
async fn an_endless_statement_meets_its_deadline() {
    let limits = Limits { statement: Duration::from_millis(300), ..Limits::default() };
    for db in all(limits).await {
        let sql = db.with_items().await;
        let endless =
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let began = std::time::Instant::now();
        let error = rows(&sql, NO_TX, endless).await.unwrap_err();
        assert!(matches!(error, SqlError::Deadline(_)), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(count(&sql, NO_TX).await, 0);
    }
}

#[tokio::test]
async fn a_dropped_statement_of_a_transaction_rolls_it_back() {
    let db = sqlite(Limits::default()).await;
    let sql = db.with_items().await;
    let tx = sql.begin(NO_TX).await.unwrap();
    run(&sql, tx, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
    let endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let dropped = tokio::time::timeout(Duration::from_millis(100), rows(&sql, tx, endless)).await;
    assert!(dropped.is_err());
    assert!(rows(&sql, tx, "SELECT 1").await.is_err());
    assert!(sql.commit(tx).await.is_err());
    run(&sql, NO_TX, "INSERT INTO foo_items VALUES (2, 'b')").await.unwrap();
    assert_eq!(count(&sql, NO_TX).await, 1);
}

#[tokio::test]
async fn a_result_past_the_limit_is_an_error_and_not_a_cut() {
    for db in all(Limits { rows: 2, bytes: 4096, ..Limits::default() }).await {
        let sql = db.with_items().await;
        run(&sql, NO_TX, "INSERT INTO foo_items VALUES (1, 'a'), (2, 'b'), (3, 'c')").await.unwrap();
        let error = rows(&sql, NO_TX, "SELECT * FROM foo_items").await.unwrap_err();
        assert!(matches!(error, SqlError::TooMuch { limit: 2, unit: "rows" }));
        let wide = format!("SELECT '{}'", "x".repeat(5000));
        let error = rows(&sql, NO_TX, &wide).await.unwrap_err();
        assert!(matches!(error, SqlError::TooMuch { unit: "bytes", .. }));
        assert_eq!(count(&sql, NO_TX).await, 3);
    }
}

#[tokio::test]
async fn a_constraint_has_its_own_code() {
    for db in all(Limits::default()).await {
        let sql = db.with_items().await;
        run(&sql, NO_TX, "INSERT INTO foo_items VALUES (1, 'a')").await.unwrap();
        let error = run(&sql, NO_TX, "INSERT INTO foo_items VALUES (2, 'a')").await.unwrap_err();
        assert_eq!(error.code(), "unique_violation", "{error}");
    }
}
