//! Second factors: set up, asked for, and not to be guessed.

use chrono::Duration;
use data_encoding::BASE32_NOPAD;
use reqwest::Method;
use second_factor::totp;
use serde_json::{Value, json};

use crate::portal::{Answer, Customer, PASSWORD, TestPortal};

const OWN: &str = "/api/v1/me/second-factor";

/// The code that an authenticator with this secret shows now.
fn code(portal: &TestPortal, secret: &str) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    format!("{:06}", totp::code(&secret, totp::step_at(portal.now().timestamp())))
}

/// Set one up; its secret and its recovery codes.
async fn enrol(portal: &TestPortal, cookie: &str) -> (String, Vec<String>) {
    let begun = portal.post(OWN, cookie, json!({"password": PASSWORD})).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let secret = begun.body["secret"].as_str().unwrap().to_owned();
    assert!(begun.body["uri"].as_str().unwrap().contains(&secret));
    assert!(begun.body["qr_svg"].as_str().unwrap().starts_with("<svg "));
    let done = portal.post(&format!("{OWN}/confirm"), cookie, json!({"code": code(portal, &secret)})).await;
    assert_eq!(done.status, 200, "{}", done.text);
    // A code is good once; the next one comes in half a minute.
    portal.clock.advance(Duration::seconds(30));
    (secret, serde_json::from_value(done.body["items"].clone()).unwrap())
}

async fn password(portal: &TestPortal, name: &str) -> Answer {
    let body = json!({"email": format!("{name}@example.org"), "password": PASSWORD});
    portal.post("/api/v1/session", "", body).await
}

/// The token of a half-session.
async fn half(portal: &TestPortal) -> String {
    let half = password(portal, "marta").await;
    assert_eq!((half.status.as_u16(), &half.body["next"]), (202, &json!("code")), "{}", half.text);
    assert!(half.headers.get("set-cookie").is_none());
    half.body["half_session"].as_str().unwrap().to_owned()
}

async fn give(portal: &TestPortal, half: &str, code: &str) -> Answer {
    portal.post("/api/v1/session/code", "", json!({"half_session": half, "code": code})).await
}

async fn start() -> (TestPortal, Customer, String, Vec<String>) {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let (secret, codes) = enrol(&portal, &customer.cookie).await;
    (portal, customer, secret, codes)
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    let (portal, customer, secret, codes) = start().await;
    let half_session = half(&portal).await;
    // Half a session opens nothing.
    portal.get("/api/v1/me", &format!("session={half_session}")).await.problem(401, "unauthenticated");
    let shown = code(&portal, &secret);
    let whole = give(&portal, &half_session, &shown).await;
    assert_eq!(whole.status, 201, "{}", whole.text);
    assert_eq!(portal.get("/api/v1/me", &whole.cookie()).await.status, 200);
    give(&portal, &half_session, &shown).await.problem(401, "half_session_ended");
    give(&portal, &half(&portal).await, &shown).await.problem(401, "wrong_code");
    // A recovery code, as people type it.
    let typed = codes[0].replace('-', " ").to_uppercase();
    assert_eq!(give(&portal, &half(&portal).await, &typed).await.status, 201);
    give(&portal, &half(&portal).await, &codes[0]).await.problem(401, "wrong_code");
    let own = portal.get(OWN, &customer.cookie).await;
    assert_eq!(own.body, json!({"enabled": true, "required": false, "recovery_codes_left": 9}));
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let (portal, _, secret, _) = start().await;
    let first = half(&portal).await;
    for _ in 0..4 {
        give(&portal, &first, "000000").await.problem(401, "wrong_code");
    }
    // The password being right does not forget what was guessed.
    let second = half(&portal).await;
    give(&portal, &second, "000000").await.problem(401, "wrong_code");
    let locked = give(&portal, &second, &code(&portal, &secret)).await;
    locked.problem(429, "login_locked");
    assert!(locked.headers.contains_key("retry-after"));
    password(&portal, "marta").await.problem(429, "login_locked");
    portal.clock.advance(Duration::minutes(70));
    assert_eq!(give(&portal, &half(&portal).await, &code(&portal, &secret)).await.status, 201);
}

#[tokio::test]
async fn a_half_session_takes_five_codes_and_ten_minutes() {
    let portal = TestPortal::start_with(|config| config.auth.free_failures = 100).await;
    let customer = portal.customer("marta").await;
    let (secret, _) = enrol(&portal, &customer.cookie).await;
    let token = half(&portal).await;
    let all = (0..8).map(|_| give(&portal, &token, "000000"));
    let codes: Vec<String> = futures_util::future::join_all(all)
        .await
        .into_iter()
        .map(|answer| answer.body["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes.iter().filter(|code| *code == "wrong_code").count(), 5, "{codes:?}");
    give(&portal, &token, &code(&portal, &secret)).await.problem(401, "half_session_ended");
    let token = half(&portal).await;
    portal.clock.advance(Duration::minutes(10));
    give(&portal, &token, &code(&portal, &secret)).await.problem(401, "half_session_ended");
    give(&portal, "made up", "123456").await.problem(401, "half_session_ended");
}

#[tokio::test]
async fn one_in_force_is_not_replaced_and_goes_with_the_password_only() {
    let (portal, customer, secret, codes) = start().await;
    let cookie = &customer.cookie;
    portal.post(OWN, cookie, json!({"password": PASSWORD})).await.problem(409, "second_factor_already");
    portal.post(OWN, cookie, json!({"password": "wrong"})).await.problem(403, "wrong_password");
    let off = portal.call(Method::DELETE, OWN, cookie, json!({"password": "wrong"})).await;
    off.problem(403, "wrong_password");
    let renewed = portal.post(&format!("{OWN}/codes"), cookie, json!({"password": PASSWORD})).await;
    let renewed: Vec<String> = serde_json::from_value(renewed.body["items"].clone()).unwrap();
    assert_eq!(renewed.len(), 10);
    give(&portal, &half(&portal).await, &codes[1]).await.problem(401, "wrong_code");
    assert_eq!(give(&portal, &half(&portal).await, &renewed[1]).await.status, 201);
    let off = portal.call(Method::DELETE, OWN, cookie, json!({"password": PASSWORD})).await;
    assert_eq!(off.status, 204, "{}", off.text);
    assert_eq!(password(&portal, "marta").await.status, 201);
    let confirm = format!("{OWN}/confirm");
    let confirmed = portal.post(&confirm, cookie, json!({"code": code(&portal, &secret)})).await;
    confirmed.problem(409, "no_second_factor");
}

#[tokio::test]
async fn setting_one_up_ends_the_other_sessions() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let other = password(&portal, "marta").await.cookie();
    enrol(&portal, &customer.cookie).await;
    portal.get("/api/v1/me", &other).await.problem(401, "unauthenticated");
    assert_eq!(portal.get("/api/v1/me", &customer.cookie).await.status, 200);
}

#[tokio::test]
async fn staff_need_one_where_the_configuration_says_so() {
    let portal = TestPortal::start_with(|config| config.auth.staff_second_factor = true).await;
    let staff = portal.staff("vera").await;
    portal.get("/api/v1/vendor/customers", &staff).await.problem(403, "second_factor_required");
    let page = portal.get("/account", &staff).await;
    assert!(page.text.contains("pages open once you have set up"), "{}", page.text);
    enrol(&portal, &staff).await;
    assert_eq!(portal.get("/api/v1/vendor/customers", &staff).await.status, 200);
    let off = portal.call(Method::DELETE, OWN, &staff, json!({"password": PASSWORD})).await;
    off.problem(403, "second_factor_required");
    // The operator takes away what was lost; sessions end with it.
    let operator = portal::ctx::Ctx::operator();
    portal.portal.app.accounts.reset_second_factor(&operator, "vera@example.org").await.unwrap();
    portal.get("/api/v1/me", &staff).await.problem(401, "unauthenticated");
    let again = password(&portal, "vera").await.cookie();
    portal.get("/api/v1/vendor/customers", &again).await.problem(403, "second_factor_required");
}

#[tokio::test]
async fn pages_set_it_up_and_ask_for_it_without_script() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let begun = portal.form("/account/second-factor", &customer.cookie, &[("password", PASSWORD)]).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let secret = begun.text.split("Secret: <code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(begun.text.contains("<svg ") && !begun.text.contains("<script"));
    let path = "/account/second-factor/confirm";
    let done = portal.form(path, &customer.cookie, &[("code", &code(&portal, &secret))]).await;
    assert_eq!(done.text.matches("<li><code>").count(), 10, "{}", done.text);
    portal.clock.advance(Duration::seconds(30));
    let fields = [("email", "marta@example.org"), ("password", PASSWORD), ("next", "/organisations/x")];
    let asked = portal.form("/sign-in", "", &fields).await;
    let half = asked.text.split("name=\"half_session\" value=\"").nth(1).unwrap();
    let half = half.split('"').next().unwrap().to_owned();
    let fields =
        |code: String| [("half_session", half.clone()), ("next", "/organisations/x".into()), ("code", code)];
    let give = async |code: String| {
        let fields = fields(code);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        portal.form("/sign-in/code", "", &fields).await
    };
    let wrong = give("000000".into()).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("This code is wrong"), "{}", wrong.text);
    let entered = give(code(&portal, &secret)).await;
    assert_eq!((entered.status.as_u16(), entered.location()), (303, "/organisations/x"), "{}", entered.text);
    assert_eq!(portal.get("/api/v1/me", &entered.cookie()).await.status, 200);
}

#[tokio::test]
async fn the_secret_is_sealed_and_the_key_is_the_portals_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (portal, _, secret, codes) = start().await;
    let data = portal.folder.path().join("data");
    let key = std::fs::metadata(data.join("secrets.key")).unwrap();
    assert_eq!((key.len(), key.permissions().mode() & 0o777), (32, 0o600));
    let plain = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds(&plain) && !holds(codes[0].replace('-', "").as_bytes()), "{}", path.display());
    }
    let _: Value = portal.get("/api/v1/revocations", "").await.body;
}
