//! Typed clients of the host's services. Each call answers `not_granted` when its service is absent.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use plugin_api::{
    CallContext, EngineError,
    manifest::SettingValues,
    services::{
        audit::AuditRecord,
        engines::EngineCall,
        events::Event,
        fetch::{FetchRequest, FetchResponse},
        files::{FileAnswer, FileCall},
        jobs::{JobKey, JobSpec},
        license::{Proof, ProofRequest},
        licenses::{ExplainRequest, LicenseReport},
        machines::{Machine, MachineId, SectionRequest, Select, Selected},
        notify::Notification,
        operations::{
            CancelRequest, NewOperation, Operation, OperationId, Output, OutputRequest, RetryRequest, Task,
            TasksRequest,
        },
        reports::DatasetSpec,
        secrets::{SecretRequest, SecretValue},
        settings::SetSetting,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Host;

type Result<T> = std::result::Result<T, EngineError>;

/// Declares a client type and the method of [`Host`] that answers it.
macro_rules! client {
    ($(#[$doc:meta])* $client:ident, $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $client<'a>(&'a Host);

        impl Host {
            $(#[$doc])*
            pub fn $name(&self) -> $client<'_> {
                $client(self)
            }
        }
    };
}

client!(
    /// Select and read machines.
    Machines, machines
);
client!(
    /// What machines report about themselves.
    Inventory, inventory
);
client!(
    /// Run the engine's commands on machines.
    Operations, operations
);
client!(
    /// Publish events.
    Events, events
);
client!(
    /// Fetch from granted origins.
    Http, http
);
client!(
    /// Values of secrets.
    Secrets, secrets
);
client!(
    /// The engine's settings.
    Settings, settings
);
client!(
    /// The engine's private folder.
    Files, files
);
client!(
    /// Timers that outlive a restart.
    Jobs, jobs
);
client!(
    /// The audit log.
    Audit, audit
);
client!(
    /// Notify people.
    Notify, notify
);
client!(
    /// Data sets for reports.
    Reports, reports
);
client!(
    /// Other engines.
    Engines, engines
);

client!(
    /// Licences and what they grant.
    Licenses, licenses
);

impl Licenses<'_> {
    /// What holds at a time; now when `None`.
    pub async fn explain(self, at: Option<DateTime<Utc>>) -> Result<LicenseReport> {
        self.0.call("licenses", "explain", &ExplainRequest { at }).await
    }

    /// The host's signature over `nonce`, with the licences it was made under. Every engine has this.
    pub async fn proof(self, nonce: &str) -> Result<Proof> {
        self.0.call("license", "proof", &ProofRequest { nonce: nonce.into() }).await
    }
}

impl Machines<'_> {
    /// A page of the machines that `selector` matches and the actor may see; `after` continues a page.
    pub async fn select(self, ctx: &CallContext, selector: &str, after: Option<&str>) -> Result<Selected> {
        let select = Select {
            context: ctx.clone(),
            selector: selector.into(),
            limit: 0,
            after: after.map(Into::into),
        };
        self.0.call("machines", "select", &select).await
    }

    /// Every machine that `selector` matches, page by page; `at_most` limits the answer.
    ///
    /// # Errors
    /// `too_large` when more than `at_most` match.
    pub async fn select_all(self, ctx: &CallContext, selector: &str, at_most: usize) -> Result<Vec<Machine>> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.select(ctx, selector, after.as_deref()).await?;
            if usize::try_from(page.total).unwrap_or(usize::MAX) > at_most || all.len() > at_most {
                let text = format!("The selector matches {} machines; at most {at_most}.", page.total);
                return Err(EngineError::new("too_large", text));
            }
            all.extend(page.machines);
            match page.next {
                Some(next) if after.as_deref() != Some(&next) => after = Some(next),
                _ => return Ok(all),
            }
        }
    }

    /// One machine.
    pub async fn get(self, id: &str) -> Result<Machine> {
        self.0.call("machines", "get", &MachineId { id: id.into() }).await
    }
}

impl Inventory<'_> {
    /// A section of a machine's inventory, e.g. `packages`.
    pub async fn section<T: DeserializeOwned>(self, machine_id: &str, section: &str) -> Result<T> {
        let request = SectionRequest { machine_id: machine_id.into(), section: section.into() };
        self.0.call("inventory", "section", &request).await
    }
}

impl Operations<'_> {
    /// Run a command on machines.
    pub async fn create(self, operation: &NewOperation) -> Result<OperationId> {
        self.0.call("operations", "create", operation).await
    }

    /// An operation with its counts.
    pub async fn get(self, id: &str) -> Result<Operation> {
        self.0.call("operations", "get", &OperationId { id: id.into() }).await
    }

    /// A page of an operation's tasks.
    pub async fn tasks(self, request: &TasksRequest) -> Result<Vec<Task>> {
        self.0.call("operations", "tasks", request).await
    }

    /// Output of a task after a sequence number.
    pub async fn output(self, request: &OutputRequest) -> Result<Output> {
        self.0.call("operations", "output", request).await
    }

    /// Cancel tasks.
    pub async fn cancel(self, request: &CancelRequest) -> Result<()> {
        self.0.call("operations", "cancel", request).await
    }

    /// Run tasks again as a new operation.
    pub async fn retry(self, request: &RetryRequest) -> Result<OperationId> {
        self.0.call("operations", "retry", request).await
    }
}

impl Events<'_> {
    /// Publish an event; its topic starts with the engine's id.
    pub async fn publish(self, event: &Event) -> Result<()> {
        self.0.call("events", "publish", event).await
    }
}

impl Http<'_> {
    /// Fetch from an origin the manifest lists.
    pub async fn fetch(self, request: &FetchRequest) -> Result<FetchResponse> {
        self.0.call("http", "fetch", request).await
    }
}

impl Secrets<'_> {
    /// The value of a secret by name. Each read is audited.
    pub async fn resolve(self, ctx: &CallContext, name: &str) -> Result<SecretValue> {
        let request = SecretRequest { context: ctx.clone(), name: name.into() };
        self.0.call("secrets", "resolve", &request).await
    }
}

impl Settings<'_> {
    /// Every setting.
    pub async fn all(self) -> Result<SettingValues> {
        self.0.call("settings", "all", &()).await
    }

    /// Change one.
    pub async fn set(self, ctx: &CallContext, key: &str, value: Value) -> Result<()> {
        let change = SetSetting { context: ctx.clone(), key: key.into(), value };
        self.0.call("settings", "set", &change).await
    }
}

impl Files<'_> {
    /// Write a file below the engine's folder.
    pub async fn put(self, path: &str, content: &[u8]) -> Result<()> {
        let call = FileCall { path: path.into(), content_base64: BASE64_STANDARD.encode(content) };
        self.0.call("files", "put", &call).await
    }

    /// Read a file.
    pub async fn get(self, path: &str) -> Result<Vec<u8>> {
        let call = FileCall { path: path.into(), ..FileCall::default() };
        let answer: FileAnswer = self.0.call("files", "get", &call).await?;
        BASE64_STANDARD.decode(answer.content_base64).map_err(EngineError::bad_payload)
    }

    /// Delete a file.
    pub async fn delete(self, path: &str) -> Result<()> {
        let call = FileCall { path: path.into(), ..FileCall::default() };
        self.0.call("files", "delete", &call).await
    }

    /// Paths and sizes in bytes below a prefix.
    pub async fn list(self, prefix: &str) -> Result<Vec<(String, u64)>> {
        let call = FileCall { path: prefix.into(), ..FileCall::default() };
        let answer: FileAnswer = self.0.call("files", "list", &call).await?;
        Ok(answer.entries)
    }
}

impl Jobs<'_> {
    /// Set a timer; one with the same key is replaced.
    pub async fn schedule(self, job: &JobSpec) -> Result<()> {
        self.0.call("jobs", "schedule", job).await
    }

    /// Remove a timer.
    pub async fn cancel(self, key: &str) -> Result<()> {
        self.0.call("jobs", "cancel", &JobKey { key: key.into() }).await
    }

    /// Every timer of the engine.
    pub async fn list(self) -> Result<Vec<JobSpec>> {
        self.0.call("jobs", "list", &()).await
    }
}

impl Audit<'_> {
    /// Record a change.
    pub async fn record(self, record: &AuditRecord) -> Result<()> {
        self.0.call("audit", "record", record).await
    }
}

impl Notify<'_> {
    /// Notify people through the host's channels.
    pub async fn send(self, notification: &Notification) -> Result<()> {
        self.0.call("notify", "send", notification).await
    }
}

impl Reports<'_> {
    /// Offer a data set.
    pub async fn register(self, spec: &DatasetSpec) -> Result<()> {
        self.0.call("reports", "register", spec).await
    }
}

impl Engines<'_> {
    /// Call a method of another engine.
    pub async fn call(self, engine: &str, method: &str, payload: Value) -> Result<Value> {
        let call = EngineCall { engine: engine.into(), from: String::new(), method: method.into(), payload };
        self.0.call("engines", "call", &call).await
    }
}
