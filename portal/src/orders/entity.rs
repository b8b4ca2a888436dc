//! Tables of orders.

/// Table `orders`.
pub mod order {
    use sea_orm::entity::prelude::*;

    /// An order. What became of it is in its events.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "orders")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: String,
        pub organisation_id: Uuid,
        pub license_id: String,
        pub created_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `order_events`.
pub mod event {
    use sea_orm::entity::prelude::*;

    /// An event of an order.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "order_events")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub order_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_id: String,
        pub at: ChronoDateTimeUtc,
        pub recorded_at: ChronoDateTimeUtc,
        pub actor: String,
        pub kind: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub body: Json,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
