//! Updates by policy: the catalogue is looked at now and then, people are told of what is new, and updates are installed
//! within the window.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Local, TimeDelta, Utc};
use tokio::time::Instant;

use super::{
    DownloadState, Marketplace, MarketplaceError, UpdateMode,
    model::{MarketAdvisory, MarketEngine, MarketEngineDetail},
    store,
};
use crate::{
    ctx::Ctx,
    keys,
    notifications::{Level, NewNotification},
};

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(30);
/// How long after a look that failed the next one comes.
const AFTER_FAILURE: TimeDelta = TimeDelta::minutes(15);
/// How long after an update that was given up it is tried again.
const TRY_AGAIN: TimeDelta = TimeDelta::hours(6);
/// Notifications of one look; more would bury each other.
const MOST_TOLD: usize = 20;

impl Marketplace {
    /// Do what the policy says until the host stops.
    pub(super) async fn follow_policy(self) {
        let stop = self.0.core.shutdown.clone();
        // Hosts that start together do not ask together.
        let mut next = self.0.core.clock.now() + TimeDelta::seconds(i64::from(keys::random::<1>()[0]) / 4);
        let mut wait = Instant::now() + LOOK / 6;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(wait) => {}
                () = self.0.wake.notified() => {}
            }
            wait = Instant::now() + LOOK;
            let now = self.0.core.clock.now();
            if self.policy().mode != UpdateMode::Off && self.source().is_ok() && now >= next {
                let looked = self.refresh(&Ctx::job("marketplace")).await;
                next = now + if looked.is_ok() { self.interval() } else { AFTER_FAILURE };
            }
            if let Err(error) = self.install_due(now).await {
                tracing::warn!(%error, "updates of engines were not looked at");
            }
        }
    }

    /// The pause between two looks, a tenth more or less.
    fn interval(&self) -> TimeDelta {
        let minutes = i64::from(self.0.core.config.marketplace.refresh_hours) * 60;
        let spread = i64::from(keys::random::<1>()[0]) - 128;
        TimeDelta::minutes(minutes + minutes * spread / 1280)
    }

    /// Begin the updates that the policy lets install themselves now.
    async fn install_due(&self, now: DateTime<Utc>) -> Result<(), MarketplaceError> {
        if !self.policy().installs_at(now, &Local) || self.source().is_err() {
            return Ok(());
        }
        let due: Vec<_> = self.offers().await?.into_iter().map(|o| o.engine).collect();
        let due: Vec<_> = due.into_iter().filter_map(|e| Some((e.id, e.update_to?))).collect();
        if due.is_empty() {
            return Ok(());
        }
        let tried = store::downloads(self.0.core.db.read()).await?;
        for (engine, version) in due {
            let of_this = tried.iter().filter(|d| d.engine == engine);
            let open = of_this.clone().any(|d| !DownloadState::named(&d.state).ended());
            let lately = of_this.clone().any(|d| d.version == version && now - d.updated_at < TRY_AGAIN);
            if open || lately {
                continue;
            }
            let ctx = Ctx::job("marketplace");
            if let Err(error) = self.begin_download(&ctx, &engine, Some(&version), true).await {
                tracing::warn!(engine.id = %engine, engine.version = %version, %error, "an update was not begun");
            }
        }
        Ok(())
    }

    /// Tell people what is new since they were told last: updates, advisories, versions that are no longer good.
    pub(super) async fn tell_news(&self, offers: &[MarketEngineDetail]) -> Result<(), MarketplaceError> {
        let (db, now) = (&self.0.core.db, self.0.core.clock.now());
        let told: BTreeSet<String> = store::get(db.read(), store::TOLD).await?.unwrap_or_default();
        let news: Vec<News> = offers.iter().flat_map(|o| self.news_of(&o.engine)).collect();
        // What is no longer news is forgotten, so that the list stays as long as the catalogue at most.
        let current: BTreeSet<String> = news.iter().map(|n| n.key.clone()).collect();
        if current == told {
            return Ok(());
        }
        for news in news.into_iter().filter(|n| !told.contains(&n.key)).take(MOST_TOLD) {
            self.0.core.notifications.send(news.notification).await?;
        }
        Ok(store::put(db.write(), store::TOLD, &current, now).await?)
    }

    fn news_of(&self, engine: &MarketEngine) -> Vec<News> {
        let mut news = Vec::new();
        let Some(installed) = &engine.installed else { return news };
        if self.policy().mode != UpdateMode::Off
            && let Some(version) = &engine.update_to
        {
            let title = format!("{} {version} is there", engine.name);
            let body = match self.policy().mode {
                UpdateMode::Install => {
                    format!("{installed} is in use. The update installs itself in its window.")
                }
                _ => format!("{installed} is in use. `sysmanage engine update {}` brings it.", engine.id),
            };
            news.push(News::new(format!("update:{}@{version}", engine.id), engine, Level::Info, title, body));
        }
        for advisory in engine.advisories.iter().filter(|a| a.affects_installed) {
            let key = format!("advisory:{}:{}@{installed}", advisory.id, engine.id);
            let title = format!("{} {installed}: {}", engine.name, advisory.title);
            news.push(News::new(key, engine, level(advisory), title, advice(advisory, engine)));
        }
        if engine.below_lowest_good {
            let lowest = engine.lowest_good.as_deref().unwrap_or_default();
            let key = format!("floor:{}@{lowest}:{installed}", engine.id);
            let title = format!("{} {installed} is no longer good", engine.name);
            let body = format!("Versions below {lowest} were withdrawn by the publisher. {}", remedy(engine));
            news.push(News::new(key, engine, Level::Critical, title, body));
        }
        news
    }
}

struct News {
    /// What people were told is told once.
    key: String,
    notification: NewNotification,
}

impl News {
    fn new(key: String, engine: &MarketEngine, level: Level, title: String, body: String) -> Self {
        let notification = NewNotification {
            user: None,
            permission: Some("engines:install".into()),
            source: "core".into(),
            level,
            title,
            body,
            link: Some(format!("/marketplace/{}", engine.id)),
        };
        Self { key, notification }
    }
}

fn level(advisory: &MarketAdvisory) -> Level {
    match advisory.severity.as_str() {
        "critical" | "high" => Level::Critical,
        _ => Level::Warning,
    }
}

fn advice(advisory: &MarketAdvisory, engine: &MarketEngine) -> String {
    let fixed = advisory.fixed_in.as_ref().map(|v| format!(" {v} mends it.")).unwrap_or_default();
    format!("{}{fixed} {}", advisory.detail, remedy(engine)).trim().to_owned()
}

fn remedy(engine: &MarketEngine) -> String {
    match &engine.update_to {
        Some(version) => format!("Update to {version}: `sysmanage engine update {}`.", engine.id),
        None => "No update suits this host yet; look at the engine's page.".into(),
    }
}
