//! Tables of licences.

/// Table `license_editions`.
pub mod edition {
    use sea_orm::entity::prelude::*;

    /// One edition of a licence: the newest is in force.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "license_editions")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub edition: i32,
        pub order_id: Uuid,
        pub issued_at: ChronoDateTimeUtc,
        #[sea_orm(column_type = "JsonBinary")]
        pub claims: Json,
        #[sea_orm(column_type = "Text")]
        pub token: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `revoked_licenses`.
pub mod revoked {
    use sea_orm::entity::prelude::*;

    /// A licence that the vendor took back.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_licenses")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license_id: String,
        pub sequence: i64,
        pub reason: String,
        pub at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `revocation_lists`.
pub mod list {
    use sea_orm::entity::prelude::*;

    /// A signed revocation list.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "revocation_lists")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        pub content: String,
        #[sea_orm(column_type = "Text")]
        pub signed: String,
        pub issued_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
