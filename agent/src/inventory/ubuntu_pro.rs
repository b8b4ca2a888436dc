//! Ubuntu Pro: whether the machine is attached and which services are on. No token is read.

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// The state of Ubuntu Pro.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UbuntuPro {
    /// The machine is attached to a contract.
    pub attached: bool,
    /// Version of the client.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Contract's name.
    #[serde(skip_serializing_if = "is_default")]
    pub contract: String,
    /// Account's name.
    #[serde(skip_serializing_if = "is_default")]
    pub account: String,
    /// When the contract ends, in Unix seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub expires: Option<i64>,
    /// Support level, e.g. `standard`.
    #[serde(skip_serializing_if = "is_default")]
    pub support: String,
    /// Services.
    pub services: Vec<ProService>,
}

/// One service of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ProService {
    /// Name, e.g. `esm-infra`.
    pub name: String,
    /// `enabled`, `disabled`, `warning`, `n/a`, as the client says.
    pub status: String,
    /// The contract includes it.
    #[serde(skip_serializing_if = "is_default")]
    pub entitled: bool,
    /// It exists for this release.
    #[serde(skip_serializing_if = "is_default")]
    pub available: bool,
}

/// The client's status, as it writes and prints it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    attached: bool,
    version: String,
    contract: Named,
    account: Named,
    expires: Option<String>,
    services: Vec<StatusService>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    tech_support_level: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusService {
    name: String,
    status: String,
    entitled: String,
    available: String,
}

/// Parse `pro status --format json`, which is also what the client keeps in its `status.json`.
pub fn parse_status(text: &str) -> Option<UbuntuPro> {
    let status: Status = serde_json::from_str(text).ok()?;
    let expires = status.expires.as_deref().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    let mut services: Vec<ProService> = status
        .services
        .into_iter()
        .map(|service| ProService {
            entitled: service.entitled == "yes",
            available: service.available == "yes",
            name: service.name,
            status: service.status,
        })
        .collect();
    services.sort();
    Some(UbuntuPro {
        attached: status.attached,
        version: status.version,
        contract: status.contract.name,
        account: status.account.name,
        // Machines without a contract are said to expire in the year 9999.
        expires: expires.filter(|_| status.attached).map(|at| at.timestamp()),
        support: Some(status.contract.tech_support_level).filter(|level| level != "n/a").unwrap_or_default(),
        services,
    })
}

pub(super) fn collect(root: &Root) -> Result<UbuntuPro, CollectError> {
    let kept = root.text("var/lib/ubuntu-advantage/status.json").ok();
    let asked = || {
        let there = ["usr/bin/pro", "usr/bin/ua"].iter().any(|path| root.path(path).exists());
        there.then(|| root.run("pro", &["status", "--format", "json"])).flatten()
    };
    kept.or_else(asked).and_then(|text| parse_status(&text)).ok_or(CollectError::NotSupported)
}
