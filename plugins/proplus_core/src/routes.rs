//! HTTP: translates, decides nothing.

mod coverage;
mod ledger;
mod renewals;

use std::sync::Arc;

use plugin_sdk::{OpenApiRouter, routes};

use crate::engine::ProplusCore;

/// Every route.
pub fn router() -> OpenApiRouter<Arc<ProplusCore>> {
    OpenApiRouter::new()
        .routes(routes!(coverage::get_overview))
        .routes(routes!(coverage::get_matrix))
        .routes(routes!(coverage::get_lapse))
        .routes(routes!(coverage::list_usage))
        .routes(routes!(coverage::list_notices))
        .routes(routes!(ledger::list_ledger))
        .routes(routes!(ledger::export_ledger))
        .routes(routes!(ledger::verify_ledger, ledger::verify_ledger_export))
        .routes(routes!(renewals::list_renewals, renewals::request_renewal))
        .routes(routes!(renewals::answer_renewal))
}
