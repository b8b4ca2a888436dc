//! Tables of advisories.

/// Table `advisories`.
pub mod advisory {
    use sea_orm::entity::prelude::*;

    /// What is wrong with versions of an engine.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "advisories")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub engine: String,
        pub versions: String,
        pub severity: String,
        pub title: String,
        #[sea_orm(column_type = "Text")]
        pub detail: String,
        pub fixed_in: Option<String>,
        pub published_at: ChronoDateTimeUtc,
        pub changed_at: ChronoDateTimeUtc,
        pub withdrawn_at: Option<ChronoDateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `floors`.
pub mod floor {
    use sea_orm::entity::prelude::*;

    /// The lowest good version of an engine.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "floors")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        pub version: String,
        pub set_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
