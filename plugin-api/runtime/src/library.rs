//! Loads a verified library and compares what it says of itself with the signed manifest. Never unloads.

use std::collections::BTreeSet;
use std::path::Path;

use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use plugin_api::Manifest;
use plugin_api::abi::EngineModuleRef;
use plugin_api::description::Description;
use serde_json::Value;

use crate::refusal::RefusalKind::{AbiMismatch, LoadFailed, ManifestLies};
use crate::{Package, Refusal, Verified};

/// A loaded library that told the truth.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) module: EngineModuleRef,
    pub(crate) description: Description,
}

/// Load a package's library into this process, off the async threads: symbol binding takes milliseconds.
pub(crate) async fn load_off_thread(package: &Verified<Package>) -> Result<Loaded, Refusal> {
    let path = package.library.path_to_load()?;
    let manifest = package.manifest().clone();
    let task = tokio::task::spawn_blocking(move || load(&path, &manifest));
    task.await.unwrap_or_else(|e| Err(Refusal::new(LoadFailed, format!("The loader failed: {e}."))))
}

/// Load the library at a path that stands for sealed bytes.
pub(crate) fn load(path: &Path, manifest: &Manifest) -> Result<Loaded, Refusal> {
    let module = open(path)?;
    let bytes = (module.describe())();
    let description: Description = serde_json::from_slice(&bytes)
        .map_err(|e| Refusal::new(ManifestLies, format!("The library's description does not parse: {e}.")))?;
    compare(&description, manifest)?;
    Ok(Loaded { module, description })
}

fn open(path: &Path) -> Result<EngineModuleRef, Refusal> {
    let not_loaded = |e: libloading::Error| {
        // The loader's message names the descriptor's path, which helps nobody.
        let message = e.to_string().replace(&path.display().to_string(), "library");
        Refusal::new(LoadFailed, format!("The system does not load the library: {message}."))
    };
    // SAFETY: the bytes were signed by a publisher this host trusts to run code.
    let library = unsafe { load_now(path) }.map_err(not_loaded)?;
    // SAFETY: `AbiHeaderRef` is a reference to the exported static; `upgrade` checks its magic before more is read.
    let header = unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL) }.map(|h| *h);
    let header = header.map_err(|_| Refusal::new(AbiMismatch, "The library exports no engine."));
    // Statics, threads and vtables of the library may be in use from here on.
    std::mem::forget(library);
    let header: &'static LibHeader = header?.upgrade().map_err(mismatch)?;
    if header.layout().is_none() {
        return Err(Refusal::new(AbiMismatch, "The library carries no layout to check."));
    }
    header.init_root_module::<EngineModuleRef>().map_err(mismatch)
}

#[cfg(unix)]
unsafe fn load_now(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the caller vouches for the library.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
unsafe fn load_now(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: the caller vouches for the library.
    unsafe { libloading::Library::new(path) }
}

fn mismatch(error: abi_stable::library::LibraryError) -> Refusal {
    let text: String = error.to_string().chars().take(2000).collect();
    Refusal::new(AbiMismatch, format!("The library was built for another plugin contract: {text}."))
}

/// Compare what a library says of itself with the signed manifest.
pub(crate) fn compare(description: &Description, manifest: &Manifest) -> Result<(), Refusal> {
    same("id", &description.id, &manifest.id)?;
    same("version", &description.version, &manifest.version.to_string())?;
    let api = semver::Version::parse(&description.api_version).ok();
    if !api.is_some_and(|v| trust::version_matches(&manifest.api, &v)) {
        return Err(lie("contract version", &description.api_version, &manifest.api.to_string()));
    }
    let says: BTreeSet<_> = description.commands.iter().map(String::as_str).collect();
    let signed: BTreeSet<_> = manifest.commands.iter().map(|c| c.name.as_str()).collect();
    if says != signed {
        return Err(lie("commands", &format!("{says:?}"), &format!("{signed:?}")));
    }
    let declared: BTreeSet<_> = manifest.permissions.iter().map(|p| p.name.as_str()).collect();
    match used_permissions(&description.openapi).into_iter().find(|p| !declared.contains(p.as_str())) {
        Some(permission) => Err(lie("permission", &permission, "not declared")),
        None => Ok(()),
    }
}

fn same(what: &str, says: &str, signed: &str) -> Result<(), Refusal> {
    if says == signed { Ok(()) } else { Err(lie(what, says, signed)) }
}

fn lie(what: &str, says: &str, signed: &str) -> Refusal {
    let says: String = says.chars().take(200).collect();
    Refusal::new(ManifestLies, format!("The library says {what} `{says}`, the signed manifest `{signed}`."))
}

/// Every `x-permission` of the document's operations.
fn used_permissions(openapi: &Value) -> BTreeSet<String> {
    let paths = openapi.get("paths").and_then(Value::as_object);
    let operations =
        paths.into_iter().flat_map(|p| p.values()).filter_map(Value::as_object).flat_map(|o| o.values());
    operations.filter_map(|o| o.get("x-permission")).filter_map(Value::as_str).map(str::to_owned).collect()
}
