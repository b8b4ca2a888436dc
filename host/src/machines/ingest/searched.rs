//! What of services, sockets, certificates, users, roles and virtualization is searched across machines: table `machine_items`.

use std::collections::BTreeMap;

use agent_protocol::items::key_of;
use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::Value;

/// Most items of one kind that are searched, per machine.
const MOST: usize = 5_000;

/// A row without its machine; kind and key come first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    detail: String,
    number: Option<i64>,
}

type Rows = BTreeMap<(&'static str, String), Row>;

/// Make the rows of a section what `new` says.
pub(super) async fn change(
    db: &impl ConnectionTrait,
    machine: i32,
    section: &str,
    (old, new): (Option<&Value>, &Value),
) -> Result<(), DbErr> {
    let (old, new) = (old.map(|old| rows(section, old)).unwrap_or_default(), rows(section, new));
    let gone: Vec<_> = old.iter().filter(|(at, row)| new.get(at) != Some(row)).map(|(at, _)| at).collect();
    for (kind, key) in gone {
        let delete = Query::delete()
            .from_table("machine_items")
            .and_where(Expr::col("machine_no").eq(machine))
            .and_where(Expr::col("kind").eq(*kind))
            .and_where(Expr::col("key").eq(key.clone()))
            .to_owned();
        db.execute(&delete).await?;
    }
    let come: Vec<_> = new.iter().filter(|(at, row)| old.get(at) != Some(row)).collect();
    for come in come.chunks(150) {
        let mut insert = Query::insert();
        insert.into_table("machine_items").columns(["machine_no", "kind", "key", "name", "detail", "number"]);
        for ((kind, key), row) in come {
            insert.values_panic([
                machine.into(),
                (*kind).into(),
                key.clone().into(),
                row.name.clone().into(),
                row.detail.clone().into(),
                Expr::val(row.number),
            ]);
        }
        db.execute(&insert).await?;
    }
    Ok(())
}

fn rows(section: &str, data: &Value) -> Rows {
    let members: &[(&'static str, &str)] = match section {
        "services" => &[("service", "services")],
        "sockets" => &[("socket", "sockets")],
        "certificates" => &[("certificate", "certificates")],
        "users" => &[("user", "users"), ("group", "groups")],
        "roles" => &[("role", "roles")],
        _ => &[],
    };
    let mut rows = Rows::new();
    if let ("os", Some(inside)) = (section, data["virtualization"].as_str()) {
        let row = Row { name: inside.to_lowercase(), detail: String::new(), number: None };
        rows.insert(("virtual", "virtualization".into()), row);
    }
    for (kind, member) in members {
        for element in data[member].as_array().into_iter().flatten().take(MOST) {
            if let Some(key) = key_of(element) {
                rows.insert((kind, key.into()), row(kind, element));
            }
        }
    }
    rows
}

fn row(kind: &str, element: &Value) -> Row {
    let text = |name: &str| element[name].as_str().unwrap_or_default().to_owned();
    let (name, detail, number) = match kind {
        "service" => (text("name"), text("state"), None),
        "socket" => {
            (text("process"), format!("{} {}", text("protocol"), text("address")), element["port"].as_i64())
        }
        "certificate" => (text("subject"), text("path"), element["not_after"].as_i64()),
        "user" => {
            let admin = element.get("admin").is_some_and(|a| !a.is_null() && *a != false);
            (text("name"), if admin { "admin".into() } else { String::new() }, element["uid"].as_i64())
        }
        "group" => (text("name"), String::new(), element["gid"].as_i64()),
        _ => {
            let active = element["active"].as_bool().unwrap_or_default();
            (text("name"), if active { "active".into() } else { String::new() }, None)
        }
    };
    Row { name: name.to_lowercase(), detail, number }
}
