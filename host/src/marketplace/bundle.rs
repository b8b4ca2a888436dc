//! Air-gap bundles: the catalogue, engines, a licence and the revocation list in one file.

use axum::body::Body;

use super::{Marketplace, MarketplaceError, SourceError, model::MarketImport};
use crate::ctx::Ctx;

impl Marketplace {
    /// Take in a bundle.
    ///
    /// # Errors
    /// [`MarketplaceError::Source`]: it is refused, and nothing was taken in.
    pub async fn import(&self, ctx: &Ctx, _body: Body) -> Result<MarketImport, MarketplaceError> {
        ctx.require("engines:install")?;
        Err(SourceError::new("bundle_refused", "This host reads no bundles yet.").into())
    }
}
