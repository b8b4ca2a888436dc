//! What is written is read back, on either database.

use plugin_sdk::{
    EngineDb,
    sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, DbErr, EntityTrait, QuerySelect, prelude::*},
};
use plugin_testing::TestEngine;
use serde_json::json;

use crate::probe::{
    Probe,
    sample::{ActiveModel, Column, Entity, Model},
};

fn empty(id: i64) -> Model {
    Model {
        id,
        truth: None,
        small: None,
        int: None,
        big: None,
        single: None,
        double: None,
        text: None,
        label: None,
        bytes: None,
        uid: None,
        instant: None,
        zoned: None,
        naive: None,
        day: None,
        clock: None,
        amount: None,
        json: None,
    }
}

async fn round_trip(db: &EngineDb, model: Model) {
    let inserted = ActiveModel::from(model.clone()).reset_all().insert(db).await.unwrap();
    assert_eq!(inserted, model, "as RETURNING tells it");
    let found = Entity::find_by_id(model.id).one(db).await.unwrap().unwrap();
    assert_eq!(found, model, "as SELECT tells it");
}

fn instant(text: &str) -> DateTimeUtc {
    text.parse().unwrap()
}

#[tokio::test]
async fn null_of_every_type_comes_back() {
    let engine = TestEngine::<Probe>::start().await;
    round_trip(engine.db(), empty(1)).await;
}

#[tokio::test]
async fn extreme_values_come_back() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    let texts = ["", "'\"`; DROP TABLE x; --", "emoji 🥛 and e\u{301}", "line\r\nbreak\ttab", "\\ % _ ? $1"];
    let decimals = [
        "0",
        "-0.0000000000000000000000000001",
        "1234567890123456789012345678",
        "0.1",
        "-7922816251426433759354395033.5",
        "100.00",
    ];
    let instants = [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1900-02-28T12:00:00.000001Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-11-24T02:30:00.123456Z",
    ];
    let integers = [i64::MIN, i64::MAX, 0, -1, 1 << 53, (1 << 53) + 1];
    for (n, at) in instants.iter().enumerate() {
        let at = instant(at);
        let model = Model {
            truth: Some(n % 2 == 0),
            small: Some([i16::MIN, i16::MAX, 0][n % 3]),
            int: Some([i32::MIN, i32::MAX, 0][n % 3]),
            big: Some(integers[n]),
            single: Some([f32::MIN, f32::MAX, 0.1, -0.0, f32::MIN_POSITIVE, f32::INFINITY][n]),
            double: Some([f64::MIN, f64::MAX, 0.1, -0.0, f64::MIN_POSITIVE, f64::NEG_INFINITY][n]),
            text: Some(texts[n % texts.len()].to_owned()),
            label: Some("x".repeat(100_000 * (n % 2))),
            bytes: Some((0..=255).cycle().take(n * 1000).collect()),
            uid: Some([Uuid::nil(), Uuid::max(), Uuid::from_u128(1 << 127 | 5)][n % 3]),
            instant: Some(at),
            zoned: Some(at.fixed_offset()),
            naive: Some(at.naive_utc()),
            day: Some(at.date_naive()),
            clock: Some(at.time()),
            amount: Some(decimals[n].parse().unwrap()),
            json: Some([json!(null), json!({ "a": [1, 2.5, "x'\""] }), json!("🥛")][n % 3].clone()),
            ..empty(integers[n])
        };
        round_trip(db, model).await;
    }
}

#[tokio::test]
async fn random_values_come_back() {
    let engine = TestEngine::<Probe>::start().await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for id in 0..200 {
        // Years 1 to 9999.
        let micros = i64::try_from(next() % 315_537_897_600_000_000).unwrap() - 62_135_596_800_000_000;
        let at = DateTimeUtc::from_timestamp_micros(micros).unwrap();
        let double = Some(f64::from_bits(next())).filter(|n| n.is_finite());
        let model = Model {
            truth: Some(next() % 2 == 0),
            small: Some(next() as i16),
            int: Some(next() as i32),
            big: Some(next() as i64),
            double,
            text: Some(
                (0..next() % 20)
                    .filter_map(|_| char::from_u32((next() % 0x1_0000) as u32))
                    .filter(|c| *c != '\0')
                    .collect(),
            ),
            bytes: Some((0..next() % 50).map(|_| next() as u8).collect()),
            uid: Some(Uuid::from_u64_pair(next(), next())),
            instant: Some(at),
            zoned: Some(at.fixed_offset()),
            naive: Some(at.naive_utc()),
            day: Some(at.date_naive()),
            clock: Some(at.time()),
            amount: Some(Decimal::from_parts(
                next() as u32,
                next() as u32,
                (next() % 500_000_000) as u32,
                next() % 2 == 0,
                (next() % 28) as u32,
            )),
            json: Some(json!({ "n": next(), "t": at.to_rfc3339() })),
            ..empty(id)
        };
        round_trip(engine.db(), model).await;
    }
}

#[tokio::test]
async fn not_a_number_is_kept_or_null_but_never_a_number() {
    let engine = TestEngine::<Probe>::start().await;
    let model = Model { double: Some(f64::NAN), ..empty(1) };
    ActiveModel::from(model).reset_all().insert(engine.db()).await.unwrap();
    let found = Entity::find_by_id(1).one(engine.db()).await.unwrap().unwrap();
    match engine.db().get_database_backend() {
        DbBackend::Sqlite => assert_eq!(found.double, None, "SQLite has no NaN"),
        _ => assert!(found.double.unwrap().is_nan()),
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_loud() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    if db.get_database_backend() != DbBackend::Sqlite {
        return; // PostgreSQL does not store it in the first place.
    }
    for (id, column, value) in
        [(1, "uid", "'nonsense'"), (2, "small", "70000"), (3, "instant", "'yesterday'")]
    {
        db.execute_unprepared(&format!("INSERT INTO probe_samples (id, {column}) VALUES ({id}, {value})"))
            .await
            .unwrap();
        match Entity::find_by_id(id).one(db).await {
            Err(DbErr::Type(text)) => assert!(text.contains(column), "{text}"),
            other => panic!("{column}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn tuples_are_read_in_the_order_of_the_select() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    let uid = Uuid::from_u128(7);
    let day = Date::from_ymd_opt(2024, 2, 29).unwrap();
    let model = Model { uid: Some(uid), text: Some("z".into()), day: Some(day), ..empty(1) };
    ActiveModel::from(model).reset_all().insert(db).await.unwrap();
    let rows: Vec<(String, i64, Uuid, Date)> = Entity::find()
        .select_only()
        .columns([Column::Text, Column::Id, Column::Uid, Column::Day])
        .into_tuple()
        .all(db)
        .await
        .unwrap();
    assert_eq!(rows, [("z".to_owned(), 1, uid, day)]);
    let counted: Option<i64> =
        Entity::find().select_only().column_as(Column::Id.count(), "n").into_tuple().one(db).await.unwrap();
    assert_eq!(counted, Some(1));
}

#[tokio::test]
async fn times_compare_and_sort_as_times() {
    let engine = TestEngine::<Probe>::start().await;
    let db = engine.db();
    let base = instant("2026-01-01T00:00:00Z");
    for n in 0..3_i64 {
        let at = DateTimeUtc::from_timestamp_micros(base.timestamp_micros() + n * 1_500).unwrap();
        let model = ActiveModel { id: Set(n), instant: Set(Some(at)), ..Default::default() };
        Entity::insert(model).exec(db).await.unwrap();
    }
    let later = Entity::find().filter(Column::Instant.gt(base)).all(db).await.unwrap();
    assert_eq!(later.len(), 2);
}
