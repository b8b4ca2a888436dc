//! Tables of this slice.

pub mod state {
    //! Table `marketplace_state`.
    use sea_orm::entity::prelude::*;

    /// One part of the state.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "marketplace_state")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub value: Json,
        pub updated_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod download {
    //! Table `marketplace_downloads`.
    use sea_orm::entity::prelude::*;

    /// A download of an engine.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "marketplace_downloads")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub engine: String,
        pub version: String,
        #[sea_orm(column_type = "Text")]
        pub target: String,
        pub sha256: String,
        pub size: i64,
        pub received: i64,
        pub state: String,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub error: Option<Json>,
        pub actor_name: String,
        pub automatic: bool,
        pub created_at: ChronoDateTimeUtc,
        pub updated_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod receipt {
    //! Table `usage_receipts`.
    use sea_orm::entity::prelude::*;

    /// A usage receipt of this host.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "usage_receipts")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        #[sea_orm(column_type = "Text")]
        pub receipt: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub countersigned: Option<String>,
        pub made_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
