//! `sysmanage software|update`.

use clap::Subcommand;

use super::{Session, client::encoded};

/// Software across machines.
#[derive(Debug, Subcommand)]
pub(super) enum SoftwareCommand {
    /// List software by title, with the number of machines that have it.
    List {
        /// Only what machines have that this selector matches, e.g. `os:debian tag:web`.
        #[arg(default_value = "")]
        selector: String,
        /// With this in its name.
        #[arg(long, default_value = "")]
        search: String,
        /// Those on most machines first.
        #[arg(long)]
        by_machines: bool,
        /// Most titles, up to 500.
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
    /// Show a title's versions and the machines that have it.
    Show {
        /// Name or id.
        software: String,
        /// Only machines that this selector matches.
        #[arg(default_value = "")]
        selector: String,
    },
}

impl SoftwareCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::List { selector, search, by_machines, limit } => {
                let sort = if by_machines { "-machines" } else { "name" };
                let query = format!("q={}&search={}", encoded(&selector), encoded(&search));
                let found =
                    client.get(&format!("/api/v1/software?limit={limit}&sort={sort}&{query}")).await?;
                session.out.table(&found, &["name", "manager", "machines", "versions", "title"])
            }
            Self::Show { software, selector } => {
                let path = format!("/api/v1/software/{}", encoded(&software));
                let q = encoded(&selector);
                let mut title = client.get(&format!("{path}?q={q}")).await?;
                let machines = client.get(&format!("{path}/machines?limit=500&q={q}")).await?;
                if session.out.json {
                    title["on"] = machines["items"].clone();
                    return session.out.json(&title);
                }
                session.out.table(&title["installed"], &["version", "arch", "machines"])?;
                session.out.line("")?;
                session.out.table(&machines, &["machine_name", "version", "arch", "online"])
            }
        }
    }
}

/// Updates across machines.
#[derive(Debug, Subcommand)]
pub(super) enum UpdateCommand {
    /// List updates by package and new version, with the number of machines that need them.
    List {
        /// Only what machines need that this selector matches.
        #[arg(default_value = "")]
        selector: String,
        /// Only those that mend security.
        #[arg(long)]
        security: bool,
        /// With this in its name.
        #[arg(long, default_value = "")]
        search: String,
        /// Those on most machines first.
        #[arg(long)]
        by_machines: bool,
        /// Most updates, up to 500.
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
}

impl UpdateCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Self::List { selector, security, search, by_machines, limit } = self;
        let sort = if by_machines { "-machines" } else { "name" };
        let only = if security { "&security=true" } else { "" };
        let query = format!("q={}&search={}{only}", encoded(&selector), encoded(&search));
        let found = session
            .client()
            .await?
            .get(&format!("/api/v1/updates?limit={limit}&sort={sort}&{query}"))
            .await?;
        session.out.table(&found, &["name", "version", "arch", "security", "machines", "manager"])
    }
}
