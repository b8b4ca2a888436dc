//! Service `audit`.

use plugin_api::{EngineError, error::decode, services::audit::AuditRecord};

use super::{Host, failed, nothing};
use crate::audit::Change;

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "record" {
        return Err(EngineError::unknown("audit method", method));
    }
    let record: AuditRecord = decode(payload)?;
    let id = host.id();
    let own = |name: &str| name.strip_prefix(id).is_some_and(|r| r.starts_with('.')) && name.len() <= 200;
    if !own(&record.action) || !(record.entity_kind == id || own(&record.entity_kind)) {
        return Err(EngineError::new(
            "foreign_action",
            format!("Actions and kinds of this engine begin with `{id}.`."),
        ));
    }
    let (ctx, _) = host.entry.contexts.resolve(id, &record.context);
    let entity_id: String = record.entity_id.chars().take(200).collect();
    let change =
        Change::new(record.action, record.entity_kind, entity_id).before(record.before).after(record.after);
    host.app()?.audit.record(&ctx, change).await.map_err(|e| failed("record an audit entry", e))?;
    nothing()
}
