//! Selectors against real tables, on every database there is.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner},
};
use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use serde_json::json;
use sysmanage::{
    app::App,
    ctx::{Ctx, Scope},
    db::Db,
    machines::{MachineChange, MachineQuery},
    selector::{Selector, version},
};
use uuid::Uuid;

use crate::host::{self, TestHost};

/// What a machine of these tests is.
#[derive(Debug, Clone)]
pub struct Fake {
    pub name: String,
    pub os: (&'static str, &'static str),
    pub os_version: String,
    pub agent_version: String,
    pub state: &'static str,
    pub online: bool,
    pub cpus: i32,
    pub memory: i64,
    pub notes: String,
    pub updates: (i32, i32),
    pub reboot: bool,
    pub created: DateTime<Utc>,
    pub seen: Option<DateTime<Utc>>,
    pub tags: Vec<String>,
    pub addresses: Vec<String>,
    pub sections: Vec<String>,
    pub packages: Vec<(&'static str, &'static str)>,
    /// Kind, name, detail, number.
    pub items: Vec<(&'static str, &'static str, &'static str, Option<i64>)>,
    pub disk_percent: Option<f64>,
}

impl Fake {
    pub fn new(name: &str, now: DateTime<Utc>) -> Self {
        Self {
            name: name.into(),
            os: ("linux", "debian"),
            os_version: "12.4".into(),
            agent_version: "1.0.0".into(),
            state: "approved",
            online: false,
            cpus: 1,
            memory: 1,
            notes: String::new(),
            updates: (0, 0),
            reboot: false,
            created: now,
            seen: None,
            tags: Vec::new(),
            addresses: Vec::new(),
            sections: Vec::new(),
            packages: Vec::new(),
            items: Vec::new(),
            disk_percent: None,
        }
    }

    pub fn tagged(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|t| (*t).into()).collect();
        self
    }

    /// Write the machine as the host would.
    pub async fn insert(&self, db: &Db) -> Uuid {
        let id = Uuid::now_v7();
        let text = |s: &str| Expr::value(s.to_owned());
        let mut columns = vec![
            ("id", Expr::value(id)),
            ("name", text(&self.name)),
            ("hostname", text(&self.name)),
            ("state", text(self.state)),
            ("key_fingerprint", text(&id.to_string())),
            ("public_key", Expr::value(Vec::<u8>::new())),
            ("poll_handle_hash", text(&id.to_string())),
            ("os_family", text(self.os.0)),
            ("os_id", text(self.os.1)),
            ("os_name", text(self.os.1)),
            ("os_version", text(&self.os_version)),
            ("os_version_key", Expr::value(version_key(&self.os_version))),
            ("agent_version", text(&self.agent_version)),
            ("agent_version_key", Expr::value(version_key(&self.agent_version))),
            ("cpus", Expr::value(self.cpus)),
            ("memory_bytes", Expr::value(self.memory)),
            ("addresses", Expr::value(json!(self.addresses))),
            ("notes", text(&self.notes)),
            ("updates", Expr::value(self.updates.0)),
            ("security_updates", Expr::value(self.updates.1)),
            ("reboot_required", Expr::value(self.reboot)),
            ("online", Expr::value(self.online)),
            ("last_seen_at", Expr::value(self.seen)),
            ("created_at", Expr::value(self.created)),
            ("updated_at", Expr::value(self.created)),
        ];
        columns.extend(["kernel", "arch", "target", "boot_id"].map(|column| (column, text(""))));
        insert(db, "machines", columns).await;
        for tag in &self.tags {
            insert(db, "machine_tags", vec![("machine_id", Expr::value(id)), ("tag", text(tag))]).await;
        }
        for address in &self.addresses {
            let key = Expr::value(key(address));
            let row = vec![("machine_id", Expr::value(id)), ("address", text(address)), ("key", key)];
            insert(db, "machine_addresses", row).await;
        }
        for section in &self.sections {
            let row = vec![
                ("machine_id", Expr::value(id)),
                ("name", text(section)),
                ("digest", text("")),
                ("data", Expr::value(json!({}))),
                ("collected_at", Expr::value(self.created)),
                ("received_at", Expr::value(self.created)),
            ];
            insert(db, "inventory_sections", row).await;
        }
        self.insert_inventory(db, id).await;
        id
    }

    async fn insert_inventory(&self, db: &Db, id: Uuid) {
        let text = |s: &str| Expr::value(s.to_owned());
        let no = number(db, "machines", "no", Expr::col("id").eq(id)).await.unwrap();
        for (name, version) in &self.packages {
            let named = || Expr::col("name").eq(*name);
            if number(db, "software_titles", "id", named()).await.is_none() {
                let row = vec![("manager", text("dpkg")), ("name", text(name)), ("search", text(name))];
                insert(db, "software_titles", row).await;
            }
            let title = number(db, "software_titles", "id", named()).await.unwrap();
            let hash = Uuid::now_v7().as_bytes().to_vec();
            let row = vec![
                ("hash", Expr::value(hash.clone())),
                ("title_id", Expr::value(title)),
                ("version", text(version)),
                ("version_key", Expr::value(version::debian_key(version))),
                ("arch", text("amd64")),
                ("body", text("{}")),
            ];
            insert(db, "software", row).await;
            let entry = number(db, "software", "id", Expr::col("hash").eq(hash)).await.unwrap();
            let row = vec![("machine_no", Expr::value(no)), ("entry_id", Expr::value(entry))];
            insert(db, "machine_software", row).await;
        }
        for (at, (kind, name, detail, number)) in self.items.iter().enumerate() {
            let row = vec![
                ("machine_no", Expr::value(no)),
                ("kind", text(kind)),
                ("key", text(&at.to_string())),
                ("name", text(name)),
                ("detail", text(detail)),
                ("number", Expr::value(*number)),
            ];
            insert(db, "machine_items", row).await;
        }
        if let Some(percent) = self.disk_percent {
            let row = vec![
                ("machine_id", Expr::value(id)),
                ("at", Expr::value(self.created)),
                ("disk_used_percent", Expr::value(percent)),
                ("uptime_s", Expr::value(percent * 86_400.0)),
            ];
            insert(db, "machine_metrics", row).await;
        }
    }
}

fn version_key(text: &str) -> Option<Vec<u8>> {
    (!text.is_empty()).then(|| version::plain_key(text))
}

fn key(address: &str) -> Option<Vec<u8>> {
    let bytes = match address.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
        std::net::IpAddr::V6(a) => a.octets(),
    };
    Some(bytes.to_vec())
}

async fn number(db: &Db, table: &'static str, column: &'static str, which: Expr) -> Option<i32> {
    let query = Query::select().column(column).from(table).and_where(which).to_owned();
    db.write().query_one(&query).await.unwrap().map(|row| row.try_get("", column).unwrap())
}

async fn insert(db: &Db, table: &'static str, row: Vec<(&'static str, Expr)>) {
    let (names, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    let insert = Query::insert().into_table(table).columns(names).values_panic(values).to_owned();
    db.write().execute(&insert).await.unwrap();
}

async fn select(app: &App, condition: sea_orm::Condition) -> Vec<String> {
    let query = Query::select()
        .column("name")
        .from("machines")
        .cond_where(condition)
        .order_by("name", Order::Asc)
        .to_owned();
    let rows = app.db.read().query_all(&query).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

/// Four machines that differ in everything selectors look at.
fn four(now: DateTime<Utc>) -> [Fake; 4] {
    let fake = |name: &str, os, tags: &[&str]| Fake {
        os,
        online: name.starts_with("web"),
        ..Fake::new(name, now).tagged(tags)
    };
    [
        Fake {
            cpus: 8,
            memory: 32 << 30,
            addresses: vec!["10.1.2.3".into(), "fd00::7".into()],
            packages: vec![("openssl", "3.0.9-1"), ("nginx", "1.22.1-9")],
            items: vec![
                ("service", "nginx", "running", None),
                ("socket", "nginx", "tcp 0.0.0.0", Some(443)),
                ("certificate", "cn=web", "/etc/tls/web.pem", Some(now.timestamp() + 20 * 86_400)),
                ("virtual", "kvm", "", None),
            ],
            disk_percent: Some(93.5),
            ..fake("web-1", ("linux", "debian"), &["web", "prod"])
        },
        Fake {
            cpus: 2,
            memory: 16 << 30,
            os_version: "24.04".into(),
            sections: vec!["packages".into()],
            packages: vec![("openssl", "3.0.11-1~deb12u2"), ("openssh-server", "1:9.2p1-2")],
            items: vec![
                ("service", "nginx", "failed", None),
                ("socket", "sshd", "tcp 0.0.0.0", Some(22)),
                ("user", "postgres", "", Some(70)),
                ("role", "web_server", "active", None),
            ],
            disk_percent: Some(4.0),
            ..fake("web-2", ("linux", "ubuntu"), &["web"])
        },
        Fake {
            os_version: "13".into(),
            updates: (3, 1),
            reboot: true,
            seen: Some(now - Duration::days(3)),
            ..fake("db_1", ("linux", "debian"), &["prod"])
        },
        Fake {
            os_version: String::new(),
            agent_version: "1.1.0-rc1".into(),
            seen: Some(now),
            created: now - Duration::days(40),
            notes: "By the Printer".into(),
            ..fake("pc%1", ("windows", "windows"), &[])
        },
    ]
}

#[tokio::test]
async fn a_selector_selects_what_it_says() {
    let host = TestHost::start().await;
    let (app, now) = (&host.host.app, host::now(&host));
    for machine in &four(now) {
        machine.insert(&app.db).await;
    }
    for (selector, expected) in [
        ("", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("all", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("not all", vec![]),
        ("os:debian tag:prod", vec!["db_1", "web-1"]),
        ("os:linux -tag:prod", vec!["web-2"]),
        ("name:WEB-*", vec!["web-1", "web-2"]),
        ("web", vec!["web-1", "web-2"]),
        ("name:*_1", vec!["db_1"]),
        ("name:*%*", vec!["pc%1"]),
        ("tag:w* or os:windows", vec!["pc%1", "web-1", "web-2"]),
        ("(tag:web or tag:prod) and not os:ubuntu", vec!["db_1", "web-1"]),
        ("not (tag:web or tag:prod)", vec!["pc%1"]),
        ("tag:web or all", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("state:approved online:yes", vec!["web-1", "web-2"]),
        ("online:no", vec!["db_1", "pc%1"]),
        ("os:ubuntu,windows", vec!["pc%1", "web-2"]),
        ("cpus>=2 memory>16GiB", vec!["web-1"]),
        ("cpus:2..8", vec!["web-1", "web-2"]),
        ("os.version>=13", vec!["db_1", "web-2"]),
        ("os.version<13", vec!["web-1"]),
        ("agent.version<1.1.0 agent.version!=1.0.0", vec!["pc%1"]),
        ("agent.version>1.0", vec!["db_1", "pc%1", "web-1", "web-2"]),
        ("agent.version>1.1.0~ or agent.version:1.1*", vec!["pc%1"]),
        ("last_seen<2d", vec!["pc%1"]),
        ("last_seen>2d", vec!["db_1"]),
        ("-last_seen<2d", vec!["db_1", "web-1", "web-2"]),
        ("created>30d", vec!["pc%1"]),
        ("address:10.0.0.0/8", vec!["web-1"]),
        ("address:fd00::/8 address:10.1.2.*", vec!["web-1"]),
        ("not address:0.0.0.0/0", vec!["db_1", "pc%1", "web-2"]),
        ("has:packages", vec!["web-2"]),
        ("updates>0 needs:reboot", vec!["db_1"]),
        ("needs:security,reboot", vec!["db_1"]),
        ("-needs:update security:0", vec!["pc%1", "web-1", "web-2"]),
        ("notes:*printer", vec!["pc%1"]),
    ] {
        let condition = selector.parse::<Selector>().unwrap().condition(&app.selectors.env());
        assert_eq!(select(app, condition).await, expected, "{selector}");
    }
    let env = app.selectors.env();
    assert_eq!(select(app, Scope::All.condition(&env)).await.len(), 4);
    let scope = Scope::Selector("(tag:web) or (os:windows)".into());
    assert_eq!(select(app, scope.condition(&env)).await.len(), 3);
    assert_eq!(select(app, Scope::Selector("(broken".into()).condition(&env)).await.len(), 0);
    assert_eq!(select(app, Scope::Selector("not search:gone".into()).condition(&env)).await.len(), 0);
}

#[tokio::test]
async fn a_selector_asks_of_inventories_and_figures() {
    let host = TestHost::start().await;
    let (app, now) = (&host.host.app, host::now(&host));
    for machine in &four(now) {
        machine.insert(&app.db).await;
    }
    for (selector, expected) in [
        ("package:openssl", vec!["web-1", "web-2"]),
        ("package:openssl<3.0.11", vec!["web-1"]),
        ("package:openssl>=3.0.11~", vec!["web-2"]),
        ("package:openssh*>=9", vec!["web-2"]),
        ("package:*=1.22.*,nothing", vec!["web-1"]),
        ("os:linux -package:open*", vec!["db_1"]),
        ("service:nginx", vec!["web-1", "web-2"]),
        ("service:*=failed", vec!["web-2"]),
        ("port:22,80", vec!["web-2"]),
        ("port:400..500", vec!["web-1"]),
        ("port>22", vec!["web-1"]),
        ("user:POST* role:web_server", vec!["web-2"]),
        ("cert.expires<30d", vec!["web-1"]),
        ("cert.expires>30d", vec![]),
        ("virtual:kvm", vec!["web-1"]),
        ("not virtual:*", vec!["db_1", "pc%1", "web-2"]),
        ("disk.percent>=93.5", vec!["web-1"]),
        ("disk.percent<50", vec!["web-2"]),
        ("uptime>30d", vec!["web-1"]),
        ("cpu.percent>0", vec![]),
        ("name:\"x' or 1=1 --\"", vec![]),
    ] {
        let condition = selector.parse::<Selector>().unwrap().condition(&app.selectors.env());
        assert_eq!(select(app, condition).await, expected, "{selector}");
    }
}

const WORDS: [&str; 8] = ["web", "db", "Web-1", "a_b", "10%", "ä", "x.y", "lab"];

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(&WORDS[..]).prop_map(String::from)
}

fn fake(now: DateTime<Utc>) -> impl Strategy<Value = Fake> {
    let version = || prop::sample::select(&["", "12", "12.4", "13", "24.04", "1.0-rc1", "1.0"][..]);
    let address =
        prop::sample::select(&["10.1.2.3", "10.2.0.1", "192.168.1.9", "fd00::1", "not-an-address"][..]);
    let os = prop::sample::select(&[("linux", "debian"), ("linux", "ubuntu"), ("windows", "windows")][..]);
    let state = prop::sample::select(&["approved", "pending", "rejected"][..]);
    let first = (word(), os, version(), version(), state, any::<bool>(), 0..10i32);
    let second = (
        (0..40i64).prop_map(|n| n << 30),
        0..60i64,
        prop::option::of(0..60i64),
        prop::collection::btree_set(word(), 0..3),
        prop::collection::btree_set(address, 0..3),
        prop::collection::btree_set(prop::sample::select(&["os", "packages"][..]), 0..2),
    );
    (first, second, inventory(now)).prop_map(
        move |(
            (name, os, os_version, agent_version, state, online, cpus),
            (memory, created, seen, tags, addresses, sections),
            (packages, items, disk_percent),
        )| Fake {
            packages,
            items,
            disk_percent: disk_percent.map(|n| f64::from(n) / 2.0),
            updates: (cpus % 4, cpus % 2),
            reboot: online,
            notes: name.to_uppercase(),
            name,
            os,
            os_version: os_version.into(),
            agent_version: agent_version.into(),
            state,
            online,
            cpus,
            memory,
            created: now - Duration::days(created),
            seen: seen.map(|days| now - Duration::days(days)),
            tags: tags.into_iter().collect(),
            addresses: addresses.into_iter().map(Into::into).collect(),
            sections: sections.into_iter().map(Into::into).collect(),
        },
    )
}

type Inventory = (
    Vec<(&'static str, &'static str)>,
    Vec<(&'static str, &'static str, &'static str, Option<i64>)>,
    Option<i32>,
);

fn inventory(now: DateTime<Utc>) -> impl Strategy<Value = Inventory> {
    let package = (
        prop::sample::select(&["openssl", "nginx", "Lib_X", "lib%y"][..]),
        prop::sample::select(&["1.0", "1.0~rc1", "1.0-1", "2:0.1", "", "10"][..]),
    );
    let item = (
        prop::sample::select(&["service", "socket", "user", "role", "certificate", "virtual"][..]),
        prop::sample::select(&["nginx", "ssh", "kvm", "ä"][..]),
        prop::sample::select(&["running", "failed", ""][..]),
        prop::option::of(prop_oneof![
            (0..100i64),
            (-50..50i64).prop_map(move |d| now.timestamp() + d * 86_400)
        ]),
    );
    (prop::collection::vec(package, 0..3), prop::collection::vec(item, 0..4), prop::option::of(0..200i32))
}

/// A term on inventories and figures.
fn deep() -> impl Strategy<Value = String> {
    let op = || prop::sample::select(&["<", "<=", ">", ">="][..]);
    let name = prop::sample::select(&["openssl", "nginx", "lib*", "*", "LIB_X", "*%*"][..]);
    let version = prop::sample::select(&["1.0", "1", "1.0-1", "0", "9"][..]);
    prop_oneof![
        name.clone().prop_map(|n| format!("package:{n}")),
        (name.clone(), op(), version).prop_map(|(n, o, v)| format!("package:{n}{o}{v}")),
        name.prop_map(|n| format!("package:{n}=1.*,ssh")),
        (op(), 0..100i32).prop_map(|(o, n)| format!("port{o}{n}.5")),
        (0..50i32, 0..100i32).prop_map(|(a, b)| format!("port:{a}..{b}")),
        (op(), 0..60i32).prop_map(|(o, n)| format!("cert.expires{o}{n}d")),
        (op(), 0..100i32).prop_map(|(o, n)| format!("disk.percent{o}{n}.5")),
        (op(), 0..100i32).prop_map(|(o, n)| format!("uptime{o}{n}d")),
        prop::sample::select(
            &[
                "service:nginx",
                "service:*=failed,ssh=running",
                "user:nginx",
                "user!=n*",
                "role:ssh",
                "virtual:kvm,ä",
                "cert.expires:0d..30d",
                "cert.expires<2030-01-01",
                "port:22,443",
                "memory.percent>0"
            ][..]
        )
        .prop_map(String::from),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let text = prop::sample::select(
        &["name", "hostname", "tag", "os", "os.version", "agent.version", "notes", "has", "kernel"][..],
    );
    let glob = prop_oneof![
        word(),
        word().prop_map(|w| format!("*{}*", w.chars().take(1).collect::<String>())),
        Just("*".into()),
        Just("?eb*".into()),
        Just("debian".into()),
        Just("12*".into())
    ];
    let op = || prop::sample::select(&["<", "<=", ">", ">="][..]);
    let days = || prop_oneof![(0..60i64).prop_map(|d| format!("{d}d")), Just("2026-01-01".into())];
    prop_oneof![
        (text, prop::collection::vec(glob, 1..3)).prop_map(|(f, v)| format!(
            "{f}:{}",
            v.iter().map(|v| format!("\"{v}\"")).collect::<Vec<_>>().join(",")
        )),
        (
            prop::sample::select(&["os.version", "agent.version"][..]),
            op(),
            prop::sample::select(&["12", "12.4", "1.0", "24", "1.0-rc1"][..])
        )
            .prop_map(|(f, o, v)| format!("{f}{o}{v}")),
        (op(), 0..10i32).prop_map(|(o, n)| format!("cpus{o}{n}.5")),
        (0..10i32, 0..10i32).prop_map(|(a, b)| format!("cpus:{a}..{b}")),
        (op(), 0..40i32).prop_map(|(o, n)| format!("memory{o}{n}GiB")),
        (prop::sample::select(&["created", "last_seen"][..]), op(), days())
            .prop_map(|(f, o, v)| format!("{f}{o}{v}")),
        (0..30i64, 0..60i64).prop_map(|(a, b)| format!("last_seen:{a}d..{b}d")),
        prop::sample::select(
            &[
                "state:approved",
                "updates>0",
                "security:1..3",
                "needs:reboot",
                "needs!=update,security",
                "state:pending,rejected",
                "online:yes",
                "online!=yes",
                "all",
                "web",
                "address:10.0.0.0/8",
                "address:fd00::/8,192.168.*",
                "address:10.1.2.3",
                "address!=0.0.0.0/0"
            ][..]
        )
        .prop_map(String::from),
    ]
}

fn selector() -> impl Strategy<Value = String> {
    prop_oneof![2 => term(), 1 => deep()].prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|s| format!("not ({s})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|v| format!("({})", v.join(" "))),
            prop::collection::vec(inner, 2..4).prop_map(|v| format!("({})", v.join(" or "))),
        ]
    })
}

/// Runs on SQLite, and on PostgreSQL where `SYSMANAGE_TEST_POSTGRES_URL` names a server.
#[tokio::test]
async fn the_database_and_the_evaluator_select_the_same_machines() {
    let mut hosts = vec![TestHost::start_with(|config| config.database.url = String::new()).await];
    if std::env::var("SYSMANAGE_TEST_POSTGRES_URL").is_ok() {
        hosts.push(TestHost::start().await);
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(RunnerConfig::default(), rng);
    let now = host::now(&hosts[0]);
    let fleet = prop::collection::vec(fake(now), 60).new_tree(&mut runner).unwrap().current();
    let selectors = prop::collection::vec(selector(), 400).new_tree(&mut runner).unwrap().current();
    let ctx = Ctx::system("test");
    for host in &hosts {
        let app = &host.host.app;
        let mut ids = Vec::new();
        for machine in &fleet {
            ids.push(machine.insert(&app.db).await);
        }
        let facts = app.machines.facts(&ctx, &ids).await.unwrap();
        assert_eq!(facts.len(), fleet.len());
        let env = app.selectors.env();
        let mut selected = 0;
        for text in &selectors {
            let selector: Selector = text.parse().unwrap();
            let expected: BTreeSet<Uuid> =
                facts.iter().filter(|f| selector.matches(f, &env)).map(|f| f.id).collect();
            for env in [&env, &env.row_by_row()] {
                let condition = selector.condition(env);
                let query = Query::select().column("id").from("machines").cond_where(condition).to_owned();
                let rows = app.db.read().query_all(&query).await.unwrap();
                let found: BTreeSet<Uuid> = rows.iter().map(|row| row.try_get("", "id").unwrap()).collect();
                assert_eq!(found, expected, "{text} on {:?}", app.db.backend());
            }
            selected += expected.len();
        }
        assert!(selected > 1000, "the selectors select too little to say anything: {selected}");
    }
}

#[tokio::test]
async fn a_saved_search_is_used_by_name_and_never_leads_back_to_itself() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let app = &host.host.app;
    let now = host::now(&host);
    Fake::new("web-1", now).tagged(&["web"]).insert(&app.db).await;
    Fake::new("db-1", now).insert(&app.db).await;
    let save = async |token: &str, name: &str, selector: &str, shared: bool| {
        host.post("/api/v1/searches", token, json!({"name": name, "selector": selector, "shared": shared}))
            .await
    };
    let web = save(&admin, "web", "TAG:web", true).await;
    assert_eq!((web.status.as_u16(), web.body["selector"].as_str()), (201, Some("tag:web")));
    assert_eq!(save(&admin, "rest", "not search:web", true).await.status, 201);
    let names = async |token: &str, q: &str| {
        let answer = host.get(&format!("/api/v1/machines?q={}", q.replace(' ', "%20")), token).await;
        let items = answer.body["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&admin, "search:rest").await, ["db-1"]);
    assert_eq!(names(&admin, "search:web,rest").await.len(), 2);
    let id = web.body["id"].as_str().unwrap();
    let change = host
        .call(
            reqwest::Method::PATCH,
            &format!("/api/v1/searches/{id}"),
            &admin,
            json!({"selector": "search:rest"}),
        )
        .await;
    change.problem(422, "search_cycle");
    let deleted =
        host.call(reqwest::Method::DELETE, &format!("/api/v1/searches/{id}"), &admin, json!(null)).await;
    deleted.problem(409, "search_in_use");
    save(&admin, "web", "all", true).await.problem(409, "name_taken");
    save(&admin, "No", "all", true).await.problem(422, "invalid");
    let unknown = host.get("/api/v1/machines?q=search:gone", &admin).await;
    unknown.problem(422, "bad_selector");
    assert_eq!((&unknown.body["at"], &unknown.body["reason"]), (&json!(8), &json!("unknown_search")));

    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    save(&viewer, "mine", "db", true).await.problem(403, "forbidden");
    assert_eq!(save(&viewer, "mine", "db search:rest", false).await.status, 201);
    assert_eq!(names(&viewer, "search:mine").await, ["db-1"]);
    // A private search is its owner's on every route that takes a selector.
    for path in ["machines", "metrics", "software", "updates", "changes", "machines/facets"] {
        let answer = host.get(&format!("/api/v1/{path}?q=search:mine"), &admin).await;
        assert_eq!(answer.status, 422, "{path}: {:?}", answer.body);
    }
    host.get("/api/v1/machines?q=search:mine", &admin).await.problem(422, "bad_selector");
    let listed = host.get("/api/v1/searches", &admin).await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    save(&admin, "theirs", "search:mine", true).await.problem(422, "bad_selector");
}

#[tokio::test]
async fn what_a_role_reaches_is_changed_by_who_manages_roles_only() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let search = json!({"name": "reach", "selector": "tag:web", "shared": true});
    let search = host.post("/api/v1/searches", &admin, search).await.body;
    let role = json!({"name": "web", "permissions": ["machines:read"], "scope": "search:reach"});
    assert_eq!(host.post("/api/v1/roles", &admin, role).await.status, 201);
    let missing = json!({"name": "no", "permissions": ["machines:read"], "scope": "search:gone"});
    host.post("/api/v1/roles", &admin, missing).await.problem(422, "bad_selector");
    let operator = host.user(&admin, "oda", &["operator"]).await;
    let path = format!("/api/v1/searches/{}", search["id"].as_str().unwrap());
    let patch = async |token: &str, body| host.call(reqwest::Method::PATCH, &path, token, body).await;
    patch(&operator, json!({"selector": "all"})).await.problem(403, "forbidden");
    assert_eq!(patch(&operator, json!({"description": "Web"})).await.status, 200);
    patch(&admin, json!({"shared": false})).await.problem(409, "search_in_use");
    assert_eq!(patch(&admin, json!({"selector": "tag:www"})).await.status, 200);
    let entries = host.get("/api/v1/audit?entity_kind=search", &admin).await.body;
    assert_eq!(entries["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn checking_and_completing_help_to_write_a_selector() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let (app, now) = (&host.host.app, host::now(&host));
    Fake::new("web-1", now).tagged(&["web", "weekly"]).insert(&app.db).await;
    Fake { os: ("linux", "ubuntu"), ..Fake::new("db-1", now).tagged(&["db"]) }.insert(&app.db).await;
    let role = json!({"name": "web", "permissions": ["machines:read"], "scope": "tag:web"});
    assert_eq!(host.post("/api/v1/roles", &admin, role).await.status, 201);
    let scoped = host.user(&admin, "wes", &["web"]).await;
    let check = async |token: &str, text: &str| {
        host.post("/api/v1/selector/check", token, json!({"text": text})).await.body
    };
    let good = check(&admin, "os:linux AND -(tag:web)").await;
    assert_eq!((&good["valid"], &good["machines"]), (&json!(true), &json!(1)));
    assert_eq!(good["canonical"], "os:linux not tag:web");
    assert_eq!(check(&scoped, "os:linux").await["machines"], 1);
    let bad = check(&admin, "os:linux tga:web").await;
    let problem = &bad["problem"];
    assert_eq!((&bad["valid"], &problem["at"], &problem["length"]), (&json!(false), &json!(10), &json!(7)));
    assert_eq!((&problem["reason"], &problem["suggestion"]), (&json!("unknown_field"), &json!("tag:web")));
    let complete = async |token: &str, text: &str| {
        let body = host.post("/api/v1/selector/complete", token, json!({"text": text})).await.body;
        let texts: Vec<String> = body["suggestions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["text"].as_str().unwrap().into())
            .collect();
        (body["from"].as_u64().unwrap(), texts)
    };
    assert_eq!(complete(&admin, "tag:we").await, (4, vec!["web".into(), "weekly".into()]));
    assert_eq!(complete(&admin, "os:debian,u").await, (10, vec!["ubuntu".into()]));
    assert_eq!(complete(&scoped, "os:").await.1, ["debian"]);
    assert!(!complete(&scoped, "tag:").await.1.contains(&"db".to_owned()));
    assert_eq!(complete(&admin, "tag:web -stat").await, (9, vec!["state:".into()]));
    assert_eq!(complete(&admin, "state:p").await.1, ["pending"]);
    let fields = host.get("/api/v1/selector/fields", &admin).await.body;
    for field in fields.as_array().unwrap() {
        for example in field["examples"].as_array().unwrap() {
            let text = example.as_str().unwrap();
            if !text.contains("search:") {
                assert_eq!(check(&admin, text).await["valid"], true, "{text}");
            }
        }
    }
}

#[tokio::test]
async fn changed_facts_are_found_by_their_new_versions_and_addresses() {
    let host = crate::agent_host::AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut hello = agent_sim::hello(&identity);
    hello.facts.os_version = "13.1".into();
    hello.facts.addresses = vec!["10.9.8.7".into(), "fe80::1%eth0".into()];
    let mut link = agent_sim::Link::open(&host.server, Some(&identity)).await.unwrap();
    link.say(hello).await.unwrap();
    let ctx = crate::agent_host::ctx();
    crate::agent_host::until("found", || async {
        host.app.machines.count(&ctx, "os.version>13 address:10.9.0.0/16 address:fe80::/64").await.unwrap()
            == 1
    })
    .await;
    let change = MachineChange { notes: Some("Rack 7".into()), ..MachineChange::default() };
    host.app.machines.update(&ctx, id, change).await.unwrap();
    let query = MachineQuery {
        selector: Some("notes:*rack*".parse().unwrap()),
        limit: 10,
        ..MachineQuery::default()
    };
    assert_eq!(host.app.machines.list(&ctx, query).await.unwrap().items.len(), 1);
    let _: Arc<App> = host.app.clone();
}

#[test]
fn versions_sort_as_dpkg_sorts_them() {
    let versions = [
        "1.0",
        "1.0-1",
        "1.0~rc1-1",
        "1.0~~",
        "1.0a",
        "1.0+b1",
        "1:0.1",
        "0:1.0-1",
        "2.0.10",
        "2.0.9",
        "2.0.09-0",
        "1.0-1+deb12u3",
        "1.0-1+deb12u12",
        "3.0.11-1~deb12u2",
        "3.0.2-0ubuntu1.10",
        "7.4.052-1",
        "20230311",
        "a",
        "a0",
    ];
    for a in versions {
        for b in versions {
            let order = version::debian_key(a).cmp(&version::debian_key(b));
            let op = match order {
                std::cmp::Ordering::Less => "lt",
                std::cmp::Ordering::Equal => "eq",
                std::cmp::Ordering::Greater => "gt",
            };
            let said = std::process::Command::new("dpkg")
                .args(["--compare-versions", a, op, b])
                .stderr(std::process::Stdio::null())
                .status()
                .unwrap();
            assert!(said.success(), "{a} {op} {b}");
        }
    }
    assert!(version::plain_key("1.4.0-rc1") < version::plain_key("1.4.0"));
}
