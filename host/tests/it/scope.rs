//! A role's scope holds everywhere: who reaches `tag:web` neither sees nor touches nor counts another machine, on any
//! route of the document, in the audit log, or in the stream of events.

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sysmanage::{
    ctx::Ctx,
    http::{openapi::Document, router},
    machines::MachineChange,
    operations::{NewOperation, Targets},
};
use uuid::Uuid;

use crate::{
    host::{self, TestHost},
    inventory::{package, tell},
    selector::Fake,
};

struct Fleet {
    host: TestHost,
    /// Someone with every permission on `tag:web`.
    token: String,
    inside: Uuid,
    outside: Uuid,
    /// An operation on the outside machine, and one on both.
    operations: [Uuid; 2],
    /// The outside machine's task of the second.
    task: Uuid,
    /// What no answer may hold.
    secrets: Vec<String>,
}

async fn fleet() -> Fleet {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let app = &host.host.app;
    let now = host::now(&host);
    let inside = Fake::new("inside-1", now).tagged(&["web"]).insert(&app.db).await;
    let outside = Fake {
        addresses: vec!["10.66.77.88".into()],
        os: ("plan9", "plan9"),
        os_version: "4.4.4".into(),
        notes: "zebra-notes".into(),
        sections: vec!["zebra-section".into()],
        updates: (5, 3),
        ..Fake::new("zebra-1", now).tagged(&["zebra-tag"])
    };
    let outside = outside.insert(&app.db).await;
    tell_inventories(&host, inside, outside).await;
    let ctx = Ctx::system("test");
    let change = MachineChange { notes: Some("zebra-notes-2".into()), ..MachineChange::default() };
    app.machines.update(&ctx, outside, change).await.unwrap();
    let mut operations = Vec::new();
    for machines in [vec![outside], vec![inside, outside]] {
        let new = NewOperation::core("core.ping", "Ping", Targets::Machines(machines));
        operations.push(app.operations.create(&ctx, new).await.unwrap());
    }
    let tasks = app.operations.tasks(&ctx, operations[1], &[], None, 10).await.unwrap().items;
    let task = tasks.iter().find(|t| t.machine_id == outside).unwrap().id;
    let role = json!({"name": "web", "permissions": ["*"], "scope": "tag:web"});
    assert_eq!(host.post("/api/v1/roles", &admin, role).await.status, 201);
    let token = host.user(&admin, "wes", &["web"]).await;
    let secrets = vec![
        outside.to_string(),
        outside.simple().to_string(),
        operations[0].to_string(),
        task.to_string(),
        "zebra".into(),
        "plan9".into(),
        "10.66.77.88".into(),
        "4.4.4".into(),
    ];
    let operations = [operations[0], operations[1]];
    Fleet { host, token, inside, outside, operations, task, secrets }
}

/// Both have the title `shared`; whatever else the outside machine has, and its version, is called after a zebra.
async fn tell_inventories(host: &TestHost, inside: Uuid, outside: Uuid) {
    for version in ["1", "2"] {
        let list = [package("shared", version)];
        tell(host, inside, "packages", json!({"packages": list})).await;
        let zebras = [package("shared", &format!("{version}-zebra")), package("zebra-tool", version)];
        tell(host, outside, "packages", json!({"packages": zebras})).await;
    }
    tell(host, inside, "updates", json!({"updates": [package("shared", "3")]})).await;
    let zebras = [package("shared", "3-zebra"), package("zebra-tool", "3")];
    tell(host, outside, "updates", json!({"updates": zebras})).await;
    let service = json!({"key": "zebra.service", "name": "zebra.service", "state": "failed"});
    tell(host, outside, "services", json!({"services": [service]})).await;
    let user = json!({"key": "zebra-user", "name": "zebra-user", "uid": 4444});
    tell(host, outside, "users", json!({"users": [user]})).await;
}

/// Methods and paths of the document.
fn routes() -> Vec<(Method, String)> {
    let document = Document::of(&router::document()).0;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.extend(method.to_uppercase().parse().ok().map(|method| (method, path.clone())));
        }
    }
    routes
}

impl Fleet {
    /// The path about the outside machine, its operation and its task.
    fn about_outside(&self, template: &str) -> Vec<String> {
        let filled = |id: &Uuid| {
            let path = template.replacen("{id}", &id.to_string(), 1);
            let path = path.replace("{section}", "zebra-section").replace("{name}", "web");
            path.split('{').next().unwrap().to_owned()
        };
        match template {
            t if t.starts_with("/api/v1/machines/") => vec![filled(&self.outside)],
            t if t.starts_with("/api/v1/operations/{id}") => vec![filled(&self.operations[0])],
            t if t.starts_with("/api/v1/tasks/") => vec![filled(&self.task)],
            t if t.contains("{software}") => {
                ["shared", "zebra-tool"].map(|s| t.replace("{software}", s)).into()
            }
            // Numbers of updates: those of both machines, and some that are nobody's.
            t if t.contains("{update}") => (0..6).map(|n| t.replace("{update}", &n.to_string())).collect(),
            t => vec![filled(&Uuid::nil()), filled(&self.outside)]
                .into_iter()
                .map(|path| if t.contains("{id}") { path } else { filled(&Uuid::nil()) })
                .collect(),
        }
    }

    /// No answer names anything of the outside machine, but for what the caller said.
    fn assert_silent(&self, what: &str, said: &str, answer: &Value) {
        let text = answer.to_string();
        for secret in self.secrets.iter().filter(|s| !said.contains(s.as_str())) {
            assert!(!text.contains(secret.as_str()), "{what} tells {secret}: {text}");
        }
    }
}

#[tokio::test]
async fn no_route_tells_anything_of_a_machine_outside_the_scope() {
    let fleet = fleet().await;
    let mut asked = 0;
    for (method, template) in routes() {
        if method != Method::GET || template == "/api/v1/events" {
            continue;
        }
        let mut paths = fleet.about_outside(&template);
        if !template.contains('{') {
            let outside = fleet.outside;
            paths.push(format!("{template}?machine={outside}&limit=500"));
            paths.push(format!("{template}?q=all&limit=500"));
            paths.push(format!("{template}?entity_id={outside}"));
            paths.extend(SEARCHES.map(|search| format!("{template}?{search}&limit=500")));
        }
        for path in paths {
            let answer = fleet.host.get(&path, &fleet.token).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.body);
            fleet.assert_silent(&path, &path, &answer.body);
            if path.contains("/software/zebra-tool") {
                assert_eq!(answer.status, 404, "{path}");
            }
            let owned = ["/api/v1/machines/", "/api/v1/operations/", "/api/v1/tasks/"];
            if template.contains("{id}") && owned.iter().any(|o| template.starts_with(o)) {
                assert_eq!(answer.status, 404, "{path}");
            }
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
}

/// Ways to ask for what only the outside machine has.
const SEARCHES: [&str; 5] = [
    "search=zebra",
    "q=package:zebra-tool",
    "q=service:zebra.service=failed",
    "sort=-machines",
    "security=true",
];

/// What one who reaches the inner machine counts.
#[tokio::test]
async fn software_updates_and_changes_are_counted_within_the_scope() {
    let fleet = fleet().await;
    let items = async |path: &str| fleet.host.get(path, &fleet.token).await.body["items"].clone();
    let software = items("/api/v1/software").await;
    assert_eq!((&software[0]["name"], &software[0]["machines"]), (&json!("shared"), &json!(1)));
    assert_eq!(software.as_array().unwrap().len(), 1);
    let shared = fleet.host.get("/api/v1/software/shared", &fleet.token).await.body;
    assert_eq!(shared["installed"], json!([{"version": "2", "arch": "amd64", "machines": 1}]));
    let updates = items("/api/v1/updates").await;
    assert_eq!(updates.as_array().unwrap().len(), 1);
    let on = items(&format!("/api/v1/updates/{}/machines", updates[0]["id"])).await;
    assert_eq!(on.as_array().unwrap().len(), 1);
    let changes = items("/api/v1/changes").await;
    assert!(changes.as_array().unwrap().iter().all(|c| c["machine_id"] == json!(fleet.inside)), "{changes}");
    assert!(!changes.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn no_route_touches_a_machine_outside_the_scope() {
    let fleet = fleet().await;
    let app = &fleet.host.host.app;
    let ctx = Ctx::system("test");
    let before = app.machines.get(&ctx, fleet.outside).await.unwrap();
    let body = json!({
        "selector": "all", "add": ["taken"], "most": 10, "name": "taken", "notes": "taken", "tags": ["taken"],
        "machines": [fleet.outside], "old": fleet.outside, "command": "core.ping", "text": "all", "tasks": [fleet.task],
    });
    for (method, template) in routes() {
        let about_machines = ["machines", "operations", "tasks", "tags"]
            .iter()
            .any(|slice| template.starts_with(&format!("/api/v1/{slice}")));
        if method == Method::GET || !about_machines {
            continue;
        }
        for path in fleet.about_outside(&template) {
            // As much of the body as the route takes: unknown members are refused.
            for body in [
                body.clone(),
                pick(&body, &["selector", "add"]),
                pick(&body, &["selector", "most"]),
                pick(&body, &["notes"]),
                pick(&body, &["old"]),
                pick(&body, &["command", "machines"]),
                pick(&body, &["tasks"]),
                json!({}),
            ] {
                let answer = fleet.host.call(method.clone(), &path, &fleet.token, body).await;
                assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.body);
                if template.contains("{id}") {
                    assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.body);
                }
            }
        }
    }
    let after = app.machines.get(&ctx, fleet.outside).await.unwrap();
    assert_eq!(serde_json::to_value(before).unwrap(), serde_json::to_value(after).unwrap());
    let page = app.operations.list(&ctx, Default::default(), None, 100).await.unwrap();
    for operation in page.items {
        for task in app.operations.tasks(&ctx, operation.id, &[], None, 100).await.unwrap().items {
            let made_before = fleet.operations.contains(&operation.id);
            assert!(
                task.machine_id == fleet.inside || made_before,
                "an operation reached the outside machine"
            );
            assert!(task.machine_id == fleet.inside || !task.cancel_requested, "its task was cancelled");
        }
    }
}

fn pick(body: &Value, members: &[&str]) -> Value {
    members.iter().map(|m| ((*m).to_owned(), body[*m].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn an_operation_on_both_machines_shows_and_counts_the_inner_one_only() {
    let fleet = fleet().await;
    let get = async |path: &str| fleet.host.get(path, &fleet.token).await.body;
    let list = get("/api/v1/operations").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["id"], &items[0]["total"]), (&json!(fleet.operations[1]), &json!(1)));
    let tasks = get(&format!("/api/v1/operations/{}/tasks", fleet.operations[1])).await;
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1);
    assert_eq!(tasks["items"][0]["machine_id"], json!(fleet.inside));
    let path = format!("/api/v1/operations/{}/cancel", fleet.operations[1]);
    let cancelled = fleet.host.post(&path, &fleet.token, json!({})).await;
    assert_eq!(cancelled.body["open"], 1);
    let checked = fleet.host.post("/api/v1/selector/check", &fleet.token, json!({"text": "all"})).await.body;
    assert_eq!(checked["machines"], 1);
    let tags = get("/api/v1/tags").await;
    assert_eq!(
        tags,
        json!([{"name": "web", "colour": "", "description": "", "selector": null, "machines": 1}])
    );
}

#[tokio::test]
async fn the_stream_of_events_is_silent_about_a_machine_outside_the_scope() {
    let fleet = fleet().await;
    let app = &fleet.host.host.app;
    let response = fleet.host.request(Method::GET, "/api/v1/events", &fleet.token).send().await.unwrap();
    let mut stream = response.bytes_stream();
    let ctx = Ctx::system("test");
    for machine in [fleet.outside, fleet.inside] {
        let new = NewOperation::core("core.ping", "Ping", Targets::Machines(vec![machine]));
        app.operations.create(&ctx, new).await.unwrap();
        let change = MachineChange { notes: Some("changed".into()), ..MachineChange::default() };
        app.machines.update(&ctx, machine, change).await.unwrap();
    }
    let mut text = String::new();
    let read = async {
        while !text.contains("event: machine.updated") {
            text.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), read).await.unwrap();
    assert!(text.contains(&fleet.inside.to_string()), "{text}");
    fleet.assert_silent("the stream", "", &Value::String(text));
}
