//! Contact with the portal: what was used is told, and what is newer is heard. Off unless the policy says so.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use licenses::{
    License,
    receipt::{Countersigned, Period, Receipt, ReceiptError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Marketplace, MarketplaceError, SourceError, model::ContactStatus, portal::Refused, receipts, store,
};
use crate::{app::App, audit::Change, ctx::Ctx, events::NewEvent, keys};

/// How often it is looked whether contact is due, and how many machines there are.
const LOOK: Duration = Duration::from_secs(60);
/// From one contact to the next, a quarter of an hour more or less.
const EVERY: TimeDelta = TimeDelta::hours(24);
/// After a contact that failed.
const AFTER_FAILURE: TimeDelta = TimeDelta::hours(1);
/// The shortest period that gets a receipt of its own.
const SHORTEST: TimeDelta = TimeDelta::hours(1);
/// Receipts in one call.
const RECEIPTS: u64 = 50;
/// Engines in one call.
const ENGINES: usize = 200;
/// Largest answer, in bytes.
const ANSWER: usize = 8 << 20;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(60);

/// The most machines since the last receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub from: DateTime<Utc>,
    pub machines: u64,
}

/// What the portal answers.
#[derive(Debug, Deserialize)]
struct Answer {
    license: Option<String>,
    revocations: Option<String>,
    #[serde(default)]
    receipts: Vec<String>,
}

impl Marketplace {
    /// Keep contact until the host stops, for as long as the policy says so.
    pub(super) async fn keep_contact(self) {
        let stop = self.0.core.shutdown.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
                () = self.0.contact_wake.notified() => {}
            }
            if let Err(error) = self.look_at_contact().await {
                tracing::warn!(%error, "contact with the portal was not looked at");
            }
        }
    }

    async fn look_at_contact(&self) -> Result<(), MarketplaceError> {
        if !self.policy().contact || self.portal().is_err() {
            return Ok(());
        }
        self.count().await?;
        let (now, status) = (self.0.core.clock.now(), self.contact_status().await?);
        match status.next_at {
            Some(next) if next > now && next - now < EVERY * 2 => Ok(()),
            _ => self.contact_now().await,
        }
    }

    /// The most machines that there were since the last receipt.
    async fn count(&self) -> Result<Counted, MarketplaceError> {
        let (app, now) = (self.app()?, self.app()?.license.effective_now());
        let counted = app.machines.approved(&Ctx::job("marketplace")).await;
        let machines = counted.map_err(|e| SourceError::new("count_failed", e.to_string()))?;
        let known: Option<Counted> = store::get(self.0.core.db.read(), store::COUNTED).await?;
        let most = match known {
            Some(known) => Counted { machines: known.machines.max(machines), ..known },
            None => Counted { from: now, machines },
        };
        if known != Some(most) {
            store::put(self.0.core.db.write(), store::COUNTED, &most, self.0.core.clock.now()).await?;
        }
        Ok(most)
    }

    pub(super) async fn contact_status(&self) -> Result<ContactStatus, MarketplaceError> {
        let kept: ContactStatus =
            store::get(self.0.core.db.read(), store::CONTACT).await?.unwrap_or_default();
        let next_at = kept.next_at.filter(|_| self.policy().contact);
        Ok(ContactStatus { next_at, ..kept })
    }

    /// Speak with the portal now, for every licence.
    ///
    /// # Errors
    /// The first thing that went wrong; it is kept for the status too.
    pub async fn contact_now(&self) -> Result<(), MarketplaceError> {
        let _talking = self.0.talking.lock().await;
        let said = self.speak().await;
        let now = self.0.core.clock.now();
        let before = self.contact_status().await?;
        let spread = TimeDelta::seconds((i64::from(keys::random::<1>()[0]) - 128) * 7);
        let status = match &said {
            Ok(()) => {
                ContactStatus { last_at: Some(now), next_at: Some(now + EVERY + spread), problem: None }
            }
            Err(error) => {
                tracing::warn!(code = %error.code, %error, "the portal did not take what it was told");
                let problem = Some(self.problem(error));
                ContactStatus { next_at: Some(now + AFTER_FAILURE), problem, ..before }
            }
        };
        let outcome = if said.is_ok() { "done" } else { "failed" };
        metrics::counter!("sysmanage_marketplace_contacts_total", "outcome" => outcome).increment(1);
        store::put(self.0.core.db.write(), store::CONTACT, &status, now).await?;
        let data = json!({"problem": status.problem});
        self.0.core.events.publish(NewEvent::new("marketplace.contacted", "engines:read", data));
        Ok(said?)
    }

    async fn speak(&self) -> Result<(), SourceError> {
        let app = self.app().map_err(failed)?;
        let tokens = app.license.tokens();
        if tokens.is_empty() {
            let why =
                "There is no licence to show to the portal. Install one: `sysmanage license install FILE`.";
            return Err(SourceError::new("no_license", why));
        }
        let counted = self.count().await.map_err(failed)?;
        let now = app.license.effective_now();
        let mut wrong = None;
        for token in &tokens {
            if let Err(error) = self.speak_for(&app, token, counted, now).await {
                wrong.get_or_insert(error);
            }
        }
        if now.signed_duration_since(counted.from) >= SHORTEST && wrong.is_none() {
            let next = Counted { from: now, machines: 0 };
            let kept = store::put(self.0.core.db.write(), store::COUNTED, &next, now).await;
            kept.map_err(failed)?;
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Write the receipt of the period, and tell those that the portal has not countersigned.
    async fn speak_for(
        &self,
        app: &App,
        token: &str,
        counted: Counted,
        now: DateTime<Utc>,
    ) -> Result<(), SourceError> {
        let trust = app.license.trust();
        let license = License::verify(token, &trust).map_err(failed)?;
        if !license.signer().realm.is_vendor() {
            return Ok(());
        }
        let id = &license.claims().id;
        self.write_receipt(id, counted, now).await?;
        match self.call(app, token, id).await {
            Ok(()) => Ok(()),
            // With what the portal has as the last receipt, the same call goes through.
            Err(Refused { problem, .. }) if self.adopt_head(app, id, &problem).await? => {
                self.call(app, token, id).await.map_err(|refused| refused.error)
            }
            Err(refused) => Err(refused.error),
        }
    }

    /// Tell the portal what it has not countersigned, and take what it answers.
    async fn call(&self, app: &App, token: &str, license: &str) -> Result<(), Refused> {
        let open = receipts::open(self.0.core.db.read(), license, RECEIPTS).await.map_err(failed)?;
        let engines = app.engines.stored().await.map_err(failed)?;
        let engines =
            engines.into_iter().filter_map(|(id, s)| Some(json!({"id": id, "version": s.current?})));
        let body = json!({
            "host_version": env!("CARGO_PKG_VERSION"),
            "engines": engines.take(ENGINES).collect::<Vec<_>>(),
            "receipts": open.iter().map(|row| row.receipt.as_str()).collect::<Vec<_>>(),
        });
        let portal = self.portal().map_err(failed)?;
        let body = body.to_string().into_bytes();
        let call = portal.post(&["api", "v1", "hosts", "contact"], token, body, ANSWER);
        let late = |_| SourceError::passing("portal_slow", "The portal did not answer in time.");
        let answer = tokio::time::timeout(CALL, call).await.map_err(late)??;
        let wrong = |e: serde_json::Error| {
            SourceError::new("malformed", format!("The portal's answer does not read: {e}."))
        };
        let answer: Answer = serde_json::from_slice(&answer).map_err(wrong)?;
        // Each part stands for itself: one that is not believed keeps no other one back.
        let taken = self.take_answer(app, &answer).await;
        let sent: BTreeSet<&str> = open.iter().map(|row| row.receipt.as_str()).collect();
        self.keep_countersigned(app, license, &sent, &answer.receipts).await?;
        Ok(taken?)
    }

    async fn keep_countersigned(
        &self,
        app: &App,
        license: &str,
        sent: &BTreeSet<&str>,
        countersigned: &[String],
    ) -> Result<(), SourceError> {
        let trust = app.license.trust();
        let mut heard = None;
        for text in countersigned {
            let signed = Countersigned::verify(text, &trust).map_err(failed_by(ReceiptError::code))?;
            if !sent.contains(signed.receipt().text()) {
                let why = "The portal countersigned what was not sent.";
                return Err(SourceError::new("foreign_receipt", why));
            }
            if signed.signer().realm.is_vendor() {
                heard = heard.max(Some(signed.at()));
            }
            let sequence = signed.receipt().usage().sequence.try_into().unwrap_or(i64::MAX);
            let kept = receipts::countersign(self.0.core.db.write(), license, sequence, text).await;
            kept.map_err(failed)?;
        }
        match heard {
            // What the portal signed is the proof that it was the portal that answered.
            Some(at) => app.license.note_contact(at).await.map_err(failed),
            None => Ok(()),
        }
    }

    /// The next receipt of a licence's chain, once its period is long enough.
    async fn write_receipt(
        &self,
        license: &str,
        counted: Counted,
        now: DateTime<Utc>,
    ) -> Result<(), SourceError> {
        let db = &self.0.core.db;
        let before = receipts::last(db.read(), license).await.map_err(failed)?;
        let before = before.map(|row| Receipt::verify(&row.receipt)).transpose();
        let before = before.map_err(failed_by(ReceiptError::code))?;
        let from = before.as_ref().map_or(counted.from, |b| b.usage().until.max(counted.from));
        // The first one is told at once, so that the portal has heard of this host.
        if now <= from || (before.is_some() && now.signed_duration_since(from) < SHORTEST) {
            return Ok(());
        }
        let period = Period { from, until: now, machines: counted.machines, child_machines: 0, ledger: None };
        let receipt = Receipt::sign(&self.0.core.keys.instance, license, before.as_ref(), period)
            .map_err(failed_by(ReceiptError::code))?;
        receipts::insert(db.write(), &receipt, now).await.map_err(failed)
    }

    /// A host that was brought back from a backup knows less than it once told: it goes on from what the portal has.
    async fn adopt_head(&self, app: &App, license: &str, problem: &Value) -> Result<bool, SourceError> {
        let Some(text) = problem["head"].as_str() else { return Ok(false) };
        let Ok(head) = Countersigned::verify(text, &app.license.trust()) else { return Ok(false) };
        let usage = head.receipt().usage();
        if usage.instance != self.0.core.keys.instance.public_key() || usage.license != license {
            return Ok(false);
        }
        let (db, now) = (&self.0.core.db, self.0.core.clock.now());
        let tx = db.begin().await.map_err(failed)?;
        receipts::drop_open(&tx, license).await.map_err(failed)?;
        let adopted = receipts::adopt(&tx, head.receipt(), text, now).await;
        adopted.map_err(failed)?;
        let told = json!({"license": license, "sequence": usage.sequence});
        let change = Change::new("marketplace.receipts_adopted", "license", license).after(told);
        self.0.core.audit.record_in(&Ctx::job("marketplace"), &tx, change).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// What is newer at the portal. What is older than what is here changes nothing.
    async fn take_answer(&self, app: &App, answer: &Answer) -> Result<(), SourceError> {
        let ctx = Ctx::job("marketplace");
        if let Some(list) = &answer.revocations {
            app.license.take_revocations(&ctx, list).await.map_err(failed)?;
        }
        if let Some(token) = &answer.license {
            app.license.take_edition(&ctx, token).await.map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> SourceError {
    SourceError::new("contact_failed", error.to_string())
}

fn failed_by<E: std::fmt::Display>(code: impl Fn(&E) -> &'static str) -> impl Fn(E) -> SourceError {
    move |error| SourceError::new(code(&error), error.to_string())
}
