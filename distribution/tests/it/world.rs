//! One host and the scenarios that it meets.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use distribution::{Client, DistributionError, FolderTransport, Repository};
use tempfile::TempDir;

use crate::python::scenarios;

/// A host with a datastore of its own.
pub struct Host {
    pub folder: TempDir,
    pub client: Client,
    scenario: PathBuf,
}

/// The time that the scenarios are made for.
pub fn now() -> DateTime<Utc> {
    "2026-01-10T00:00:00Z".parse().expect("a time")
}

impl Host {
    /// A host that trusts the first root of a scenario.
    pub fn of(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scenario = scenarios().join(scenario);
        let root = std::fs::read(scenario.join("root.json")).expect("a scenario of this name");
        let client = Client::new(root, folder.path().join("trusted"), now());
        Self { folder, client, scenario }
    }

    /// The repository of the scenario in a state.
    pub fn state(&self, state: u32) -> FolderTransport {
        FolderTransport::new(self.scenario.join(state.to_string()))
    }

    pub async fn refresh(&self, state: u32) -> Result<Repository, DistributionError> {
        self.client.refresh(&self.state(state)).await
    }

    pub async fn accepts(&self, state: u32) -> Repository {
        self.refresh(state).await.unwrap_or_else(|e| panic!("{}: {e}", e.code()))
    }

    pub async fn refuses(&self, state: u32) -> DistributionError {
        match self.refresh(state).await {
            Ok(_) => panic!("{} was believed", self.scenario.display()),
            Err(error) => error,
        }
    }

    pub fn later(&mut self, by: TimeDelta) {
        self.client.now += by;
    }
}

/// Engines and versions that are listed.
pub fn listed(repository: &Repository) -> Vec<String> {
    repository.releases().iter().map(|l| format!("{} {}", l.release.engine, l.release.version)).collect()
}

/// Roles that are broken, with the codes of their reasons.
pub fn broken(repository: &Repository) -> Vec<(&str, &'static str)> {
    repository.broken().iter().map(|b| (b.role.as_str(), b.reason.code())).collect()
}
