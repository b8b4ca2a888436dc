//! Tables of hosts.

/// Table `host_contacts`.
pub mod contact {
    use sea_orm::entity::prelude::*;

    /// An instance that called with a licence.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "host_contacts")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub instance: String,
        pub organisation_id: Uuid,
        pub host_version: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub engines: Json,
        pub first_at: ChronoDateTimeUtc,
        pub last_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `usage_receipts`.
pub mod receipt {
    use sea_orm::entity::prelude::*;

    /// A receipt that was taken: one for a number of a chain.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "usage_receipts")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub instance: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        pub organisation_id: Uuid,
        pub period_from: ChronoDateTimeUtc,
        pub period_until: ChronoDateTimeUtc,
        pub machines: i64,
        pub child_machines: i64,
        #[sea_orm(column_type = "Text")]
        pub receipt: String,
        #[sea_orm(column_type = "Text")]
        pub countersigned: String,
        pub received_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
