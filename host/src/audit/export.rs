//! The activity log as a stream of lines, a page of the database at a time.

use bytes::Bytes;
use futures_util::Stream;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{Audit, Change, Filter, View, csv, store};
use crate::{ctx::Ctx, problem::Problem};

const PAGE: u64 = 500;

struct Position {
    audit: Audit,
    filter: Filter,
    view: View,
    /// The last entry told; `None` at the beginning.
    after: Option<Uuid>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Entries,
    End,
}

impl Audit {
    /// Every entry that `filter` wants and the caller may see, newest first, as CSV. What was exported is recorded.
    pub async fn export(
        &self,
        ctx: &Ctx,
        filter: Filter,
    ) -> Result<impl Stream<Item = Result<Bytes, DbErr>> + Send + use<>, Problem> {
        let scope = ctx.require_scope("audit:read")?;
        let view = View::of(ctx, scope, &self.selectors.env());
        let asked = serde_json::json!({"actor": filter.actor, "action": filter.action, "text": filter.text,
            "since": filter.since, "until": filter.until});
        self.record(ctx, Change::new("audit.exported", "audit", "log").after(asked)).await?;
        let start = Position { audit: self.clone(), filter, view, after: None, state: State::Header };
        Ok(futures_util::stream::try_unfold(start, next))
    }
}

async fn next(mut at: Position) -> Result<Option<(Bytes, Position)>, DbErr> {
    match at.state {
        State::End => return Ok(None),
        State::Header => {
            at.state = State::Entries;
            return Ok(Some((Bytes::from_static(csv::HEADER.as_bytes()), at)));
        }
        State::Entries => {}
    }
    let page = store::list(at.audit.db.read(), &at.filter, &at.view, at.after, PAGE).await?;
    if page.next_cursor.is_none() {
        at.state = State::End;
    }
    at.after = page.items.last().map(|entry| entry.id);
    let lines: String = page.items.iter().map(csv::line).collect();
    Ok(if lines.is_empty() { None } else { Some((lines.into(), at)) })
}
