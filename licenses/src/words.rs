//! Decisions in sentences for people.

use crate::{Decision, EngineBuild, Entitlement, LockReason, ReadOnlyReason};
use chrono::{DateTime, Utc};

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

impl Decision {
    /// What holds, in one sentence.
    pub fn sentence(&self, build: &EngineBuild) -> String {
        let mut text = entitlement_sentence(&self.entitlement, build);
        if let Some(set_back) = self.clock_set_back {
            let (now, floor) = (day(set_back.now), day(set_back.floor));
            text += &format!(
                " The clock says {now}, but {floor} was seen before; the later time counts, so setting the clock back gains nothing."
            );
        }
        text
    }

    /// What would unlock it, in one sentence; absent when everything works.
    pub fn unlocks(&self, build: &EngineBuild) -> Option<String> {
        if let Some(set_back) = self.clock_set_back.filter(|set_back| set_back.decides) {
            return Some(format!(
                "Renew the licence. If the clock once ran ahead by mistake (to {}), set it right and ask for a licence that resets the clock.",
                day(set_back.floor)
            ));
        }
        let license = self.license.as_deref().unwrap_or_default();
        let EngineBuild { engine, version, .. } = build;
        Some(match &self.entitlement {
            Entitlement::Granted { .. } => return None,
            Entitlement::Grace { until } => {
                format!("Renew licence {license} before {}.", day(*until))
            }
            Entitlement::ReadOnly { reason: ReadOnlyReason::Expired, .. } => {
                format!("Renew licence {license}; nothing has been deleted.")
            }
            Entitlement::ReadOnly { reason: ReadOnlyReason::OfflineTooLong, .. } => {
                format!("Connect the host to the portal, or install a fresh edition of licence {license}.")
            }
            Entitlement::Locked { reason } => match reason {
                LockReason::NoLicense | LockReason::EngineNotIncluded => {
                    format!("Install a licence that names {engine}.")
                }
                LockReason::VersionNotIncluded { versions, support_until: None } => {
                    format!(
                        "Install a version of {engine} in {versions}, or a licence that covers {version}."
                    )
                }
                LockReason::VersionNotIncluded { support_until: Some(until), .. } => {
                    format!("Install a version of {engine} built by {}, or renew the support.", day(*until))
                }
                LockReason::WrongInstance => {
                    "Transfer the licence to this host in the portal, then install it again.".to_owned()
                }
                LockReason::Revoked { .. } => "Install another licence; ask the vendor why.".to_owned(),
                LockReason::NotYetValid { from } => {
                    format!("Wait until {}, or install a licence that is valid now.", day(*from))
                }
            },
        })
    }
}

fn entitlement_sentence(entitlement: &Entitlement, build: &EngineBuild) -> String {
    let name = format!("{} {}", build.engine, build.version);
    match entitlement {
        Entitlement::Granted { until: None } => format!("{name} is licensed without end."),
        Entitlement::Granted { until: Some(until) } => format!("{name} is licensed until {}.", day(*until)),
        Entitlement::Grace { until } => {
            format!("The licence of {name} has expired; everything works in grace until {}.", day(*until))
        }
        Entitlement::ReadOnly { since, reason } => {
            let why = match reason {
                ReadOnlyReason::Expired => "the licence and its grace are over",
                ReadOnlyReason::OfflineTooLong => {
                    "the host has been without contact to the portal for too long"
                }
            };
            format!("{name} is read-only since {}: {why}.", day(*since))
        }
        Entitlement::Locked { reason } => format!("{name} is locked: {}.", lock_words(reason, &build.engine)),
    }
}

fn lock_words(reason: &LockReason, engine: &str) -> String {
    match reason {
        LockReason::NoLicense => "no licence is installed".to_owned(),
        LockReason::EngineNotIncluded => format!("no installed licence names {engine}"),
        LockReason::VersionNotIncluded { versions, support_until: None } => {
            format!("the licence covers only versions {versions}")
        }
        LockReason::VersionNotIncluded { support_until: Some(until), .. } => {
            format!("the licence covers only builds made by {}", day(*until))
        }
        LockReason::WrongInstance => "the licence is bound to another host".to_owned(),
        LockReason::Revoked { why } => format!("the licence was revoked ({why})"),
        LockReason::NotYetValid { from } => format!("the licence begins on {}", day(*from)),
    }
}
