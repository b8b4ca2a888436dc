//! Service `settings`: the manifest's defaults with what administrators set over them.

use plugin_api::{
    EngineError, Manifest,
    error::{decode, encode},
    manifest::{SettingKind, SettingValues},
    services::settings::SetSetting,
};
use serde_json::Value;

use super::{Host, failed, nothing};

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    let app = host.app()?;
    match method {
        "all" => {
            let set = app.settings.all(host.id()).await.map_err(|e| failed("read settings", e))?;
            encode(&effective(&host.manifest, set))
        }
        "set" => {
            let new: SetSetting = decode(payload)?;
            check(&host.manifest, &new.key, &new.value)
                .map_err(|e| EngineError::new("invalid_setting", e))?;
            let (ctx, _) = host.entry.contexts.resolve(host.id(), &new.context);
            let set = app.settings.set(&ctx, host.id(), &new.key, new.value).await;
            set.map_err(|e| failed("change a setting", e))?;
            nothing()
        }
        other => Err(EngineError::unknown("settings method", other)),
    }
}

/// Defaults with the values set over them; keys the manifest does not know are left out.
pub(crate) fn effective(manifest: &Manifest, set: SettingValues) -> SettingValues {
    let value = |s: &plugin_api::manifest::Setting| {
        set.get(&s.key).cloned().unwrap_or_else(|| serde_json::to_value(&s.default).unwrap_or(Value::Null))
    };
    manifest.settings.iter().map(|s| (s.key.clone(), value(s))).collect()
}

/// Whether a value fits the key's kind.
pub(crate) fn check(manifest: &Manifest, key: &str, value: &Value) -> Result<(), String> {
    let Some(setting) = manifest.settings.iter().find(|s| s.key == key) else {
        return Err(format!("This engine has no setting `{key}`."));
    };
    let fits = match setting.kind {
        SettingKind::Boolean => value.is_boolean(),
        SettingKind::Integer => value.is_i64() || value.is_u64(),
        SettingKind::Text | SettingKind::Secret => value.as_str().is_some_and(|s| s.len() <= 64 << 10),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("`{key}` wants a value of the kind {:?}.", setting.kind).to_lowercase())
    }
}
