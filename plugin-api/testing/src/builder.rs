//! What a test says before its engine starts.

use std::{collections::BTreeSet, marker::PhantomData};

use plugin_api::{Capability, services::machines::Machine};
use plugin_sdk::Exported;
use serde_json::Value;

use crate::{FakeHost, TestEngine, TestLicense};

/// Prepares a [`TestEngine`].
pub struct Builder<E> {
    pub(crate) host: FakeHost,
    pub(crate) license: TestLicense,
    pub(crate) withheld: BTreeSet<Capability>,
    engine: PhantomData<fn() -> E>,
}

impl<E: Exported> Default for Builder<E> {
    fn default() -> Self {
        Self {
            host: FakeHost::default(),
            license: TestLicense::Full,
            withheld: BTreeSet::new(),
            engine: PhantomData,
        }
    }
}

impl<E: Exported> Builder<E> {
    /// Add a machine.
    #[must_use]
    pub fn machine(self, machine: Machine) -> Self {
        self.host.add_machine(machine);
        self
    }

    /// Add an online Debian machine with a name and tags; its id is derived from the name.
    #[must_use]
    pub fn debian(self, name: &str, tags: &[&str]) -> Self {
        self.host.add_machine(Machine {
            id: FakeHost::machine_id(name),
            name: name.into(),
            os_family: "linux".into(),
            os_name: "debian".into(),
            os_version: "12".into(),
            tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            online: true,
        });
        self
    }

    /// Add a secret.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.host.set_secret(name, value);
        self
    }

    /// Set a setting; the manifest's defaults apply to the others.
    #[must_use]
    pub fn setting(self, key: &str, value: impl Into<Value>) -> Self {
        self.host.set_setting(key, value.into());
        self
    }

    /// Do not grant a capability the manifest asks for.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.withheld.insert(capability);
        self
    }

    /// Start with this licence instead of a full one.
    #[must_use]
    pub fn license(mut self, license: TestLicense) -> Self {
        self.license = license;
        self
    }

    /// Start the engine.
    ///
    /// # Panics
    /// When it does not start; [`TestEngine::try_start`] tells why instead.
    pub async fn start(self) -> TestEngine<E> {
        match self.try_start().await {
            Ok(engine) => engine,
            Err(e) => panic!("the engine does not start: {e}"),
        }
    }
}
