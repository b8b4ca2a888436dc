//! [`EngineSql`] as the service that crosses the boundary.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use plugin_api::abi::{
    AbiResult, FfiFuture, FutureExt, SqlBackend, SqlDone, SqlRows, SqlService, SqlService_TO, SqlServiceBox,
    SqlStatement, TxId, abi_stable::sabi_trait::TD_Opaque, abi_stable::std_types::RResult,
};
use tokio::runtime::Handle;

use crate::{EngineSql, SqlError};

struct Service {
    sql: EngineSql,
    runtime: Handle,
}

/// Polls inside the host's runtime: an engine may poll from a thread of its own.
struct Inside<F> {
    future: Pin<Box<F>>,
    runtime: Handle,
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let runtime = self.runtime.clone();
        let _inside = runtime.enter();
        self.future.as_mut().poll(cx)
    }
}

impl Service {
    fn run<T: 'static>(&self, work: impl AsyncFnOnceSend<T>) -> FfiFuture<AbiResult<T>> {
        let future = Box::pin(work.call(self.sql.clone()));
        Inside { future, runtime: self.runtime.clone() }.into_ffi()
    }
}

/// A function of the engine's SQL whose future may move between threads.
trait AsyncFnOnceSend<T> {
    fn call(self, sql: EngineSql) -> impl Future<Output = AbiResult<T>> + Send + 'static;
}

impl<T, F, R> AsyncFnOnceSend<T> for F
where
    F: FnOnce(EngineSql) -> R,
    R: Future<Output = Result<T, SqlError>> + Send + 'static,
{
    fn call(self, sql: EngineSql) -> impl Future<Output = AbiResult<T>> + Send + 'static {
        let future = self(sql);
        async move {
            match future.await {
                Ok(value) => RResult::ROk(value),
                Err(error) => RResult::RErr(error.into()),
            }
        }
    }
}

impl SqlService for Service {
    fn backend(&self) -> SqlBackend {
        self.sql.backend()
    }

    fn query(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlRows>> {
        self.run(move |sql: EngineSql| async move { sql.query(tx, &statement).await })
    }

    fn execute(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlDone>> {
        self.run(move |sql: EngineSql| async move { sql.execute(tx, &statement).await })
    }

    fn begin(&self, parent: TxId) -> FfiFuture<AbiResult<TxId>> {
        self.run(move |sql: EngineSql| async move { sql.begin(parent).await })
    }

    fn commit(&self, tx: TxId) -> FfiFuture<AbiResult<()>> {
        self.run(move |sql: EngineSql| async move { sql.commit(tx).await })
    }

    fn rollback(&self, tx: TxId) -> FfiFuture<AbiResult<()>> {
        self.run(move |sql: EngineSql| async move { sql.rollback(tx).await })
    }

    fn abandon(&self, tx: TxId) {
        let _inside = self.runtime.enter();
        self.sql.abandon(tx);
    }
}

impl EngineSql {
    /// Box it for the table of services. Call inside the runtime that shall drive it.
    pub fn into_service(self) -> SqlServiceBox {
        let service = Service { sql: self, runtime: Handle::current() };
        SqlService_TO::from_value(service, TD_Opaque)
    }
}
