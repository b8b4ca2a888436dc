//! An engine whose tables hold every type.

use plugin_sdk::{
    Engine, EngineError, EngineResult, Entities, Host, Migration,
    payloads::{engines::EngineCall, jobs::JobCall},
    sea_orm::sea_query::{ColumnDef, Table},
};
use serde_json::Value;

/// Every type, each may be NULL.
pub mod sample {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "probe_samples")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub truth: Option<bool>,
        pub small: Option<i16>,
        pub int: Option<i32>,
        pub big: Option<i64>,
        pub single: Option<f32>,
        pub double: Option<f64>,
        pub text: Option<String>,
        pub label: Option<String>,
        pub bytes: Option<Vec<u8>>,
        pub uid: Option<Uuid>,
        pub instant: Option<DateTimeUtc>,
        pub zoned: Option<DateTimeWithTimeZone>,
        pub naive: Option<DateTime>,
        pub day: Option<Date>,
        pub clock: Option<Time>,
        pub amount: Option<Decimal>,
        pub json: Option<Json>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::child::Entity")]
        Child,
    }

    impl Related<super::child::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Child.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A child whose `label` is a number, where its parent's is text.
pub mod child {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "probe_children")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub sample_id: i64,
        pub label: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::sample::Entity",
            from = "Column::SampleId",
            to = "super::sample::Column::Id"
        )]
        Sample,
    }

    impl Related<super::sample::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Sample.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The engine.
pub struct Probe {
    host: Host,
}

impl Engine for Probe {
    const MANIFEST: &'static str = r#"
        id = "probe"
        name = "Probe"
        description = "Holds every type."
        version = "0.1.0"
        publisher = "SysManage"
        tier = "free"
        api = "^0.1"

        [capabilities]
        uses = ["sql", "secrets", "files", "settings", "http", "machines", "inventory", "engines"]
        origins = ["https://api.example.org"]

        [[settings]]
        key = "depth"
        description = "A number"
        kind = "integer"
        default = 3
    "#;

    async fn start(host: Host) -> EngineResult<Self> {
        Ok(Self { host })
    }

    fn migrations() -> Vec<Migration> {
        vec![Migration::new("m0001_create", |schema| {
            let amount = schema.decimal("amount");
            schema.run(
                Table::create()
                    .table("probe_samples")
                    .col(ColumnDef::new("id").big_integer().not_null().primary_key())
                    .col(ColumnDef::new("truth").boolean())
                    .col(ColumnDef::new("small").small_integer())
                    .col(ColumnDef::new("int").integer())
                    .col(ColumnDef::new("big").big_integer())
                    .col(ColumnDef::new("single").float())
                    .col(ColumnDef::new("double").double())
                    .col(ColumnDef::new("text").text())
                    .col(ColumnDef::new("label").text())
                    .col(ColumnDef::new("bytes").blob())
                    .col(ColumnDef::new("uid").uuid())
                    .col(ColumnDef::new("instant").timestamp_with_time_zone())
                    .col(ColumnDef::new("zoned").timestamp_with_time_zone())
                    .col(ColumnDef::new("naive").timestamp())
                    .col(ColumnDef::new("day").date())
                    .col(ColumnDef::new("clock").time())
                    .col(amount)
                    .col(ColumnDef::new("json").json_binary()),
            );
            schema.run(
                Table::create()
                    .table("probe_children")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("sample_id").big_integer().not_null())
                    .col(ColumnDef::new("label").integer().not_null()),
            );
        })]
    }

    fn entities() -> Entities {
        Entities::new().add::<sample::Entity>().add::<child::Entity>()
    }

    async fn on_job(&self, job: JobCall) -> EngineResult {
        super::logging::speak(&job.name);
        Ok(())
    }

    async fn on_engine_call(&self, call: EngineCall) -> EngineResult<Value> {
        super::services::run(&self.host, &call.method).await
    }

    async fn self_test(&self) -> EngineResult {
        match self.host.manifest().id.as_str() {
            "probe" => Ok(()),
            other => Err(EngineError::new("other_engine", other)),
        }
    }
}

plugin_sdk::export_engine!(Probe);
