//! Which service answers what.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::{
        audit::AuditRecord,
        engines::EngineCall,
        events::Event,
        fetch::{FetchRequest, FetchResponse},
        files::{FileAnswer, FileCall},
        license::ProofRequest,
        licenses::ExplainRequest,
        machines::SectionRequest,
        notify::Notification,
        reports::DatasetSpec,
        secrets::{SecretRequest, SecretValue},
        settings::SetSetting,
    },
};

use super::{FakeHost, FetchReply};
use crate::license::Licensor;

type Answer = Result<Vec<u8>, EngineError>;

pub(super) fn license(licensor: &Licensor, method: &str, payload: &[u8]) -> Answer {
    if method != "proof" {
        return Err(EngineError::unknown("method", method));
    }
    let request: ProofRequest = decode(payload)?;
    encode(&licensor.prove(&request.nonce)?)
}

fn not_found(what: &str, name: &str) -> EngineError {
    EngineError::new("not_found", format!("There is no {what} `{name}`."))
}

impl FakeHost {
    pub(super) fn answer(&self, service: &str, method: &str, payload: &[u8]) -> Answer {
        match (service, method) {
            ("machines", "select") => encode(&self.select(&decode(payload)?)?),
            ("machines", "get") => encode(&self.machine(&decode(payload)?)?),
            ("inventory", "section") => self.section(&decode(payload)?),
            ("operations", _) => self.operation_call(method, payload),
            ("licenses", "explain") => {
                let request: ExplainRequest = decode(payload)?;
                encode(&self.license_report(request.at.unwrap_or_else(chrono::Utc::now)))
            }
            ("jobs", _) => self.job_call(method, payload),
            ("files", _) => self.file_call(method, decode(payload)?),
            ("settings", "all") => encode(&self.lock().settings),
            ("settings", "set") => self.change_setting(decode(payload)?),
            ("secrets", "resolve") => self.resolve(&decode(payload)?),
            ("http", "fetch") => self.fetch(decode(payload)?),
            ("engines", "call") => self.engine_call(&decode(payload)?),
            ("audit", "record") => {
                let record: AuditRecord = decode(payload)?;
                self.own("audit action", &record.action, '.')?;
                self.lock().audits.push(record);
                Ok(Vec::new())
            }
            ("events", "publish") => {
                let event: Event = decode(payload)?;
                self.own("topic", &event.topic, '.')?;
                self.lock().events.push(event);
                Ok(Vec::new())
            }
            ("notify", "send") => {
                let notification: Notification = decode(payload)?;
                self.lock().notifications.push(notification);
                Ok(Vec::new())
            }
            ("reports", "register") => {
                let spec: DatasetSpec = decode(payload)?;
                self.lock().datasets.push(spec);
                Ok(Vec::new())
            }
            _ => Err(EngineError::unknown("method", method)),
        }
    }

    /// Names an engine gives begin with its id.
    fn own(&self, what: &str, name: &str, separator: char) -> Result<(), EngineError> {
        let state = self.lock();
        let id = state.manifest.as_ref().map_or("", |m| m.id.as_str());
        if name.strip_prefix(id).is_some_and(|rest| rest.starts_with(separator)) {
            return Ok(());
        }
        Err(EngineError::new("foreign_name", format!("The {what} `{name}` does not begin with `{id}`.")))
    }

    fn section(&self, request: &SectionRequest) -> Answer {
        let key = (request.machine_id.clone(), request.section.clone());
        let state = self.lock();
        let value = state.sections.get(&key).ok_or_else(|| not_found("section", &request.section))?;
        encode(value)
    }

    fn resolve(&self, request: &SecretRequest) -> Answer {
        let mut state = self.lock();
        state.secret_reads.push(request.name.clone());
        let value = state.secrets.get(&request.name).cloned();
        let value = value.ok_or_else(|| not_found("secret", &request.name))?;
        encode(&SecretValue { value })
    }

    fn change_setting(&self, change: SetSetting) -> Answer {
        let mut state = self.lock();
        if !state.settings.contains_key(&change.key) {
            return Err(not_found("setting", &change.key));
        }
        state.settings.insert(change.key, change.value);
        Ok(Vec::new())
    }

    fn fetch(&self, request: FetchRequest) -> Answer {
        let mut state = self.lock();
        let origins = state.manifest.as_ref().map(|m| m.capabilities.origins.clone()).unwrap_or_default();
        let allowed = |origin: &String| {
            request
                .url
                .strip_prefix(origin.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !origins.iter().any(allowed) {
            let text = format!("The manifest does not list the origin of {}.", request.url);
            return Err(EngineError::new("origin_refused", text));
        }
        state.fetched.push(request.url.clone());
        let Some(FetchReply { status, body }) = state.replies.get(&request.url).cloned() else {
            return Err(EngineError::new("fetch_failed", format!("Nothing answers at {}.", request.url)));
        };
        encode(&FetchResponse { status, headers: Vec::new(), body_base64: BASE64_STANDARD.encode(body) })
    }

    fn engine_call(&self, call: &EngineCall) -> Answer {
        let state = self.lock();
        let key = (call.engine.clone(), call.method.clone());
        let reply = state.engine_replies.get(&key).ok_or_else(|| {
            EngineError::new("engine_unavailable", format!("The engine `{}` is not there.", call.engine))
        })?;
        encode(reply)
    }

    fn file_call(&self, method: &str, call: FileCall) -> Answer {
        let mut state = self.lock();
        match method {
            "put" => {
                let content =
                    BASE64_STANDARD.decode(&call.content_base64).map_err(EngineError::bad_payload)?;
                state.files.insert(call.path, content);
                Ok(Vec::new())
            }
            "get" => {
                let content = state.files.get(&call.path).ok_or_else(|| not_found("file", &call.path))?;
                let content_base64 = BASE64_STANDARD.encode(content);
                encode(&FileAnswer { content_base64, entries: Vec::new() })
            }
            "delete" => {
                state.files.remove(&call.path).ok_or_else(|| not_found("file", &call.path))?;
                Ok(Vec::new())
            }
            "list" => {
                let below = state.files.iter().filter(|(path, _)| path.starts_with(&call.path));
                let entries = below.map(|(path, content)| (path.clone(), content.len() as u64)).collect();
                encode(&FileAnswer { content_base64: String::new(), entries })
            }
            other => Err(EngineError::unknown("method", other)),
        }
    }
}
