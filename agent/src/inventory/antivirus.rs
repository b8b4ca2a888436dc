//! Protection against malware: what is installed, whether it runs, and how old its knowledge is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, processes, source::Root};

/// Antivirus products.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Antivirus {
    /// Products that are installed.
    pub products: Vec<Product>,
}

/// One product.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// `clamav`, `defender`, `sophos`, `crowdstrike`, ...
    pub name: String,
    /// Version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Its scanner runs.
    pub running: bool,
    /// Looks at files as they are opened; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub real_time: Option<bool>,
    /// Its definitions are kept up to date by a running service; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub updates_itself: Option<bool>,
    /// Version of its definitions.
    #[serde(skip_serializing_if = "is_default")]
    pub definitions: String,
    /// When its definitions were made, in Unix seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub definitions_at: Option<i64>,
}

/// A product by the marks it leaves: name, a file or folder of its own, its process.
const PRODUCTS: [(&str, &str, &str); 10] = [
    ("bitdefender", "opt/bitdefender-security-tools", "bdsecd"),
    ("crowdstrike", "opt/CrowdStrike", "falcon-sensor"),
    ("eset", "opt/eset/eea", "oaeventd"),
    ("kaspersky", "opt/kaspersky/kesl", "kesl"),
    ("sentinelone", "opt/sentinelone", "s1-agent"),
    ("sophos", "opt/sophos-spl", "sophos_watchdog"),
    ("symantec", "opt/Symantec/symantec_antivirus", "rtvscand"),
    ("trellix", "opt/McAfee/ens", "mfetpd"),
    ("trend_micro", "opt/ds_agent", "ds_agent"),
    ("wazuh", "var/ossec/bin/wazuh-syscheckd", "wazuh-syscheckd"),
];

pub(super) fn collect(root: &Root) -> Result<Antivirus, CollectError> {
    let running: BTreeSet<String> =
        processes::ids(root).into_iter().map(|id| processes::name(root, id)).collect();
    let mut products: Vec<Product> = PRODUCTS
        .iter()
        .filter(|(_, mark, _)| root.path(mark).exists())
        .map(|(name, _, process)| Product {
            name: (*name).into(),
            // The kernel cuts names.
            running: running.contains(process.get(..15).unwrap_or(process)),
            ..Product::default()
        })
        .collect();
    products.extend(clamav(root, &running));
    products.extend(defender(root, &running));
    products.sort();
    Ok(Antivirus { products })
}

fn clamav(root: &Root, running: &BTreeSet<String>) -> Option<Product> {
    let programs = ["usr/sbin/clamd", "usr/bin/clamscan", "usr/local/sbin/clamd", "usr/local/bin/clamscan"];
    programs.iter().find(|path| root.path(path).exists())?;
    let header = ["daily.cld", "daily.cvd"].iter().find_map(|file| {
        let mut bytes = [0; 512];
        let mut file = std::fs::File::open(root.path(&format!("var/lib/clamav/{file}"))).ok()?;
        std::io::Read::read_exact(&mut file, &mut bytes).ok()?;
        parse_cvd_header(&String::from_utf8_lossy(&bytes))
    });
    let (definitions, definitions_at) = header.unwrap_or_default();
    Some(Product {
        name: "clamav".into(),
        version: root
            .run("clamconf", &["--version"])
            .map(|text| parse_clamav_version(&text))
            .unwrap_or_default(),
        running: running.contains("clamd"),
        real_time: Some(running.contains("clamonacc")),
        updates_itself: Some(running.contains("freshclam")),
        definitions,
        definitions_at,
    })
}

/// The version in `Clam AntiVirus Configuration Tool 1.0.7` and `ClamAV 1.0.7/27000/...`.
pub fn parse_clamav_version(text: &str) -> String {
    let word = text
        .split(|c: char| c.is_whitespace() || c == '/')
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()));
    word.unwrap_or_default().to_owned()
}

/// Version and moment of making from the header of a definitions file: fields between colons, the ninth in Unix seconds.
pub fn parse_cvd_header(text: &str) -> Option<(String, Option<i64>)> {
    let mut fields = text.strip_prefix("ClamAV-VDB:")?.split(':');
    let version = fields.nth(1)?.to_owned();
    let made = fields.nth(5).and_then(|text| text.trim_matches(['\0', ' ']).parse().ok());
    Some((version, made))
}

fn defender(root: &Root, running: &BTreeSet<String>) -> Option<Product> {
    if !root.path("opt/microsoft/mdatp").exists() {
        return None;
    }
    let health = root.run("mdatp", &["health", "--output", "json"]).unwrap_or_default();
    Some(Product { running: running.contains("wdavdaemon"), ..parse_mdatp_health(&health) })
}

/// Parse `mdatp health --output json`. Fields are bare on some versions and `{"value": ...}` on others.
pub fn parse_mdatp_health(text: &str) -> Product {
    let health: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let field = |name: &str| health[name].get("value").unwrap_or(&health[name]).clone();
    let word = |name: &str| field(name).as_str().unwrap_or_default().to_owned();
    Product {
        name: "defender".into(),
        version: word("appVersion"),
        running: false,
        real_time: field("realTimeProtectionEnabled").as_bool(),
        updates_itself: field("automaticDefinitionUpdateEnabled").as_bool(),
        definitions: word("definitionsVersion"),
        definitions_at: chrono::DateTime::parse_from_rfc3339(&word("definitionsUpdated"))
            .ok()
            .map(|at| at.timestamp()),
    }
}
