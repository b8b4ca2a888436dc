//! Joins of tables whose columns have the same name and another type.

use plugin_sdk::sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait,
    prelude::Uuid,
};
use plugin_testing::TestEngine;

use crate::probe::{Probe, child, sample};

async fn family() -> TestEngine<Probe> {
    let engine = TestEngine::<Probe>::start().await;
    let parent = sample::ActiveModel { id: Set(1), label: Set(Some("one".into())), ..Default::default() };
    sample::Entity::insert(parent).exec(engine.db()).await.unwrap();
    for n in 0..2_i32 {
        let id = Uuid::from_u128(n.unsigned_abs().into());
        let kid = child::ActiveModel { id: Set(id), sample_id: Set(1), label: Set(n) };
        child::Entity::insert(kid).exec(engine.db()).await.unwrap();
    }
    engine
}

#[tokio::test]
async fn both_sides_of_a_join_keep_their_types() {
    let engine = family().await;
    let pairs = child::Entity::find().find_also_related(sample::Entity).all(engine.db()).await.unwrap();
    assert_eq!(pairs.len(), 2);
    for (kid, parent) in pairs {
        assert_eq!((kid.sample_id, parent.unwrap().label.as_deref()), (1, Some("one")));
    }
    let with = sample::Entity::find().find_with_related(child::Entity).all(engine.db()).await.unwrap();
    assert_eq!((with.len(), with[0].1.len()), (1, 2));
}

#[tokio::test]
async fn an_inner_join_reads_the_selected_table() {
    let engine = family().await;
    let found = sample::Entity::find()
        .join(JoinType::InnerJoin, sample::Relation::Child.def())
        .filter(child::Column::Label.eq(1))
        .all(engine.db())
        .await
        .unwrap();
    assert_eq!(found[0].label.as_deref(), Some("one"));
    let kids: Vec<(i32, String)> = child::Entity::find()
        .join(JoinType::InnerJoin, child::Relation::Sample.def())
        .select_only()
        .column(child::Column::Label)
        .column_as(sample::Column::Text.if_null("none"), "words")
        .filter(child::Column::Label.eq(1))
        .into_tuple()
        .all(engine.db())
        .await
        .unwrap();
    assert_eq!(kids, [(1, "none".to_owned())]);
}
