//! What must be true before a version is in a channel that customers rely on.

use std::path::Path;

use chrono::{DateTime, Utc};
use plugin_runtime::{ConformanceReport, Package};
use trust::TrustStore;

use super::{Channel, ReleaseError, Releases, entity::release};

impl Releases {
    /// Refuse a package that holds targets which no host of ours has.
    pub(super) fn require_known_targets(&self, targets: &[String]) -> Result<(), ReleaseError> {
        if targets.is_empty() {
            let why = "The package holds no library. Pack it with one for each target it is for.";
            return Err(ReleaseError::Invalid("targets", why.into()));
        }
        let known = &self.core.config.releases.targets;
        match targets.iter().find(|target| !known.contains(target)) {
            Some(target) => {
                let why = format!(
                    "The package holds a library for `{target}`, which is none of this portal's targets ({}). \
                     Pack it without, or add the target to releases.targets.",
                    known.join(", ")
                );
                Err(ReleaseError::Invalid("targets", why))
            }
            None => Ok(()),
        }
    }

    /// Refuse a version in a channel for which it lacks something.
    pub(super) fn require_ready_for(
        &self,
        channel: Channel,
        row: &release::Model,
        targets: &[String],
    ) -> Result<(), ReleaseError> {
        if channel == Channel::Beta {
            return Ok(());
        }
        let (config, name) = (&self.core.config.releases, format!("{} {}", row.engine, row.version));
        if let Some(missing) = config.required_targets.iter().find(|target| !targets.contains(target)) {
            let why = format!(
                "Channel `{}` needs {name} for `{missing}`. Publish a package for that target first, to channel `beta`, \
                 and move the version afterwards.",
                channel.name()
            );
            return Err(ReleaseError::NotReady("target_missing", why));
        }
        if config.needs_report && row.conformance.is_none() {
            let why = format!(
                "Channel `{}` needs a conformance report of {name}. Make one with `cargo xtask engine conformance {} \
                 --package FILE` and publish with `--report`, or publish to channel `beta`.",
                channel.name(),
                row.engine
            );
            return Err(ReleaseError::NotReady("report_missing", why));
        }
        Ok(())
    }
}

/// Read and verify a package's report. Blocks.
pub(super) fn read_report(
    file: &Path,
    package: &Package,
    trust: &TrustStore,
    now: DateTime<Utc>,
) -> Result<ConformanceReport, ReleaseError> {
    let size = std::fs::metadata(file).map_err(ReleaseError::Storage)?.len();
    if size > ConformanceReport::MAX_BYTES as u64 {
        return Err(ReleaseError::Invalid("report", format!("{} is larger than a report.", file.display())));
    }
    let text = std::fs::read_to_string(file).map_err(ReleaseError::Storage)?;
    Ok(ConformanceReport::verify(&text, package, trust, now)?)
}
