//! Who may download what. The decision is the licence crate's, the one that hosts make too.

use licenses::{Circumstances, ClockFloor, EngineBuild, Entitlement, LicenseSet, decide};
use uuid::Uuid;

use super::{Release, ReleaseError, Releases};
use crate::{accounts, ctx::Ctx, licensing::License};

impl Releases {
    /// Fail unless a licence of the organisation (that of id `only`, where given) grants this release now.
    pub(super) async fn require_license(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        release: &Release,
        only: Option<&str>,
    ) -> Result<(), ReleaseError> {
        ctx.require_download(organisation)?;
        if let Some(license) = only
            && self.licensing.owner(license).await?.is_some_and(|owner| owner != organisation)
        {
            return Err(ReleaseError::WrongOrganisation);
        }
        let Some(entitlement) = &release.entitlement else { return Ok(()) };
        let build = EngineBuild::new(entitlement.as_str(), release.version.clone(), release.built_at);
        let licenses = self.licensing.of(organisation).await?;
        let mut refusal =
            ("no_license", "Your organisation has no licence. Order one, or begin a trial.".to_owned());
        for license in licenses.iter().filter(|l| only.is_none_or(|id| l.id == id)) {
            match self.judge(license, &build) {
                None => return Ok(()),
                Some(why) => refusal = why,
            }
        }
        let (code, detail) = refusal;
        Err(ReleaseError::Unlicensed { code, detail, engine: release.engine.clone() })
    }

    /// Releases that licences of an organisation grant now, and that were not withdrawn. The caller has authorised.
    pub(crate) async fn granted(&self, organisation: Uuid) -> Result<Vec<Release>, ReleaseError> {
        let licenses = self.licensing.of(organisation).await?;
        let mut releases = self.read(None).await?;
        releases.retain(|release| {
            let Some(entitlement) = &release.entitlement else { return release.yanked.is_none() };
            let build = EngineBuild::new(entitlement.as_str(), release.version.clone(), release.built_at);
            release.yanked.is_none() && licenses.iter().any(|license| self.judge(license, &build).is_none())
        });
        Ok(releases)
    }

    /// Name of an organisation. The caller has authorised.
    pub(crate) async fn organisation_name(&self, organisation: Uuid) -> Result<String, ReleaseError> {
        let found = accounts::organisation_of(self.core.db.read(), organisation).await?;
        found.map(|found| found.name).ok_or(ReleaseError::NotFound("organisation"))
    }

    /// Why one licence does not grant a build; nothing when it does.
    fn judge(&self, license: &License, build: &EngineBuild) -> Option<(&'static str, String)> {
        let id = &license.id;
        if let Some(why) = &license.revoked {
            return Some(("revoked", format!("Licence {id} was revoked: {why}.")));
        }
        let trust = self.licensing.keys().trust();
        let tokens = license.editions.first().map(|edition| edition.token.as_str());
        let (set, refused) = LicenseSet::restore(tokens, trust);
        if let Some(error) = refused.first() {
            tracing::error!(license = %id, %error, "a licence of this portal does not verify");
        }
        // The customer is here, whichever host the licence is bound to.
        let instance = set.iter().next().and_then(|l| l.claims().instance.clone());
        let decision = decide(
            build,
            &Circumstances {
                licenses: &set,
                revocations: trust.revocations(),
                now: self.core.clock.now(),
                floor: &ClockFloor::default(),
                instance: instance.as_ref(),
                last_contact: Some(self.core.clock.now()),
            },
        );
        let detail = match &decision.entitlement {
            Entitlement::Granted { .. } | Entitlement::Grace { .. } => return None,
            Entitlement::ReadOnly { since, .. } => {
                format!("Licence {id} ended on {}. Renew it to download engines.", since.format("%Y-%m-%d"))
            }
            Entitlement::Locked { .. } => format!(
                "Licence {id} does not grant {} {}. Upgrade it, or download another version.",
                build.engine, build.version
            ),
        };
        Some((decision.code(), detail))
    }
}
