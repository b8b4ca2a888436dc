//! Activation without a network: a host's instance request in, a licence that is bound to it out.

use licenses::InstanceRequest;
use uuid::Uuid;

use super::{OrderError, Orders, What, store};
use crate::ctx::{Ctx, Permission};

impl Orders {
    /// Bind a licence to the host that wrote a request, and answer the licence. The same request again binds nothing anew.
    pub async fn activate(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        license: &str,
        request: &str,
    ) -> Result<String, OrderError> {
        ctx.require(organisation, Permission::LicensesManage)?;
        let request = InstanceRequest::verify(request).map_err(|error| {
            let why =
                format!("This is not a host's instance request, or it was changed on the way: {error}.");
            OrderError::Invalid("request", why)
        })?;
        let instance = request.instance_id();
        let row = store::of_license(self.core.db.read(), license).await?;
        let row = row.filter(|order| order.organisation_id == organisation);
        let order = row.ok_or(OrderError::NotFound("licence"))?;
        let bound = |in_force: &crate::licensing::InForce| in_force.instance.as_ref() == Some(&instance);
        if let Some(known) = self.licensing.newest(license).await?.filter(bound) {
            return Ok(known.token);
        }
        let event = format!("transfer-{}", Uuid::now_v7());
        self.record(ctx, order.id, event, What::Transferred { instance: Some(instance.clone()) }).await?;
        let newest = self.licensing.newest(license).await?.filter(bound);
        newest.map(|in_force| in_force.token).ok_or(OrderError::Over("not in force"))
    }
}
