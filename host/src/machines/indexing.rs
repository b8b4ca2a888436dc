//! What selectors compare and machines do not say in that form: versions and addresses as bytes.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    entity::{address, hardware, machine},
    store,
};
use crate::{
    db::Db,
    selector::{net, version},
};

/// Machines in one transaction of the catching up.
const CHUNK: u64 = 500;

/// A version's key; unknown versions have none.
pub(super) fn version_key(version: &str) -> Option<Vec<u8>> {
    (!version.is_empty()).then(|| version::plain_key(version))
}

/// Replace a machine's addresses.
pub(super) async fn set_addresses(
    db: &impl ConnectionTrait,
    machine: Uuid,
    addresses: &[String],
) -> Result<(), DbErr> {
    address::Entity::delete_many().filter(address::Column::MachineId.eq(machine)).exec(db).await?;
    let unique: BTreeSet<&String> = addresses.iter().filter(|a| !a.is_empty()).collect();
    if unique.is_empty() {
        return Ok(());
    }
    let rows = unique.into_iter().map(|text| address::ActiveModel {
        machine_id: Set(machine),
        address: Set(text.clone()),
        key: Set(net::bytes_of(text).map(Vec::from)),
    });
    address::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Replace what is known of a machine's hardware.
pub(super) async fn set_hardware(
    db: &impl ConnectionTrait,
    machine: Uuid,
    identities: &[String],
) -> Result<(), DbErr> {
    hardware::Entity::delete_many().filter(hardware::Column::MachineId.eq(machine)).exec(db).await?;
    let unique: BTreeSet<&String> = identities.iter().filter(|i| !i.is_empty()).collect();
    if unique.is_empty() {
        return Ok(());
    }
    let rows = unique
        .into_iter()
        .map(|identity| hardware::ActiveModel { machine_id: Set(machine), identity: Set(identity.clone()) });
    hardware::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Fill in what an earlier version of the host did not keep.
pub(super) async fn catch_up(db: &Db) -> Result<(), DbErr> {
    packages(db).await?;
    machines(db).await
}

/// Keys of packages' versions.
async fn packages(db: &Db) -> Result<(), DbErr> {
    loop {
        let unknown = Query::select()
            .columns(["id", "version"])
            .from("software")
            .and_where(Expr::col("version_key").is_null())
            .limit(CHUNK)
            .to_owned();
        let rows = db.read().query_all(&unknown).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let tx = db.begin().await?;
        for row in rows {
            let (id, text): (i32, String) = (row.try_get("", "id")?, row.try_get("", "version")?);
            let set = Query::update()
                .table("software")
                .value("version_key", version::debian_key(&text))
                .and_where(Expr::col("id").eq(id))
                .to_owned();
            tx.execute(&set).await?;
        }
        tx.commit().await?;
    }
}

async fn machines(db: &Db) -> Result<(), DbErr> {
    use machine::Column as C;
    let unknown = |key: C, text: C| Condition::all().add(key.is_null()).add(text.ne(""));
    loop {
        let rows = machine::Entity::find()
            .filter(
                Condition::any()
                    .add(unknown(C::OsVersionKey, C::OsVersion))
                    .add(unknown(C::AgentVersionKey, C::AgentVersion)),
            )
            .order_by_asc(C::Id)
            .limit(CHUNK)
            .all(db.read())
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let tx = db.begin().await?;
        for row in rows {
            let addresses: Vec<String> = serde_json::from_value(row.addresses).unwrap_or_default();
            set_addresses(&tx, row.id, &addresses).await?;
            let set = machine::ActiveModel {
                os_version_key: Set(version_key(&row.os_version)),
                agent_version_key: Set(version_key(&row.agent_version)),
                ..Default::default()
            };
            store::update(&tx, row.id, set).await?;
        }
        tx.commit().await?;
    }
}
