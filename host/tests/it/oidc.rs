//! Signing in through a real OpenID provider (npm's `oidc-provider`), as a browser would.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use reqwest::{Method, StatusCode, Url, header};
use serde_json::{Value, json};
use sysmanage::config::{Config, Hidden, OidcConfig};

use crate::{access::browse, host::TestHost};

/// The provider; it ends with this.
struct Provider {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    issuer: String,
}

impl Provider {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
        assert!(
            folder.join("node_modules").is_dir(),
            "run `cargo xtask setup` first: the provider is missing"
        );
        let mut command = Command::new("node");
        command.arg("provider.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        let issuer = format!("http://127.0.0.1:{}", port.trim());
        Self { input: child.stdin.take().unwrap(), child, output, issuer }
    }

    /// Serve this host, with new keys and nobody signed in.
    fn serve(&mut self, host: &TestHost) {
        let base = format!("https://{}", host.host.http);
        let line = json!({"redirect": format!("{base}/api/v1/auth/oidc/corp/callback"), "logout": format!("{base}/")});
        writeln!(self.input, "{line}").unwrap();
        let mut ready = String::new();
        // What the provider remarks on its own settings comes first.
        while ready.trim() != "ready" {
            ready.clear();
            assert!(self.output.read_line(&mut ready).unwrap() > 0, "the provider ended");
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser: cookies by site, redirects one by one.
struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<(String, String), String>,
}

struct Seen {
    status: StatusCode,
    url: Url,
    location: Option<String>,
    set_cookies: Vec<String>,
    body: String,
}

impl Browser {
    fn new(host: &TestHost) -> Self {
        let authority = reqwest::Certificate::from_der(host.host.app.pki.authority.certificate()).unwrap();
        let none = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().tls_certs_only([authority]).redirect(none).build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    async fn visit(&mut self, method: Method, url: &str, form: Option<&str>) -> Seen {
        let url: Url = url.parse().unwrap();
        let site = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|((at, _), _)| *at == site)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self.client.request(method, url.clone()).header(header::COOKIE, cookies.join("; "));
        if let Some(form) = form {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.to_owned());
        }
        let response = request.send().await.unwrap();
        let set_cookies: Vec<String> = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap().to_owned())
            .collect();
        for cookie in &set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert((site.clone(), name.to_owned()), value.to_owned());
        }
        let location = response.headers().get(header::LOCATION).map(|v| v.to_str().unwrap().to_owned());
        let status = response.status();
        Seen { status, url, location, set_cookies, body: response.text().await.unwrap() }
    }

    /// Sign in at the provider as `who`, up to the address that leads back to the host.
    async fn journey(&mut self, host: &TestHost, who: &str) -> String {
        let start = format!("https://{}/api/v1/auth/oidc/corp/start?return_to=/machines", host.host.http);
        let mut seen = self.visit(Method::GET, &start, None).await;
        assert_eq!(seen.status, 303, "{}", seen.body);
        let back = format!("https://{}", host.host.http);
        for _ in 0..12 {
            if let Some(location) = &seen.location {
                let next = seen.url.join(location).unwrap().to_string();
                if next.starts_with(&back) {
                    return next;
                }
                seen = self.visit(Method::GET, &next, None).await;
                continue;
            }
            let prompt = if seen.body.contains("value=\"login\"") { "login" } else { "consent" };
            let form = format!("prompt={prompt}&login={who}&password=x");
            let url = seen.url.to_string();
            seen = self.visit(Method::POST, &url, Some(&form)).await;
        }
        panic!("the provider does not send the browser back: {}", seen.body);
    }

    /// The session's cookie.
    fn session(&self, host: &TestHost) -> String {
        let key = (host.host.http.to_string(), "__Host-session".to_owned());
        format!("__Host-session={}", self.cookies[&key])
    }

    /// Sign in whole, and answer where the host leads then.
    async fn sign_in(&mut self, host: &TestHost, who: &str) -> Seen {
        let back = self.journey(host, who).await;
        self.visit(Method::GET, &back, None).await
    }
}

async fn host_with(provider: &Provider, change: impl FnOnce(&mut OidcConfig)) -> TestHost {
    let mut corp = OidcConfig {
        name: "Company login".into(),
        issuer: provider.issuer.clone(),
        client_id: "sysmanage".into(),
        client_secret: Hidden("not a secret & odd: %".into()),
        scopes: vec!["profile".into(), "email".into(), "groups".into()],
        create_users: true,
        ..OidcConfig::default()
    };
    change(&mut corp);
    TestHost::start_with(|c: &mut Config| {
        c.http.public_name = "127.0.0.1".into();
        c.auth.oidc.insert("corp".into(), corp);
        c.check().unwrap();
    })
    .await
}

async fn me(host: &TestHost, browser: &Browser) -> Value {
    browse(host, &browser.session(host), Method::GET, "/api/v1/me", Value::Null).await.body
}

#[tokio::test]
async fn somebody_new_gets_a_user_and_the_roles_of_their_groups() {
    let mut provider = Provider::start();
    let host = host_with(&provider, |c| {
        c.roles = BTreeMap::from([("web".into(), vec!["operator".into(), "gone".into()])]);
        c.default_roles = vec!["viewer".into()];
        c.logout = true;
    })
    .await;
    provider.serve(&host);
    let admin = host.admin().await;
    let methods = host.get("/api/v1/auth/methods", "").await.body;
    let start = "/api/v1/auth/oidc/corp/start";
    assert_eq!(methods["oidc"], json!([{"id": "corp", "name": "Company login", "start": start}]));

    let mut browser = Browser::new(&host);
    let landed = browser.sign_in(&host, "ada").await;
    assert_eq!(
        (landed.status.as_u16(), landed.location.as_deref()),
        (303, Some("/machines")),
        "{}",
        landed.body
    );
    let session = landed.set_cookies.iter().find(|c| c.starts_with("__Host-session=")).unwrap();
    for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(session.contains(part), "{session}");
    }
    let ada = me(&host, &browser).await;
    assert_eq!(ada["user"]["roles"], json!(["operator", "viewer"]));
    assert_eq!((&ada["name"], &ada["user"]["email"]), (&json!("ada"), &json!("ada@example.org")));
    assert_eq!(
        (&ada["user"]["display_name"], &ada["user"]["has_password"]),
        (&json!("Ada L"), &json!(false))
    );
    host.log_in("ada", "").await.problem(401, "wrong_login");

    // The second time it is the same user; what an administrator changed about roles follows the groups again.
    let path = format!("/api/v1/users/{}", ada["user"]["id"].as_str().unwrap());
    host.call(Method::PATCH, &path, &admin, json!({"roles": ["admin"]})).await;
    let mut other = Browser::new(&host);
    other.sign_in(&host, "ada").await;
    let again = me(&host, &other).await;
    assert_eq!(again["user"]["id"], ada["user"]["id"]);
    assert_eq!(again["user"]["roles"], json!(["operator", "viewer"]));

    let out = browse(&host, &browser.session(&host), Method::DELETE, "/api/v1/session", Value::Null).await;
    let url = out.body["logout_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/session/end?", provider.issuer)), "{url}");
    assert_eq!(browser.visit(Method::GET, url, None).await.status, 200);

    host.call(Method::PATCH, &path, &admin, json!({"state": "disabled"})).await;
    let refused = Browser::new(&host).sign_in(&host, "ada").await;
    assert_eq!(refused.location.as_deref(), Some("/login?error=oidc_disabled"));
}

#[tokio::test]
async fn an_existing_user_is_linked_only_by_an_address_that_was_verified() {
    let mut provider = Provider::start();
    let host = host_with(&provider, |c| {
        c.create_users = false;
        c.link_by_verified_email = true;
    })
    .await;
    provider.serve(&host);
    let admin = host.admin().await;
    let boss = json!({"name": "chief", "password": crate::host::PASSWORD, "email": "boss@example.org"});
    assert_eq!(host.post("/api/v1/users", &admin, boss).await.status, 201);
    let eve = Browser::new(&host).sign_in(&host, "eve").await;
    assert_eq!(eve.location.as_deref(), Some("/login?error=oidc_no_account"));
    assert_eq!(eve.set_cookies.len(), 0);
    let log = host.get("/api/v1/audit?outcome=refused&entity_kind=provider", &admin).await.body;
    assert_eq!(log["items"][0]["after"]["subject"], "eve");

    let mut browser = Browser::new(&host);
    browser.sign_in(&host, "boss").await;
    assert_eq!(me(&host, &browser).await["name"], "chief");
    let unknown = Browser::new(&host).sign_in(&host, "ada").await;
    assert_eq!(unknown.location.as_deref(), Some("/login?error=oidc_no_account"));
}

#[tokio::test]
async fn a_provider_that_changes_its_keys_goes_on_working() {
    let mut provider = Provider::start();
    let host = host_with(&provider, |_| {}).await;
    provider.serve(&host);
    host.admin().await;
    assert_eq!(Browser::new(&host).sign_in(&host, "ada").await.location.as_deref(), Some("/machines"));
    provider.serve(&host);
    // Keys are read again at most every few seconds.
    host.clock.advance(chrono::Duration::seconds(6));
    assert_eq!(Browser::new(&host).sign_in(&host, "ada").await.location.as_deref(), Some("/machines"));
}

#[tokio::test]
async fn an_answer_is_taken_once_and_only_from_the_browser_that_asked() {
    let mut provider = Provider::start();
    let host = host_with(&provider, |_| {}).await;
    provider.serve(&host);
    host.admin().await;
    let mut browser = Browser::new(&host);
    let back = browser.journey(&host, "ada").await;
    let wrong = Some("/login?error=oidc_wrong_state");
    // A page that makes a victim sign in as the attacker has no cookie of the victim's.
    let mut victim = Browser::new(&host);
    assert_eq!(victim.visit(Method::GET, &back, None).await.location.as_deref(), wrong);
    victim.journey(&host, "eve").await;
    assert_eq!(victim.visit(Method::GET, &back, None).await.location.as_deref(), wrong);
    let forged = back.replace("state=", "state=x");
    assert_eq!(browser.visit(Method::GET, &forged, None).await.location.as_deref(), wrong);
    assert_eq!(browser.visit(Method::GET, &back, None).await.location.as_deref(), Some("/machines"));
    assert_eq!(browser.visit(Method::GET, &back, None).await.location.as_deref(), wrong);
    let callback = format!("https://{}/api/v1/auth/oidc/corp/callback", host.host.http);
    assert_eq!(browser.visit(Method::GET, &callback, None).await.location.as_deref(), wrong);
    host.get("/api/v1/auth/oidc/nobody/start", "").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_costs_nothing_else() {
    let mut provider = Provider::start();
    let host = host_with(&provider, |_| {}).await;
    provider.child.kill().unwrap();
    provider.child.wait().unwrap();
    let start = format!("https://{}/api/v1/auth/oidc/corp/start", host.host.http);
    let away = Browser::new(&host).visit(Method::GET, &start, None).await;
    assert_eq!(away.location.as_deref(), Some("/login?error=oidc_provider_failed"));
    assert_eq!(host.get("/healthz", "").await.status, 200);
}
