//! Software and updates as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A piece of software, in whatever versions machines have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Title {
    /// Id, for as long as a machine has it.
    pub id: i32,
    /// Which package system: `dpkg`, `rpm`, `snap`, ...
    pub manager: String,
    /// Name.
    pub name: String,
    /// Name for people, where there is one.
    pub title: Option<String>,
    /// Machines that have it.
    pub machines: i64,
    /// Versions that some machine of the fleet has.
    pub versions: i64,
}

/// A title with its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TitleDetails {
    /// The title.
    #[serde(flatten)]
    pub title: Title,
    /// Its versions, those on most machines first; at most 500.
    pub installed: Vec<Version>,
}

/// A version of a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Version.
    pub version: String,
    /// Architecture.
    pub arch: String,
    /// Machines that have it.
    pub machines: i64,
}

/// A machine that has a title or needs an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = InstalledSoftware)]
pub struct Installed {
    /// Machine.
    pub machine_id: Uuid,
    /// Its name.
    pub machine_name: String,
    /// Whether its agent is connected.
    pub online: bool,
    /// Version it has, or could have.
    pub version: String,
    /// Architecture.
    pub arch: String,
}

/// An update that is available on some machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Update {
    /// Id, for as long as a machine needs it.
    pub id: i32,
    /// Which package system.
    pub manager: String,
    /// Package.
    pub name: String,
    /// The new version.
    pub version: String,
    /// Architecture.
    pub arch: String,
    /// Whether it mends security.
    pub security: bool,
    /// Machines that need it.
    pub machines: i64,
}

/// A package or an update of one machine, as its agent told: see the sections `packages` and `updates`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Package(pub Value);
