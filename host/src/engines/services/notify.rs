//! Service `notify`.

use plugin_api::{EngineError, error::decode, services::notify::Notification};

use super::{Host, failed, nothing};
use crate::notifications::{Level, NewNotification};

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "send" {
        return Err(EngineError::unknown("notify method", method));
    }
    let new: Notification = decode(payload)?;
    let level = match new.severity.as_str() {
        "critical" => Level::Critical,
        "warning" => Level::Warning,
        _ => Level::Info,
    };
    if let Some(p) =
        new.permission.as_ref().filter(|p| !host.manifest.permissions.iter().any(|m| m.name == **p))
    {
        return Err(EngineError::new(
            "foreign_permission",
            format!("`{p}` is not a permission of this engine."),
        ));
    }
    let new = NewNotification {
        user: None,
        permission: new.permission,
        source: host.id().into(),
        level,
        title: new.title,
        body: new.body,
        link: Some(format!("/engines/{}", host.id())),
    };
    host.app()?.notifications.send(new).await.map_err(|e| failed("send a notification", e))?;
    nothing()
}
