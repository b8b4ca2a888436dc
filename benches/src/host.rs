//! The real host on a temporary folder: set up and licensed.

use anyhow::Result;
use e2e::{
    api::Api,
    host::{Host, Settings},
    tokens,
};
use tempfile::TempDir;

use crate::engine;

/// A host, and the folder that goes with it.
pub struct Bench {
    /// The host; it ends with this value.
    pub host: Host,
    /// Its API through the admin socket.
    pub local: Api,
    /// An administrator's token, for HTTPS.
    pub token: String,
    /// Data of the host and of what is run against it.
    pub dir: TempDir,
}

impl Bench {
    /// Start with few log lines, set up, and license the example engine and 10 000 machines.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with more environment: `AGENTS__HEARTBEAT_S`.
    pub async fn start_with(environment: &[(&str, &str)]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut settings = Settings::new(&dir.path().join("host"))?;
        settings.config = "[log]\nfilter = \"warn\"\n".into();
        let named = environment.iter().map(|(name, value)| (format!("SYSMANAGE__{name}"), (*value).into()));
        settings.environment.extend(named);
        let host = Host::start(settings).await?;
        let (_, token) = host.set_up("correct horse battery staple").await?;
        host.install_license(&tokens::sign(&tokens::claims(&[engine::ID]))?).await?;
        Ok(Self { local: host.local()?, host, token, dir })
    }

    /// Process id of the host.
    pub fn pid(&self) -> u32 {
        self.host.process.id()
    }
}
