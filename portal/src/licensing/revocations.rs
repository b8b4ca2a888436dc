//! The revocation list: signed when what it says has changed, and given out as it was signed.

use ring::digest::{SHA256, digest};
use sea_orm::ConnectionTrait;
use trust::{RevocationBody, RevokedLicense};

use super::{Licensing, LicensingError, entity::list, store};
use crate::advisories;

impl Licensing {
    /// The signed revocation list; nothing while nothing was ever revoked.
    pub async fn revocations(&self) -> Result<Option<String>, LicensingError> {
        let db = self.core.db.read();
        let (said, content) = self.to_say(db).await?;
        let newest = store::newest_list(db).await?;
        match newest {
            Some(list) if self.is_current(&list, &content) => Ok(Some(list.signed)),
            None if said.licenses.is_empty() && said.lowest_good.is_empty() => Ok(None),
            _ => self.sign_list().await.map(Some),
        }
    }

    /// What the list says by now, without number and date, and the digest of that.
    async fn to_say(&self, db: &impl ConnectionTrait) -> Result<(RevocationBody, String), LicensingError> {
        let rows = store::revoked(db).await?;
        let revoked = rows.into_iter().map(|row| RevokedLicense { id: row.license_id, reason: row.reason });
        let body = RevocationBody {
            licenses: revoked.collect(),
            lowest_good: advisories::lowest_good(db).await?,
            ..RevocationBody::empty(0, chrono::DateTime::UNIX_EPOCH)
        };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let content = data_encoding::HEXLOWER.encode(digest(&SHA256, &text).as_ref());
        Ok((body, content))
    }

    /// A list whose key was revoked is signed anew, under a new number.
    fn is_current(&self, list: &list::Model, content: &str) -> bool {
        list.content == content && self.keys.believes(&list.signed)
    }

    async fn sign_list(&self) -> Result<String, LicensingError> {
        let tx = self.core.db.begin().await?;
        let (said, content) = self.to_say(&tx).await?;
        let newest = store::newest_list(&tx).await?;
        if let Some(list) = newest.as_ref().filter(|list| self.is_current(list, &content)) {
            return Ok(list.signed.clone());
        }
        let counted = store::revoked(&tx).await?.last().map_or(0, |last| last.sequence);
        let sequence = newest.map_or(0, |list| list.sequence).max(counted) + 1;
        let issued_at = self.core.clock.now();
        let number = u64::try_from(sequence).unwrap_or_default();
        let signed = self.keys.revocations(RevocationBody { sequence: number, issued_at, ..said }).await?;
        // On PostgreSQL two portals may come here at once; what stands under the number first is the list.
        let kept = store::keep_list(&tx, list::Model { sequence, content, signed, issued_at }).await?;
        tx.commit().await?;
        Ok(kept.signed)
    }
}
