//! The services of a pretend host: they answer from what the test said and record what the engine did.

mod calls;
mod jobs;
mod machines;
mod operations;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use plugin_api::{
    EngineError, Manifest,
    abi::{
        AbiResult, FfiFuture, FutureExt, Service, Service_TO, ServiceEntry,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RErr, ROk, RString, RVec},
        },
    },
    services::{
        audit::AuditRecord,
        events::Event,
        jobs::JobSpec,
        licenses::LicenseReport,
        machines::Machine,
        notify::Notification,
        operations::{NewOperation, Operation, OutputChunk, Task},
        reports::DatasetSpec,
    },
};
use serde_json::Value;

use crate::license::Licensor;

/// A pretend host. Clones share their state.
#[derive(Clone, Default)]
pub struct FakeHost(Arc<Mutex<State>>);

/// What the pretend host answers to a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

#[derive(Default)]
struct State {
    manifest: Option<Manifest>,
    machines: BTreeMap<String, Machine>,
    sections: BTreeMap<(String, String), Value>,
    secrets: BTreeMap<String, String>,
    secret_reads: Vec<String>,
    settings: BTreeMap<String, Value>,
    files: BTreeMap<String, Vec<u8>>,
    jobs: BTreeMap<String, JobSpec>,
    audits: Vec<AuditRecord>,
    events: Vec<Event>,
    notifications: Vec<Notification>,
    datasets: Vec<DatasetSpec>,
    replies: BTreeMap<String, FetchReply>,
    fetched: Vec<String>,
    engine_replies: BTreeMap<(String, String), Value>,
    operations: BTreeMap<String, (NewOperation, Operation)>,
    tasks: BTreeMap<String, Task>,
    outputs: BTreeMap<String, Vec<OutputChunk>>,
    cancelled: BTreeSet<String>,
    /// From an instant on, what the licences say.
    license_reports: BTreeMap<DateTime<Utc>, LicenseReport>,
}

impl FakeHost {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settings not set yet get the manifest's defaults.
    pub(crate) fn prepare(&self, manifest: &Manifest) {
        let mut state = self.lock();
        for setting in &manifest.settings {
            let default = serde_json::to_value(&setting.default).unwrap_or(Value::Null);
            state.settings.entry(setting.key.clone()).or_insert(default);
        }
        state.manifest = Some(manifest.clone());
    }

    /// The id of a machine made from its name, the same in every run.
    pub fn machine_id(name: &str) -> String {
        let mut bytes = [0_u8; 16];
        for (i, byte) in name.bytes().enumerate() {
            bytes[i % 16] = bytes[i % 16].rotate_left(3) ^ byte;
        }
        uuid::Builder::from_bytes(bytes).with_version(uuid::Version::Random).into_uuid().to_string()
    }

    /// From `at` on the service `licenses` answers this; without any, an empty report.
    pub fn set_license_report(&self, at: DateTime<Utc>, report: LicenseReport) {
        self.lock().license_reports.insert(at, report);
    }

    pub(super) fn license_report(&self, at: DateTime<Utc>) -> LicenseReport {
        let report = self.lock().license_reports.range(..=at).next_back().map(|(_, r)| r.clone());
        LicenseReport { at: Some(at), ..report.unwrap_or_default() }
    }

    /// Add or replace a machine.
    pub fn add_machine(&self, machine: Machine) {
        self.lock().machines.insert(machine.id.clone(), machine);
    }

    /// Set a machine's inventory section.
    pub fn set_section(&self, machine_id: &str, section: &str, value: Value) {
        self.lock().sections.insert((machine_id.into(), section.into()), value);
    }

    /// Set a secret.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.lock().secrets.insert(name.into(), value.into());
    }

    /// Names of the secrets the engine read, in order.
    pub fn secret_reads(&self) -> Vec<String> {
        self.lock().secret_reads.clone()
    }

    /// Set a setting.
    pub fn set_setting(&self, key: &str, value: Value) {
        self.lock().settings.insert(key.into(), value);
    }

    /// Answer fetches of `url`.
    pub fn reply(&self, url: &str, status: u16, body: impl Into<Vec<u8>>) {
        self.lock().replies.insert(url.into(), FetchReply { status, body: body.into() });
    }

    /// Answer calls of another engine's method.
    pub fn engine_reply(&self, engine: &str, method: &str, answer: Value) {
        self.lock().engine_replies.insert((engine.into(), method.into()), answer);
    }

    /// URLs fetched, in order.
    pub fn fetched(&self) -> Vec<String> {
        self.lock().fetched.clone()
    }

    /// Audit records, in order.
    pub fn audits(&self) -> Vec<AuditRecord> {
        self.lock().audits.clone()
    }

    /// Actions of the audit records, in order.
    pub fn audit_actions(&self) -> Vec<String> {
        self.lock().audits.iter().map(|a| a.action.clone()).collect()
    }

    /// Events published, in order.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    /// Notifications sent, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.lock().notifications.clone()
    }

    /// Data sets registered, in order.
    pub fn datasets(&self) -> Vec<DatasetSpec> {
        self.lock().datasets.clone()
    }

    /// A file of the engine's private folder.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().files.get(path).cloned()
    }

    /// Timers, by key.
    pub fn jobs(&self) -> Vec<JobSpec> {
        self.lock().jobs.values().cloned().collect()
    }
}

/// A service of the pretend host.
struct Fake {
    name: &'static str,
    host: FakeHost,
    licensor: Licensor,
}

pub(crate) fn service(name: &'static str, host: &FakeHost, licensor: &Licensor) -> ServiceEntry {
    let fake = Fake { name, host: host.clone(), licensor: licensor.clone() };
    ServiceEntry { name: name.into(), service: Service_TO::from_value(fake, TD_Opaque) }
}

impl Service for Fake {
    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>> {
        let answer = if self.name == "license" {
            calls::license(&self.licensor, &method, &payload)
        } else {
            self.host.answer(self.name, &method, &payload)
        };
        let answer = match answer {
            Ok(bytes) => ROk(RVec::from(bytes)),
            Err(e) => RErr(EngineError::into(e)),
        };
        async move { answer }.into_ffi()
    }
}
