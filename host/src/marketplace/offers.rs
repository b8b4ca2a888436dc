//! What a catalogue means for this host: what is installed, licensed, compatible, advised against, and what an update
//! would bring. Pure: who asks says what the licence and the host's version allow.

use std::collections::BTreeMap;

use plugin_runtime::{Side, TARGET};
use semver::Version;
use trust::{EngineStanding, Revocations, version_matches};

use super::{
    Catalogue, Channel, Release,
    model::{
        MarketAdvisory, MarketCompatibility, MarketEngine, MarketEngineDetail, MarketEntitlement,
        MarketVersion,
    },
    source::Advisory,
};
use crate::engines::Stored;

/// What the host is, for judging offers.
pub(super) struct Judge<'a> {
    /// Host and its version.
    pub side: Side,
    /// Lists in force.
    pub revocations: &'a Revocations,
    /// The channel that is followed.
    pub channel: Channel,
    /// What the licence says.
    pub entitled: &'a dyn Fn(&Release) -> MarketEntitlement,
}

/// A version with what was judged of it.
struct Offer<'a> {
    /// The build for this system, or any.
    release: &'a Release,
    targets: Vec<String>,
    entitled: MarketEntitlement,
    compatible: MarketCompatibility,
    advisories: Vec<&'a Advisory>,
    bad: Option<String>,
}

/// Releases of each engine, each version once, newest first.
type Grouped<'a> = BTreeMap<&'a str, BTreeMap<std::cmp::Reverse<&'a Version>, Vec<&'a Release>>>;

fn grouped(catalogue: &Catalogue) -> Grouped<'_> {
    let mut all: Grouped<'_> = BTreeMap::new();
    for release in &catalogue.releases {
        let versions = all.entry(&release.engine).or_default();
        versions.entry(std::cmp::Reverse(&release.version)).or_default().push(release);
    }
    all
}

/// Every engine of the catalogue.
pub(super) fn engines(
    catalogue: &Catalogue,
    judge: &Judge<'_>,
    stored: &BTreeMap<String, Stored>,
) -> Vec<MarketEngineDetail> {
    let described = |(id, versions): (&str, BTreeMap<_, Vec<&Release>>)| {
        let here = stored.get(id);
        let offers: Vec<Offer<'_>> =
            versions.into_values().filter_map(|builds| judge.offer(catalogue, &builds, here)).collect();
        judge.engine(catalogue, id, &offers, here)
    };
    grouped(catalogue).into_iter().filter_map(described).collect()
}

impl Judge<'_> {
    fn offer<'a>(
        &self,
        catalogue: &'a Catalogue,
        builds: &[&'a Release],
        here: Option<&Stored>,
    ) -> Option<Offer<'a>> {
        let release = builds.iter().find(|r| r.target == TARGET).or_else(|| builds.first())?;
        let concerns =
            |a: &&Advisory| a.engine == release.engine && version_matches(&a.versions, &release.version);
        Some(Offer {
            release,
            targets: builds.iter().map(|r| r.target.clone()).collect(),
            entitled: (self.entitled)(release),
            compatible: self.compatible(catalogue, release),
            advisories: catalogue.advisories.iter().filter(concerns).collect(),
            bad: here.and_then(|s| s.bad.get(&release.version).cloned()),
        })
    }

    /// What taking the package in would say, as far as the catalogue tells.
    fn compatible(&self, catalogue: &Catalogue, release: &Release) -> MarketCompatibility {
        let why = self.against(catalogue, release);
        MarketCompatibility { ok: why.is_none(), why }
    }

    fn against(&self, catalogue: &Catalogue, release: &Release) -> Option<String> {
        let needs = &release.requires;
        let needs = plugin_runtime::Requirements { api: &needs.api, host: &needs.host, agent: &needs.agent };
        if let Err(refusal) = needs.check(&self.side) {
            return Some(refusal.message);
        }
        if release.target != TARGET {
            return Some(format!("It was built for {}; this system is {TARGET}.", release.target));
        }
        let below = |lowest: &Version| format!("Versions below {lowest} were withdrawn.");
        match self.revocations.engine(&release.engine, &release.version) {
            EngineStanding::Killed { reason } => return Some(format!("It was withdrawn: {reason}.")),
            EngineStanding::BelowLowestGood { lowest } => return Some(below(&lowest)),
            EngineStanding::Good => {}
        }
        catalogue.floors.get(&release.engine).filter(|lowest| release.version < **lowest).map(below)
    }

    fn engine(
        &self,
        catalogue: &Catalogue,
        id: &str,
        offers: &[Offer<'_>],
        here: Option<&Stored>,
    ) -> Option<MarketEngineDetail> {
        let of_channel = |o: &&Offer<'_>| self.channel.takes(o.release.channel);
        let newest = offers.iter().find(of_channel);
        // An engine that the channel has nothing of is shown all the same.
        let shown = newest.or_else(|| offers.first())?;
        let current = here.and_then(|s| s.current.as_ref());
        let update = here.and_then(|s| offers.iter().find(|o| of_channel(o) && o.updates(s)));
        let lowest = lowest_good(catalogue, self.revocations, id);
        let advisory = |a: &Advisory| advisory(a, current);
        let release = shown.release;
        Some(MarketEngineDetail {
            engine: MarketEngine {
                id: id.into(),
                name: release.name.clone(),
                description: release.description.clone(),
                publisher: release.publisher.clone(),
                tier: release.tier.clone(),
                newest: newest.map(|o| o.release.version.to_string()),
                installed: current.map(Version::to_string),
                update_available: update.is_some(),
                update_to: update.map(|o| o.release.version.to_string()),
                entitled: shown.entitled.clone(),
                compatible: shown.compatible.clone(),
                advisories: catalogue.advisories.iter().filter(|a| a.engine == id).map(advisory).collect(),
                below_lowest_good: current.zip(lowest).is_some_and(|(v, l)| v < l),
                lowest_good: lowest.map(Version::to_string),
            },
            versions: offers.iter().map(Offer::version).collect(),
        })
    }
}

impl Offer<'_> {
    /// Whether it may take the place of what is in use without anybody asking again.
    fn updates(&self, here: &Stored) -> bool {
        let version = &self.release.version;
        let newer = here.current.as_ref().is_some_and(|current| version > current);
        newer
            && *version >= here.highest
            && self.compatible.ok
            && may_run(&self.entitled)
            && self.advisories.is_empty()
            && self.bad.is_none()
    }

    fn version(&self) -> MarketVersion {
        let release = self.release;
        MarketVersion {
            version: release.version.to_string(),
            channel: release.channel,
            notes: release.notes.clone(),
            size: release.size,
            built_at: release.built_at,
            published_at: release.published_at,
            targets: self.targets.clone(),
            entitled: self.entitled.clone(),
            compatible: self.compatible.clone(),
            advisories: self.advisories.iter().map(|a| a.id.clone()).collect(),
            bad: self.bad.clone(),
        }
    }
}

/// Whether everything works with what the licence says.
pub(super) fn may_run(entitled: &MarketEntitlement) -> bool {
    matches!(entitled.state.as_str(), "granted" | "grace")
}

fn lowest_good<'a>(catalogue: &'a Catalogue, lists: &'a Revocations, id: &str) -> Option<&'a Version> {
    catalogue.floors.get(id).max(lists.lowest_good(id))
}

fn advisory(advisory: &Advisory, current: Option<&Version>) -> MarketAdvisory {
    MarketAdvisory {
        id: advisory.id.clone(),
        versions: advisory.versions.to_string(),
        severity: advisory.severity.clone(),
        title: advisory.title.clone(),
        detail: advisory.detail.clone(),
        fixed_in: advisory.fixed_in.as_ref().map(Version::to_string),
        published_at: advisory.published_at,
        affects_installed: current.is_some_and(|v| version_matches(&advisory.versions, v)),
    }
}
