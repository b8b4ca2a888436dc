//! Selectors against a real table of machines.

use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, Order, Query},
};
use sysmanage::{ctx::Scope, selector::Selector};
use uuid::Uuid;

use crate::host::TestHost;

async fn machine(host: &TestHost, name: &str, os: (&str, &str), tags: &[&str]) {
    let app = &host.host.app;
    let (id, now) = (Uuid::now_v7(), crate::host::now(host));
    let text = |s: &str| Expr::value(s.to_owned());
    let mut insert = Query::insert();
    insert.into_table("machines");
    let mut columns = vec![
        ("id", Expr::value(id)),
        ("name", text(name)),
        ("state", text("approved")),
        ("key_fingerprint", text(name)),
        ("public_key", Expr::value(Vec::<u8>::new())),
        ("poll_handle_hash", text(name)),
        ("os_family", text(os.0)),
        ("os_id", text(os.1)),
        ("os_name", text(os.1)),
        ("cpus", Expr::value(1)),
        ("memory_bytes", Expr::value(1i64)),
        ("addresses", Expr::value(serde_json::json!([]))),
        ("online", Expr::value(name.starts_with("web"))),
        ("created_at", Expr::value(now)),
        ("updated_at", Expr::value(now)),
    ];
    for column in ["hostname", "os_version", "kernel", "arch", "target", "boot_id", "agent_version", "notes"]
    {
        columns.push((column, text("")));
    }
    let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    insert.columns(names).values_panic(values);
    app.db.write().execute(&insert).await.unwrap();
    for tag in tags {
        let insert = Query::insert()
            .into_table("machine_tags")
            .columns(["machine_id", "tag"])
            .values_panic([Expr::value(id), text(tag)])
            .to_owned();
        app.db.write().execute(&insert).await.unwrap();
    }
}

async fn select(host: &TestHost, condition: sea_orm::Condition) -> Vec<String> {
    let query = Query::select()
        .column("name")
        .from("machines")
        .cond_where(condition)
        .order_by("name", Order::Asc)
        .to_owned();
    let rows = host.host.app.db.read().query_all(&query).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

#[tokio::test]
async fn a_selector_selects_what_it_says() {
    let host = TestHost::start().await;
    machine(&host, "web-1", ("linux", "debian"), &["web", "prod"]).await;
    machine(&host, "web-2", ("linux", "ubuntu"), &["web"]).await;
    machine(&host, "db_1", ("linux", "debian"), &["prod"]).await;
    machine(&host, "pc%1", ("windows", "windows"), &[]).await;
    for (selector, expected) in [
        ("", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("all", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("not all", vec![]),
        ("os:debian tag:prod", vec!["db_1", "web-1"]),
        ("os:linux not tag:prod", vec!["web-2"]),
        ("name:WEB-*", vec!["web-1", "web-2"]),
        ("name:web-?", vec!["web-1", "web-2"]),
        ("name:*_1", vec!["db_1"]),
        ("name:*%*", vec!["pc%1"]),
        ("tag:w* or os:windows", vec!["pc%1", "web-1", "web-2"]),
        ("(tag:web or tag:prod) not os:ubuntu", vec!["db_1", "web-1"]),
        ("not (tag:web or tag:prod)", vec!["pc%1"]),
        ("tag:web or all", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("state:approved online:yes", vec!["web-1", "web-2"]),
        ("online:no", vec!["db_1", "pc%1"]),
        ("state:pending", vec![]),
        ("name:\"x' or 1=1 --\"", vec![]),
    ] {
        let condition = selector.parse::<Selector>().unwrap().condition();
        assert_eq!(select(&host, condition).await, expected, "{selector}");
    }
    assert_eq!(select(&host, Scope::All.condition()).await.len(), 4);
    assert_eq!(select(&host, Scope::Selector("(tag:web) or (os:windows)".into()).condition()).await.len(), 3);
    assert_eq!(select(&host, Scope::Selector("(broken".into()).condition()).await.len(), 0);
}
