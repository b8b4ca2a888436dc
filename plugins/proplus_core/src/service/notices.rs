//! Notices 90, 60, 30 and 7 days before a licence ends.

use chrono::{DateTime, Utc};
use plugin_sdk::{
    Ctx,
    payloads::{
        licenses::{LicenseFacts, LicenseReport},
        notify::Notification,
    },
};
use serde_json::json;

use super::{Coverage, Result, allowed};
use crate::{entities::notice, permissions::READ};

/// Days before the end, the nearest last.
const DAYS: [i64; 4] = [90, 60, 30, 7];

/// Whole days until `end`, rounded up: on the last day it is 1.
pub(super) fn days_left(end: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    let seconds = (end - now).num_seconds();
    if seconds <= 0 { seconds / 86_400 } else { (seconds + 86_399) / 86_400 }
}

/// The nearest of the marks that have been passed. Whoever installs a licence of 20 days is told once, not three times.
fn due(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<i64> {
    let left = days_left(end, now);
    (left > 0).then(|| DAYS.into_iter().rev().find(|days| left <= *days)).flatten()
}

impl Coverage {
    /// Note what falls due, then tell people of everything they were not told yet.
    pub(super) async fn notify(&self, report: &LicenseReport, now: DateTime<Utc>) -> Result<()> {
        for license in report.licenses.iter().filter(|l| l.revoked.is_none()) {
            let Some(end) = license.expires_at else { continue };
            if let Some(days) = due(end, now) {
                self.store.add_notice(new(license, days, end, now)).await?;
            }
        }
        for notice in self.store.unsent_notices().await? {
            self.host.notify().send(&text(&notice, now)).await?;
            let facts =
                json!({"license": notice.license_id, "days": notice.days, "expires_at": notice.expires_at});
            self.store.notice_sent(notice, now).await?;
            self.note("notice.sent", facts).await?;
        }
        Ok(())
    }

    /// The last notices, newest first.
    pub async fn notices(&self, ctx: &Ctx) -> Result<Vec<notice::Model>> {
        allowed(ctx, READ)?;
        Ok(self.store.notices(200).await?)
    }
}

fn new(license: &LicenseFacts, days: i64, end: DateTime<Utc>, now: DateTime<Utc>) -> notice::Model {
    notice::Model {
        id: format!("{}/{}/{days}", license.id, end.timestamp()),
        license_id: license.id.clone(),
        days,
        expires_at: end,
        created_at: now,
        sent_at: None,
    }
}

fn text(notice: &notice::Model, now: DateTime<Utc>) -> Notification {
    let left = days_left(notice.expires_at, now);
    let day = notice.expires_at.format("%Y-%m-%d");
    Notification {
        severity: if notice.days <= 7 { "critical" } else { "warning" }.into(),
        title: format!("Licence {} ends in {left} days", notice.license_id),
        body: format!(
            "It ends on {day}. The licence page says what stops then, and makes the request for a renewal."
        ),
        permission: Some(READ.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn only_the_nearest_mark_is_due() {
        let now = DateTime::UNIX_EPOCH;
        let at = |days| due(now + TimeDelta::days(days), now);
        assert_eq!(
            [at(100), at(90), at(61), at(60), at(20), at(7), at(1)],
            [None, Some(90), Some(90), Some(60), Some(30), Some(7), Some(7)]
        );
        assert_eq!([at(0), at(-3)], [None, None]);
    }
}
