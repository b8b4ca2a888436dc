//! What lists and selectors ask most, kept beside the machine.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
};
use serde_json::Value;
use uuid::Uuid;

use crate::machines::{
    entity::{machine, section},
    store,
};

/// Take from a section what the machine's row says of it.
pub(super) async fn change(
    db: &impl ConnectionTrait,
    machine: Uuid,
    name: &str,
    data: &Value,
) -> Result<(), DbErr> {
    let set = match name {
        "updates" => {
            let updates = data["updates"].as_array().map(Vec::as_slice).unwrap_or_default();
            let security = updates.iter().filter(|u| u["security"] == true).count();
            machine::ActiveModel {
                updates: Set(updates.len().try_into().unwrap_or(i32::MAX)),
                security_updates: Set(security.try_into().unwrap_or(i32::MAX)),
                ..Default::default()
            }
        }
        "reboot" => reboot(data["required"] == true),
        // Agents that have no section of its own say it there.
        "os" if !has_reboot(db, machine).await? => reboot(data["reboot_required"] == true),
        _ => return Ok(()),
    };
    store::update(db, machine, set).await
}

fn reboot(required: bool) -> machine::ActiveModel {
    machine::ActiveModel { reboot_required: Set(required), ..Default::default() }
}

async fn has_reboot(db: &impl ConnectionTrait, machine: Uuid) -> Result<bool, DbErr> {
    let found = section::Entity::find()
        .filter(section::Column::MachineId.eq(machine))
        .filter(section::Column::Name.eq("reboot"));
    Ok(found.count(db).await? > 0)
}
