//! `sysmanage license`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use clap::Subcommand;
use http::Method;
use licenses::{InstanceKey, InstanceRequest};
use zeroize::Zeroizing;

use super::{
    Session,
    client::{Body, encoded},
};
use crate::keys;

/// The licence.
#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Install a licence.
    Install {
        /// File with the token.
        file: PathBuf,
    },
    /// Show what is installed and what it unlocks.
    Show,
    /// Say for each engine what the licence decides and why.
    Explain {
        /// As it will be at this date or instant; now when absent.
        #[arg(long)]
        at: Option<String>,
    },
    /// Write down which instance this is, on the host's own computer: a portal makes a licence for it of that, where there is no
    /// network between the two.
    Request {
        /// File to write.
        file: PathBuf,
    },
    /// Remove the licence. Nothing is deleted: engines lock and come back with the next licence.
    Remove {
        /// Licence id; all when absent.
        id: Option<String>,
    },
}

impl LicenseCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        if let Self::Request { file } = &self {
            let config = session.config()?;
            let text = request(&config.data_dir, &config.public_name(), Utc::now())?;
            std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
            return session.out.thing(&serde_json::json!({"file": file}));
        }
        let client = session.client().await?;
        match self {
            Self::Install { file } => {
                let token =
                    std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let body = Body::Raw(token, "text/plain; charset=utf-8");
                let answer = client.call(Method::PUT, "/api/v1/license", body).await?;
                session.out.thing(&answer)
            }
            // Answered above: it needs no host that runs.
            Self::Request { .. } => Ok(()),
            Self::Show => session.out.thing(&client.get("/api/v1/license").await?),
            Self::Explain { at } => {
                let query = at.map(|at| instant(&at)).transpose()?;
                let query = query.map(|at| format!("?at={}", encoded(&at.to_rfc3339()))).unwrap_or_default();
                session.out.thing(&client.get(&format!("/api/v1/license/explain{query}")).await?)
            }
            Self::Remove { id } => {
                let path =
                    id.map_or("/api/v1/license".into(), |id| format!("/api/v1/license/{}", encoded(&id)));
                let answer = client.delete(&path).await?;
                session.out.done(&answer, "removed; engines it unlocked are locked, their data is kept")
            }
        }
    }
}

/// The instance request of the host whose data are in a folder.
fn request(data_dir: &Path, name: &str, now: DateTime<Utc>) -> anyhow::Result<String> {
    let file = data_dir.join(keys::INSTANCE_FILE);
    let key = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()));
    let key =
        Zeroizing::new(key.context("run this where the host runs, as its user, after its first start")?);
    let key = InstanceKey::from_pkcs8(&key).ok().context("the instance's key is damaged")?;
    Ok(InstanceRequest::sign(&key, name, now))
}

fn instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(at) = text.parse::<DateTime<Utc>>() {
        return Ok(at);
    }
    let date: NaiveDate =
        text.parse().with_context(|| format!("`{text}` is neither 2030-01-31 nor an instant"))?;
    Ok(date.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_this_hosts_instance_and_makes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(request(folder.path(), "host", Utc::now()).is_err());
        assert!(!folder.path().join(keys::INSTANCE_FILE).exists());
        let keys = keys::Keys::open(folder.path()).expect("new keys");
        let text = request(folder.path(), "host.example.org", Utc::now()).expect("a request");
        let read = InstanceRequest::verify(&text).expect("it verifies");
        assert_eq!(read.instance_id(), keys.instance.public_key().id());
        assert_eq!(read.host, "host.example.org");
    }
}
