//! The stream of a query.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use sea_orm::{DbErr, QueryResult};

/// Rows of a query as a stream.
pub struct RowStream(std::vec::IntoIter<QueryResult>);

impl RowStream {
    pub(super) fn new(rows: Vec<QueryResult>) -> Self {
        Self(rows.into_iter())
    }
}

impl Stream for RowStream {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
