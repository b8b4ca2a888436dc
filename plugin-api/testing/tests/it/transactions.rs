//! Transactions: nested, dropped, by closure.

use plugin_sdk::{
    EngineDb,
    sea_orm::{
        ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, StreamTrait,
        TransactionSession, TransactionTrait,
    },
};
use plugin_testing::TestEngine;

use crate::probe::{
    Probe,
    sample::{ActiveModel, Entity},
};

async fn insert<C: ConnectionTrait>(db: &C, id: i64) -> Result<(), DbErr> {
    let model = ActiveModel { id: Set(id), ..Default::default() };
    Entity::insert(model).exec_without_returning(db).await.map(drop)
}

async fn count(db: &EngineDb) -> u64 {
    Entity::find().count(db).await.unwrap()
}

#[tokio::test]
async fn what_is_committed_stays_and_what_is_dropped_goes() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    let tx = db.begin().await.unwrap();
    insert(&tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    let tx = db.begin().await.unwrap();
    insert(&tx, 2).await.unwrap();
    drop(tx);
    let tx = db.begin().await.unwrap();
    insert(&tx, 2).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(count(db).await, 1);
}

#[tokio::test]
async fn a_savepoint_rolls_back_alone() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    let outer = db.begin().await.unwrap();
    insert(&outer, 1).await.unwrap();
    let inner = outer.begin().await.unwrap();
    insert(&inner, 2).await.unwrap();
    let innermost = inner.begin().await.unwrap();
    insert(&innermost, 3).await.unwrap();
    innermost.commit().await.unwrap();
    inner.rollback().await.unwrap();
    let dropped = outer.begin().await.unwrap();
    insert(&dropped, 4).await.unwrap();
    drop(dropped);
    insert(&outer, 5).await.unwrap();
    outer.commit().await.unwrap();
    let ids: Vec<i64> = Entity::find().all(db).await.unwrap().into_iter().map(|m| m.id).collect();
    assert_eq!(ids, [1, 5]);
}

#[tokio::test]
async fn a_closure_commits_on_success_and_rolls_back_on_error() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    db.transaction::<_, (), DbErr>(|tx| Box::pin(async move { insert(tx, 1).await })).await.unwrap();
    let failed = db
        .transaction::<_, (), DbErr>(|tx| {
            Box::pin(async move {
                insert(tx, 2).await?;
                insert(tx, 2).await
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(count(db).await, 1);
}

#[tokio::test]
async fn a_constraint_has_a_code() {
    let engine = TestEngine::<Probe>::start().await;
    insert(engine.db(), 1).await.unwrap();
    let e = insert(engine.db(), 1).await.unwrap_err();
    assert!(plugin_sdk::db::is_unique_violation(&e), "{e}");
}

#[tokio::test]
async fn rows_stream() {
    use futures_util::TryStreamExt;
    let engine = TestEngine::<Probe>::start().await;
    for id in 0..10 {
        insert(engine.db(), id).await.unwrap();
    }
    let statement = plugin_sdk::sea_orm::Statement::from_string(
        ConnectionTrait::get_database_backend(engine.db()),
        "SELECT id FROM probe_samples ORDER BY id",
    );
    let rows = engine.db().stream_raw(statement).await.unwrap();
    let ids: Vec<i64> =
        rows.and_then(|row| async move { row.try_get::<i64>("", "id") }).try_collect().await.unwrap();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
}
