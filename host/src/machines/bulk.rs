//! Many decisions at once: approve or reject the waiting machines that a selector selects.

use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MachineError, MachineState, Machines, entity::machine, tag_store};
use crate::{ctx::Ctx, problem::SliceError, selector::SelectorError};

/// Most machines decided on in one call.
const MOST: u64 = 1000;

/// What became of each machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    /// Machines that are approved, or rejected, now.
    pub done: Vec<Uuid>,
    /// Machines that are not, and why.
    pub failed: Vec<NotDecided>,
}

/// A machine that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotDecided {
    /// The machine.
    pub id: Uuid,
    /// A stable code, e.g. `machine_limit_reached`.
    pub code: String,
    /// A sentence.
    pub detail: String,
}

impl Machines {
    /// Approve or reject every machine that waits and that a selector selects. When there are more than `most`, nothing
    /// is done: so a selector that is wider than meant does no harm.
    pub async fn decide_many(
        &self,
        ctx: &Ctx,
        selector: &str,
        to: MachineState,
        most: u64,
    ) -> Result<Decided, MachineError> {
        let scope = ctx.require_scope("machines:approve")?;
        let bad = |e: SelectorError| MachineError::Invalid { field: "selector", detail: e.to_string() };
        let selector = self.core.selectors.parse(ctx, selector).map_err(bad)?;
        let env = self.core.selectors.env();
        let most = most.clamp(1, MOST);
        let condition = Condition::all()
            .add(scope.condition(&env))
            .add(selector.condition(&env))
            .add(machine::Column::State.eq(MachineState::Pending.name()));
        let ids = tag_store::selected(self.core.db.read(), condition, most + 1).await?;
        if ids.len() as u64 > most {
            let detail = format!(
                "More than {most} machines wait there. Raise `most` (up to {MOST}), or select fewer."
            );
            return Err(MachineError::Invalid { field: "most", detail });
        }
        let mut decided = Decided::default();
        for id in ids {
            let done = match to {
                MachineState::Approved => self.approve(ctx, id).await,
                _ => self.reject(ctx, id).await,
            };
            match done {
                Ok(_) => decided.done.push(id),
                Err(error) => decided.failed.push(NotDecided {
                    id,
                    code: SliceError::code(&error).into(),
                    detail: error.to_string(),
                }),
            }
        }
        Ok(decided)
    }
}
