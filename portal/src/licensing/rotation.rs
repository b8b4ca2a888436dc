//! Changing keys while the portal serves.

use chrono::{DateTime, Utc};

use super::{KeyView, Keys, Licensing, LicensingError, keys::KeyState};
use crate::{audit::Change, config::Config, ctx::Ctx};

impl Licensing {
    /// Every key, for the vendor.
    pub fn list_keys(&self, ctx: &Ctx) -> Result<Vec<KeyView>, LicensingError> {
        ctx.require_staff()?;
        Ok(self.keys.list(self.core.clock.now()))
    }

    /// Read the configuration's keys again and sign with them from now on. Where they are refused, those in use stay.
    pub async fn reload_keys(&self, ctx: &Ctx) -> Result<Vec<KeyView>, LicensingError> {
        ctx.require_staff()?;
        let (keys, now) = (self.keys.clone(), self.core.clock.now());
        let (file, in_force) = (self.core.config.file.clone(), self.core.config.licenses.clone());
        let work = tokio::task::spawn_blocking(move || {
            let config = match file {
                Some(file) => Config::load(Some(&file))?.licenses,
                None => in_force,
            };
            keys.reload(&config, now)
        });
        let outcome = work.await.map_err(|e| LicensingError::Interrupted(e.to_string()))?;
        outcome.map_err(|error| LicensingError::Keys(format!("{error:#}")))?;
        let list = self.list_keys(ctx)?;
        let sign: Vec<_> = list.iter().filter(|key| key.state == KeyState::Signs).collect();
        let change = Change::new("keys.reloaded", "keys", "licenses").detail(&sign);
        self.core.audit.record(ctx, change).await?;
        Ok(list)
    }
}

impl Keys {
    /// What is wrong with the keys, or will be soon.
    pub fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let list = self.list(now);
        let mut warnings: Vec<String> = list
            .iter()
            .filter_map(|key| Some(format!("Key {} ({}): {}", key.key, key.usage, key.warning.as_ref()?)))
            .collect();
        for usage in [trust::Usage::License, trust::Usage::Revocation, trust::Usage::Portal] {
            if !list.iter().any(|key| key.usage == usage && key.state == KeyState::Signs) {
                warnings.push(format!("No key signs `{usage}`: every certificate for it has ended."));
            }
        }
        warnings
    }

    /// Whether every use has a key that signs.
    pub fn all_sign(&self, now: DateTime<Utc>) -> bool {
        let list = self.list(now);
        [trust::Usage::License, trust::Usage::Revocation, trust::Usage::Portal]
            .iter()
            .all(|usage| list.iter().any(|key| key.usage == *usage && key.state == KeyState::Signs))
    }
}
