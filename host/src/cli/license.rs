//! `sysmanage license`.

use std::path::PathBuf;

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use clap::Subcommand;
use http::Method;

use super::{
    Session,
    client::{Body, encoded},
};

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
    /// Remove the licence. Nothing is deleted: engines lock and come back with the next licence.
    Remove {
        /// Licence id; all when absent.
        id: Option<String>,
    },
}

impl LicenseCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Install { file } => {
                let token =
                    std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let body = Body::Raw(token, "text/plain; charset=utf-8");
                let answer = client.call(Method::PUT, "/api/v1/license", body).await?;
                session.out.thing(&answer)
            }
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

fn instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(at) = text.parse::<DateTime<Utc>>() {
        return Ok(at);
    }
    let date: NaiveDate =
        text.parse().with_context(|| format!("`{text}` is neither 2030-01-31 nor an instant"))?;
    Ok(date.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc())
}
