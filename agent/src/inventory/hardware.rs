//! The machine itself: vendor, model, serial number, board, firmware.

use serde::{Deserialize, Serialize};

use super::is_default;

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
