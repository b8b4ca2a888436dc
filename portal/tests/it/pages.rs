//! Pages: what a customer and the vendor do with a browser that runs no script.

use reqwest::Method;

use crate::portal::{Answer, PASSWORD, TARGET, TestPortal, send};

#[track_caller]
fn shows(page: &Answer, texts: &[&str]) {
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8", "{}", page.text);
    for text in texts {
        assert!(page.text.contains(text), "{text} is not in {}", page.text);
    }
}

#[tokio::test]
async fn a_customer_signs_up_orders_pays_and_downloads() {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let home = portal.get("/", "").await;
    shows(&home, &["Catalogue", "Engine pro", "EUR 3.00 per machine and month", "Sign up"]);
    let fields = [
        ("email", "m@example.org"),
        ("name", "Marta"),
        ("organisation", "Marta & Co"),
        ("password", PASSWORD),
    ];
    let signed_up = portal.form("/sign-up", "", &fields).await;
    assert_eq!(
        (signed_up.status.as_u16(), signed_up.location()),
        (303, "/organisations"),
        "{}",
        signed_up.text
    );
    let cookie = signed_up.cookie();
    let own = portal.get("/organisations", &cookie).await;
    let org = own.location().to_owned();
    shows(&portal.get(&org, &cookie).await, &["Marta &amp; Co", "None yet"]);
    let order = portal
        .form(&format!("{org}/orders"), &cookie, &[("plan", "professional-year"), ("machines", "5")])
        .await;
    assert_eq!(order.status, 303, "{}", order.text);
    let order = order.location().to_owned();
    shows(&portal.get(&order, &cookie).await, &["Waits for payment", "EUR 150.00", "test payment"]);
    assert_eq!(portal.form(&format!("{order}/test-payment"), &cookie, &[]).await.location(), order);
    let paid = portal.get(&order, &cookie).await;
    shows(&paid, &["Active", "Licensed: Professional for 5 machines", "<td>invoice paid</td><td>Marta</td>"]);
    let more =
        portal.form(&format!("{order}/change"), &cookie, &[("tier", "enterprise"), ("machines", "6")]).await;
    shows(&portal.get(more.location(), &cookie).await, &["Licensed: Enterprise for 6 machines"]);
    let licenses = portal.get(&format!("{org}/licenses"), &cookie).await;
    shows(&licenses, &["Tier enterprise, 1 engine<"]);
    let file =
        licenses.text.split("href=\"").find(|t| t.contains("/file\"")).unwrap().split('"').next().unwrap();
    assert_eq!(portal.get(file, &cookie).await.status, 200);
    let downloads = portal.get(&format!("{org}/downloads"), &cookie).await;
    shows(&downloads, &["Engine pro", TARGET]);
    let package =
        downloads.text.split("href=\"").find(|t| t.contains(TARGET)).unwrap().split('"').next().unwrap();
    let package = portal.request(Method::GET, package, &cookie).send().await.unwrap();
    assert_eq!(package.headers()["content-type"], "application/octet-stream");
    let ended = portal.form(&format!("{order}/cancel"), &cookie, &[]).await;
    shows(&portal.get(ended.location(), &cookie).await, &["Active, will not be renewed"]);
    assert_eq!(portal.form("/sign-out", &cookie, &[]).await.location(), "/");
    assert_eq!(
        portal.get(&org, &cookie).await.location(),
        format!("/sign-in?next={}", org.replace('/', "%2F"))
    );
}

#[tokio::test]
async fn a_trial_is_offered_until_it_was_had() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let orders = format!("/organisations/{}/orders", customer.org);
    shows(&portal.get(&orders, &customer.cookie).await, &["Begin a trial"]);
    let path = format!("/organisations/{}/trial", customer.org);
    let begun = portal.form(&path, &customer.cookie, &[("plan", "enterprise-year")]).await;
    shows(&portal.get(begun.location(), &customer.cookie).await, &["Trial", "Pay with the test payment"]);
    assert!(!portal.get(&orders, &customer.cookie).await.text.contains("Begin a trial"));
}

#[tokio::test]
async fn wrong_entries_are_told_on_the_form_and_kept() {
    let portal = TestPortal::start().await;
    let wrong = portal.form("/sign-in", "", &[("email", "m@example.org"), ("password", "x")]).await;
    assert_eq!(wrong.status, 401);
    shows(&wrong, &["Address or password is wrong", "value=\"m@example.org\"", "role=\"alert\""]);
    let weak =
        [("email", "m@example.org"), ("name", "<i>M</i>"), ("organisation", "O"), ("password", "short")];
    let weak = portal.form("/sign-up", "", &weak).await;
    assert_eq!(weak.status, 422);
    shows(&weak, &["at least 12 characters", "value=\"&lt;i&gt;M&lt;/i&gt;\""]);
    assert!(!weak.text.contains("short\""));
}

#[tokio::test]
async fn an_invited_person_joins_by_the_link() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let path = format!("/organisations/{}/invitations", owner.org);
    let made =
        portal.form(&path, &owner.cookie, &[("email", "bea@example.org"), ("role", "technical")]).await;
    shows(&made, &["Send this link to bea@example.org"]);
    let link = made.text.split("/invitations/spi_").nth(1).unwrap().split('<').next().unwrap();
    let link = format!("/invitations/spi_{link}");
    shows(&portal.get(&link, "").await, &["Sign in", "next=%2Finvitations%2Fspi_"]);
    let bea = portal.sign_up("bea", None).await;
    let joined = portal.form(&link, &bea, &[]).await;
    assert_eq!(joined.location(), format!("/organisations/{}", owner.org));
    let members = portal.get(&format!("/organisations/{}/members", owner.org), &owner.cookie).await;
    shows(&members, &["bea@example.org", "Set role"]);
    let hers = portal.get(&format!("/organisations/{}/members", owner.org), &bea).await;
    shows(&hers, &["Leave"]);
    assert!(!hers.text.contains("Set role") && !hers.text.contains(">Orders<"));
}

#[tokio::test]
async fn the_vendor_takes_an_invoice_and_withdraws_a_release() {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let (customer, staff) = (portal.customer("marta").await, portal.staff("vera").await);
    let order = portal.order(&customer, "professional-year", 5).await;
    shows(&portal.get("/vendor", &staff).await, &["Customers", "marta"]);
    let paid =
        portal.form(&format!("/vendor/orders/{order}/invoice-paid"), &staff, &[("number", "2026-7")]).await;
    assert_eq!(paid.location(), format!("/vendor/customers/{}", customer.org), "{}", paid.text);
    shows(&portal.get(paid.location(), &staff).await, &["Active", "Licensed until"]);
    let revoked =
        portal.form(&format!("/vendor/orders/{order}/revoke"), &staff, &[("reason", "fraud")]).await;
    shows(&portal.get(revoked.location(), &staff).await, &["Revoked"]);
    portal.form("/vendor/releases/pro/1.0.0/yank", &staff, &[("reason", "It loses data")]).await;
    shows(&portal.get("/vendor/releases", &staff).await, &["Withdrawn", "It loses data"]);
    shows(&portal.get("/engines/pro", "").await, &["Withdrawn"]);
}

#[tokio::test]
async fn pages_run_no_script_and_load_nothing_from_elsewhere() {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let customer = portal.customer("marta").await;
    let staff = portal.staff("vera").await;
    let org = format!("/organisations/{}", customer.org);
    let order = portal.buy(&customer, "professional-year", 1).await;
    let mut paths = vec![
        ("/".to_owned(), ""),
        ("/engines/pro".into(), ""),
        ("/sign-in".into(), ""),
        ("/sign-up".into(), ""),
    ];
    for tail in ["", "/orders", "/licenses", "/downloads", "/members", "/tokens"] {
        paths.push((format!("{org}{tail}"), &customer.cookie));
    }
    paths.push((format!("{org}/orders/{order}"), &customer.cookie));
    paths.push(("/vendor".into(), &staff));
    paths.push((format!("/vendor/customers/{}", customer.org), &staff));
    paths.push(("/vendor/releases".into(), &staff));
    paths.push(("/nothing".into(), ""));
    for (path, as_whom) in paths {
        let page = portal.get(&path, as_whom).await;
        shows(&page, &["<!DOCTYPE html>", "lang=\"en\"", "<h1>"]);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for forbidden in ["<script", "style=", "onclick", "http://", "<b>to test</b>"] {
            assert!(!page.text.contains(forbidden), "{path}: {forbidden}");
        }
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn failures_are_pages_for_people_and_documents_for_programs() {
    let portal = TestPortal::start().await;
    let page = portal.get("/nothing", "").await;
    assert_eq!(page.status, 404);
    shows(&page, &["There is nothing here"]);
    portal.get("/api/nothing", "").await.problem(404, "not_found");
    send(portal.request(Method::PUT, "/api/v1/me", "")).await.problem(405, "method_not_allowed");
    assert_eq!(portal.get("/healthz", "").await.text, "ok\n");
    assert_eq!(portal.get("/readyz", "").await.text, "ready\n");
}
