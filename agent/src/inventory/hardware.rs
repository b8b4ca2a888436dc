//! The machine itself: vendor, model, serial number, board, firmware.

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// What the firmware says of the machine. Placeholders such as `To Be Filled By O.E.M.` are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hardware {
    /// Who made the machine, e.g. `Dell Inc.`.
    #[serde(skip_serializing_if = "is_default")]
    pub vendor: String,
    /// Model, e.g. `PowerEdge R650`.
    #[serde(skip_serializing_if = "is_default")]
    pub model: String,
    /// The vendor's version of the model.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Serial number; readable for root only.
    #[serde(skip_serializing_if = "is_default")]
    pub serial: String,
    /// UUID of the machine as the firmware has it.
    #[serde(skip_serializing_if = "is_default")]
    pub uuid: String,
    /// The owner's asset tag.
    #[serde(skip_serializing_if = "is_default")]
    pub asset_tag: String,
    /// `desktop`, `laptop`, `server`, `tablet`, `virtual`, `other`.
    #[serde(skip_serializing_if = "is_default")]
    pub chassis: String,
    /// Main board.
    #[serde(skip_serializing_if = "is_default")]
    pub board: Board,
    /// Firmware.
    #[serde(skip_serializing_if = "is_default")]
    pub bios: Bios,
    /// `uefi` or `bios`; absent where there is no telling.
    #[serde(skip_serializing_if = "is_default")]
    pub boot_mode: Option<String>,
    /// Secure boot is on; absent where there is no telling.
    #[serde(skip_serializing_if = "is_default")]
    pub secure_boot: Option<bool>,
    /// Version of the trusted platform module, e.g. `2`.
    #[serde(skip_serializing_if = "is_default")]
    pub tpm: Option<String>,
}

/// The main board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Board {
    /// Vendor.
    #[serde(skip_serializing_if = "is_default")]
    pub vendor: String,
    /// Model.
    #[serde(skip_serializing_if = "is_default")]
    pub model: String,
    /// Serial number.
    #[serde(skip_serializing_if = "is_default")]
    pub serial: String,
}

/// The firmware.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bios {
    /// Vendor.
    #[serde(skip_serializing_if = "is_default")]
    pub vendor: String,
    /// Version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Date as the vendor writes it, mostly `MM/DD/YYYY`.
    #[serde(skip_serializing_if = "is_default")]
    pub date: String,
}

/// What vendors leave in fields that they do not fill.
const PLACEHOLDERS: [&str; 14] = [
    "to be filled by o.e.m.",
    "to be filled by oem",
    "system manufacturer",
    "system product name",
    "system version",
    "system serial number",
    "default string",
    "not specified",
    "not applicable",
    "no asset tag",
    "none",
    "n/a",
    "unknown",
    "o.e.m.",
];

/// A field of the firmware, empty when it is a placeholder.
pub fn meaningful(text: &str) -> String {
    let text = text.trim();
    let lower = text.to_lowercase();
    let idle = PLACEHOLDERS.contains(&lower.as_str())
        || lower.bytes().all(|b| matches!(b, b'0' | b'.' | b'-' | b' '));
    if idle { String::new() } else { text.to_owned() }
}

/// The kind of case behind the number that SMBIOS gives it.
pub fn chassis(number: u32) -> &'static str {
    match number {
        3..=7 | 13 | 15 | 16 | 24 | 34..=36 => "desktop",
        8..=10 | 14 | 31 | 32 => "laptop",
        17 | 23 | 25 | 28 | 29 => "server",
        11 | 30 => "tablet",
        _ => "other",
    }
}

pub(super) fn collect(root: &Root) -> Result<Hardware, CollectError> {
    let dmi = |file: &str| {
        root.line(&format!("sys/class/dmi/id/{file}")).map(|text| meaningful(&text)).unwrap_or_default()
    };
    let tree = |file: &str| root.line(&format!("proc/device-tree/{file}")).unwrap_or_default();
    let or = |first: String, second: String| if first.is_empty() { second } else { first };
    let efi = root.path("sys/firmware/efi").exists();
    let has_dmi = root.path("sys/class/dmi/id").exists();
    let number = root.number::<u32>("sys/class/dmi/id/chassis_type");
    let hardware = Hardware {
        vendor: dmi("sys_vendor"),
        model: or(dmi("product_name"), tree("model")),
        version: dmi("product_version"),
        serial: or(dmi("product_serial"), tree("serial-number")),
        uuid: dmi("product_uuid").to_lowercase(),
        asset_tag: dmi("chassis_asset_tag"),
        chassis: number.map(|number| chassis(number).to_owned()).unwrap_or_default(),
        board: Board { vendor: dmi("board_vendor"), model: dmi("board_name"), serial: dmi("board_serial") },
        bios: Bios { vendor: dmi("bios_vendor"), version: dmi("bios_version"), date: dmi("bios_date") },
        boot_mode: if efi { Some("uefi".into()) } else { has_dmi.then(|| "bios".into()) },
        secure_boot: secure_boot(root),
        tpm: root.line("sys/class/tpm/tpm0/tpm_version_major"),
    };
    if is_default(&hardware) { Err(CollectError::NotSupported) } else { Ok(hardware) }
}

/// Four bytes of attributes, then one that says whether it is on.
fn secure_boot(root: &Root) -> Option<bool> {
    let file = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    std::fs::read(root.path(file)).ok()?.get(4).map(|byte| *byte == 1)
}
