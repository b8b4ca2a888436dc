//! Who may use which route. The list is the router's own, so that no route is forgotten.

use portal::{
    ctx::{Permission, Role},
    http::{Access, RouteInfo, declared},
};
use reqwest::Method;
use serde_json::json;

use crate::portal::{TestPortal, send};

/// Routes of the API and pages with parameters filled in: the organisation's, and ids of nothing.
fn path(route: &RouteInfo, org: &str) -> String {
    let mut path = route.path.replace("{org}", org);
    for (name, value) in [
        ("{engine}", "nothing"),
        ("{sha256}", "none"),
        ("{version}", "1.0.0"),
        ("{target}", "none"),
        ("{token}", "none"),
        ("{file}", "none"),
    ] {
        path = path.replace(name, value);
    }
    for name in ["{id}", "{user}"] {
        path = path.replace(name, "00000000-0000-4000-8000-000000000000");
    }
    assert!(!path.contains('{'), "{path}");
    path
}

/// What a route answers to a body that it cannot read: whoever may not use it is told so before that.
async fn status(portal: &TestPortal, route: &RouteInfo, org: &str, as_whom: &str) -> u16 {
    let request = portal.request(route.method.clone(), &path(route, org), as_whom);
    let request = if route.method == Method::GET { request } else { request.body("{") };
    send(request.header("content-type", "application/json")).await.status.as_u16()
}

#[tokio::test]
async fn every_route_but_the_public_ones_asks_who_calls() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let routes = declared(&portal.portal.app);
    assert!(routes.len() > 80, "{}", routes.len());
    for route in &routes {
        for as_whom in ["", "spt_made-up", "session=made-up"] {
            let got = status(&portal, route, &customer.org, as_whom).await;
            let to_sign_in = got == 303 && !route.path.starts_with("/api/") && route.method == Method::GET;
            let closed = got == 401 || to_sign_in;
            let public = route.access == Access::Public;
            assert_eq!(!closed, public, "{} {} as {as_whom:?}: {got}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn public_routes_are_those_that_have_to_be() {
    let portal = TestPortal::start().await;
    let mut public: Vec<String> = declared(&portal.portal.app)
        .iter()
        .filter(|route| route.access == Access::Public)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    public.sort();
    let expected = [
        "GET /",
        "GET /api/v1/advisories",
        "GET /api/v1/engines",
        "GET /api/v1/engines/{engine}/releases",
        "GET /api/v1/engines/{engine}/screenshots",
        "GET /api/v1/floors",
        "GET /api/v1/openapi.json",
        "GET /api/v1/plans",
        "GET /api/v1/revocations",
        "GET /assets/portal.css",
        "GET /assets/portal.svg",
        "GET /engines/{engine}",
        "GET /images/{sha256}",
        "GET /invitations/{token}",
        "GET /sign-in",
        "GET /sign-up",
        "GET /tuf/metadata/{file}",
        "GET /tuf/targets/{file}",
        "POST /api/v1/session",
        "POST /api/v1/session/code",
        "POST /api/v1/sign-up",
        "POST /sign-in",
        "POST /sign-in/code",
        "POST /sign-up",
        "POST /webhooks/stripe",
    ];
    assert_eq!(public, expected);
}

#[tokio::test]
async fn every_route_lets_in_the_roles_it_names_and_no_others() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let stranger = portal.customer("stranger").await;
    let mut people = vec![(Role::Owner, owner.cookie.clone())];
    for role in [Role::Billing, Role::Technical] {
        people.push((role, portal.member(&owner, role.name(), role.name()).await));
    }
    for route in declared(&portal.portal.app) {
        let at = format!("{} {}", route.method, route.path);
        // Signing out would end the test's own session.
        if route.path.ends_with("/sign-out")
            || (route.path.ends_with("/session") && route.method == Method::DELETE)
        {
            continue;
        }
        match route.access {
            // Which licence opens what is asked by the service, and tested with downloads.
            Access::Public | Access::SignedIn | Access::Download => {}
            Access::Host => {
                assert_eq!(status(&portal, &route, &owner.org, &owner.cookie).await, 401, "{at}");
            }
            Access::Staff => {
                assert_eq!(status(&portal, &route, &owner.org, &owner.cookie).await, 403, "{at}");
            }
            Access::Member(permission) => {
                // A stranger is not told that there is such an organisation.
                assert_eq!(status(&portal, &route, &owner.org, &stranger.cookie).await, 404, "{at}");
                // Everybody may leave: who removes others is asked by the service.
                let leaves = route.method == Method::DELETE && route.path.ends_with("/members/{user}")
                    || route.path.ends_with("/members/{user}/remove");
                let permission = if leaves { Permission::MembersManage } else { permission };
                for (role, cookie) in &people {
                    let got = status(&portal, &route, &owner.org, cookie).await;
                    assert_eq!(got == 403, !role.allows(permission), "{at} as {role:?}: {got}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_vendors_staff_may_look_after_customers_but_are_no_members() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let staff = portal.staff("vera").await;
    assert_eq!(portal.get("/api/v1/vendor/customers", &staff).await.body["items"][0]["name"], "marta");
    let path = format!("/api/v1/organisations/{}/members", customer.org);
    portal.get(&path, &staff).await.problem(404, "not_found");
    // A token never carries the vendor's rights.
    let org = portal.post("/api/v1/organisations", &staff, json!({"name": "Vendor"})).await;
    let tokens = format!("/api/v1/organisations/{}/tokens", org.body["id"].as_str().unwrap());
    let made = portal.post(&tokens, &staff, json!({"name": "x"})).await;
    let token = made.body["secret"].as_str().unwrap();
    portal.get("/api/v1/vendor/customers", token).await.problem(403, "forbidden");
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let request = portal.request(Method::POST, "/api/v1/organisations", &customer.cookie);
    let request = request.header("origin", "https://evil.example").json(&json!({"name": "x"}));
    send(request).await.problem(403, "cross_origin");
    let request = portal.request(Method::POST, "/sign-in", "").header("sec-fetch-site", "cross-site");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(send(request.body("email=a&password=b")).await.status, 403);
}

#[tokio::test]
async fn input_that_makes_no_sense_is_the_clients_fault() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let staff = portal.staff("vera").await;
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b"{\"name\": \"\\u0000\\u202e\", \"id\": \"\"}",
        b"\xff\xfe\x00",
    ];
    for route in declared(&portal.portal.app) {
        if route.method == Method::GET || route.method == Method::DELETE || route.path.ends_with("/sign-out")
        {
            continue;
        }
        for body in bodies {
            for kind in ["application/json", "application/x-www-form-urlencoded"] {
                let as_whom = if route.access == Access::Staff { &staff } else { &customer.cookie };
                let request = portal.request(route.method.clone(), &path(&route, &customer.org), as_whom);
                let got = send(request.header("content-type", kind).body(body.to_vec())).await.status;
                assert!(!got.is_server_error(), "{} {} {body:?}: {got}", route.method, route.path);
            }
        }
    }
    let big = vec![b'"'; 2 * 1024 * 1024];
    let request =
        portal.request(Method::POST, "/api/v1/sign-up", "").header("content-type", "application/json");
    send(request.body(big)).await.problem(413, "body_too_large");
}
