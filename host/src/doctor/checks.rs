//! The checks, each on its own.

use std::{os::unix::fs::PermissionsExt, path::Path};

use chrono::{DateTime, Utc};
use http::Method;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use sea_orm::{EntityTrait, QueryOrder};

use super::Finding;
use crate::{
    audit,
    cli::{Body, Client},
    config::Config,
    db::Db,
    keys::{INSTANCE_FILE, SEALING_FILE},
    serve::{ADMIN_SOCKET, DataLock},
};

const LOW_DISK_BYTES: u64 = 1024 * 1024 * 1024;

pub(super) fn configuration(config: &Config) -> Finding {
    match config.check() {
        Ok(()) => Finding::good("configuration", "every key is known and in range"),
        Err(error) => Finding::bad("configuration", error.to_string(), "correct it in sysmanage.toml"),
    }
}

pub(super) fn permissions(data_dir: &Path) -> Vec<Finding> {
    let open = |path: &Path| std::fs::metadata(path).ok().map(|m| m.permissions().mode() & 0o077);
    let mut findings = Vec::new();
    for (name, mode) in [("", "700"), (INSTANCE_FILE, "600"), (SEALING_FILE, "600"), ("pki", "700")] {
        let path = data_dir.join(name);
        findings.push(match open(&path) {
            None => Finding::warning(
                "permissions",
                format!("{} is not there", path.display()),
                "`sysmanage serve` creates it; if the host ran before, restore it from a backup",
            ),
            Some(0) => Finding::good("permissions", format!("{} is private", path.display())),
            Some(_) => Finding::bad(
                "permissions",
                format!("other users may open {}", path.display()),
                format!("chmod {mode} {}", path.display()),
            ),
        });
    }
    findings
}

pub(super) fn disk(data_dir: &Path) -> Finding {
    match rustix::fs::statvfs(data_dir) {
        Err(error) => {
            Finding::warning("disk", error.to_string(), "look at the file system of the data directory")
        }
        Ok(fs) => {
            let free = fs.f_bavail.saturating_mul(fs.f_frsize);
            let seen = format!("{} MiB free", free / 1024 / 1024);
            match free {
                free if free < LOW_DISK_BYTES / 10 => {
                    Finding::bad("disk", seen, "free space now: writes will fail")
                }
                free if free < LOW_DISK_BYTES => Finding::warning("disk", seen, "free some space"),
                _ => Finding::good("disk", seen),
            }
        }
    }
}

pub(super) fn certificates(data_dir: &Path) -> Vec<Finding> {
    let Ok(entries) = std::fs::read_dir(data_dir.join("pki")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    paths.iter().filter_map(|path| certificate(path)).collect()
}

fn certificate(path: &Path) -> Option<Finding> {
    let pem = std::fs::read(path).ok()?;
    let der = CertificateDer::from_pem_slice(&pem).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).ok()?;
    let end = DateTime::<Utc>::from_timestamp(parsed.validity().not_after.timestamp(), 0)?;
    let days = (end - Utc::now()).num_days();
    let seen = format!("{} is valid for {days} days", path.display());
    let advice = "start the host: it renews its certificate by itself; the authority's needs a new enrolment";
    Some(match days {
        ..=0 => Finding::bad("certificate", format!("{} has ended", path.display()), advice),
        1..=14 => Finding::warning("certificate", seen, advice),
        _ => Finding::good("certificate", seen),
    })
}

pub(super) async fn database(config: &Config, data_dir: &Path) -> Vec<Finding> {
    if config.database.url.is_empty() && !data_dir.join("sysmanage.db").is_file() {
        return vec![Finding::bad(
            "database",
            "there is none yet",
            "`sysmanage serve` creates it, `restore` brings it back",
        )];
    }
    let db = match Db::connect(&config.database, data_dir).await {
        Ok(db) => db,
        Err(error) => {
            let advice = "start the database server, or correct database.url; for SQLite, restore a backup";
            return vec![Finding::bad("database", format!("{error:#}"), advice)];
        }
    };
    let mut findings = vec![match db.ping().await {
        Ok(()) => Finding::good("database", "it answers"),
        Err(error) => Finding::bad("database", error.to_string(), "look at the database server and its disk"),
    }];
    findings.push(match db.pending_migrations().await {
        Ok(pending) if pending.is_empty() => Finding::good("schema", "it is up to date"),
        Ok(pending) => Finding::warning(
            "schema",
            format!("{} changes are to come", pending.len()),
            "`sysmanage serve` makes them",
        ),
        Err(error) => {
            Finding::bad("schema", error.to_string(), "the database may be of a newer host: upgrade")
        }
    });
    findings.extend(clock(&db).await);
    db.close().await;
    findings
}

/// The newest record cannot be from the future.
async fn clock(db: &Db) -> Option<Finding> {
    let newest = audit::entity::Entity::find()
        .order_by_desc(audit::entity::Column::Id)
        .one(db.read())
        .await
        .ok()??;
    let ahead = newest.at - Utc::now();
    let seen = format!("the newest audit entry is of {}", newest.at);
    Some(if ahead.num_minutes() > 5 {
        Finding::bad(
            "clock",
            format!("{seen}, {} min in the future", ahead.num_minutes()),
            "set the computer's clock",
        )
    } else {
        Finding::good("clock", seen)
    })
}

/// What only the running host knows.
pub(super) async fn running(data_dir: &Path) -> Vec<Finding> {
    if DataLock::take(data_dir).is_ok() {
        return vec![Finding::warning("host", "it does not run", "`sysmanage serve` starts it")];
    }
    let client = Client::socket(data_dir.join(ADMIN_SOCKET));
    let ready = client.call(Method::GET, "/readyz", Body::None).await;
    let mut findings = vec![match ready {
        Ok(_) => Finding::good("host", "it runs and is ready"),
        Err(error) => Finding::bad("host", format!("{error:#}"), "look at its log"),
    }];
    if let Ok(engines) = client.get("/api/v1/engines").await {
        let items = engines.get("items").unwrap_or(&engines).as_array().cloned().unwrap_or_default();
        findings.extend(items.iter().map(engine));
    }
    if let Ok(market) = client.get("/api/v1/marketplace").await {
        findings.extend(portal(&market));
    }
    if let Ok(offers) = client.get("/api/v1/marketplace/engines").await {
        let items = offers["items"].as_array().cloned().unwrap_or_default();
        findings.extend(items.iter().flat_map(offer));
    }
    findings
}

/// Whether the portal is seen, believed and told.
fn portal(market: &serde_json::Value) -> Vec<Finding> {
    if market["configured"] != true || market["enabled"] != true {
        return Vec::new();
    }
    let detail = |problem: &serde_json::Value| problem["detail"].as_str().map(str::to_owned);
    let mut findings = vec![match (detail(&market["problem"]), market["checked_at"].as_str()) {
        (Some(problem), _) => {
            Finding::warning("portal", problem, "engines go on; `sysmanage marketplace refresh` looks again")
        }
        (None, None) => Finding::warning("portal", "it was not seen yet", "`sysmanage marketplace refresh`"),
        (None, Some(at)) => Finding::good("portal", format!("its catalogue was seen at {at}")),
    }];
    if let Some(problem) = detail(&market["contact"]["problem"]) {
        findings.push(Finding::warning("contact", problem, "the host tries again within the hour"));
    }
    let until = market["offline"]["until"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    if let Some(until) = until {
        let days = (until - Utc::now()).num_days();
        let seen = format!("the licence wants contact with the portal within {days} days");
        let advice =
            "`sysmanage marketplace policy --contact true`, or install a fresh edition of the licence";
        findings.push(match days {
            ..=0 => Finding::bad("contact", "the licence's time without contact is over", advice),
            1..=7 => Finding::warning("contact", seen, advice),
            _ => Finding::good("contact", seen),
        });
    }
    findings
}

/// What is wrong with a version in use, as its publisher says.
fn offer(engine: &serde_json::Value) -> Vec<Finding> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let (id, installed) = (text(&engine["id"]), text(&engine["installed"]));
    let advice = format!("`sysmanage engine update {id}`");
    let mut findings = Vec::new();
    if engine["below_lowest_good"] == true {
        let lowest = text(&engine["lowest_good"]);
        let seen = format!("{id} {installed} was withdrawn: {lowest} is the lowest good version");
        findings.push(Finding::bad("engine version", seen, &advice));
    }
    let advisories = engine["advisories"].as_array().cloned().unwrap_or_default();
    for advisory in advisories.iter().filter(|a| a["affects_installed"] == true) {
        let seen =
            format!("{id} {installed}: {} ({})", text(&advisory["title"]), text(&advisory["severity"]));
        findings.push(Finding::warning("engine version", seen, &advice));
    }
    findings
}

fn engine(engine: &serde_json::Value) -> Finding {
    let text = |name: &str| engine[name].as_str().unwrap_or_default().to_owned();
    let (id, state) = (text("id"), text("state"));
    let seen = format!("{id} is {state}");
    let advice = format!("`sysmanage engine show {id}` says why and what to do");
    match state.as_str() {
        "active" | "disabled" | "discovered" | "draining" => Finding::good("engine", seen),
        "failed" | "quarantined" | "refused" => Finding::bad("engine", seen, advice),
        _ => Finding::warning("engine", seen, advice),
    }
}
