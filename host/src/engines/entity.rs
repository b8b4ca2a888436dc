//! Tables of this slice.

pub mod engine {
    //! Table `engines`.
    use sea_orm::entity::prelude::*;

    /// An engine that was ever installed.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "engines")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub enabled: bool,
        pub mode: Option<String>,
        pub current: Option<String>,
        pub previous: Option<String>,
        pub highest: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub failure: Option<String>,
        pub exported_at: Option<ChronoDateTimeUtc>,
        pub installed_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod version {
    //! Table `engine_versions`.
    use sea_orm::entity::prelude::*;

    /// A stored package.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "engine_versions")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: String,
        pub sha256: String,
        pub size: i64,
        pub publisher: String,
        pub realm: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub bad: Option<String>,
        pub admitted_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod grant {
    //! Table `engine_grants`.
    use sea_orm::entity::prelude::*;

    /// A decision on a capability.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "engine_grants")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub capability: String,
        pub granted: bool,
        pub decided_by: String,
        pub decided_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod job {
    //! Table `engine_jobs`.
    use sea_orm::entity::prelude::*;

    /// A timer.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "engine_jobs")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub name: String,
        pub due_at: ChronoDateTimeUtc,
        pub every_s: i64,
        #[sea_orm(column_type = "JsonBinary")]
        pub payload: Json,
        pub run_id: Option<Uuid>,
        pub attempts: i32,
        pub claimed_until: Option<ChronoDateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod outbox {
    //! Table `engine_outbox`.
    use sea_orm::entity::prelude::*;

    /// A change of a task that its engine has not confirmed.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "engine_outbox")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub engine: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub payload: Json,
        pub attempts: i32,
        pub created_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
