//! The console pages of engines: which there are, and `/engines/{id}/ui/{package}/*`, their files, only while the licence lets
//! one read. The address holds the package's digest: what was loaded once never changes.

mod asset;
mod report;

pub(super) use asset::asset;
pub(super) use report::{EngineUiList, list};
