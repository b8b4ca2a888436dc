//! Services polled inside the host's runtime: an engine may poll from a thread of its own.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use plugin_api::{
    EngineError,
    abi::{SqlBackend, SqlDone, SqlRows, SqlStatement, TxId},
};
use plugin_runtime::{HostService, SqlService};
use plugin_sql::EngineSql;
use tokio::runtime::Handle;

use super::Host;

struct Inside<'a, T> {
    future: BoxFuture<'a, T>,
    runtime: Handle,
}

impl<T> Future for Inside<'_, T> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let runtime = self.runtime.clone();
        let _inside = runtime.enter();
        self.future.as_mut().poll(cx)
    }
}

fn inside<'a, T: 'a>(runtime: &Handle, future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(Inside { future: Box::pin(future), runtime: runtime.clone() })
}

/// A granted service.
pub(super) struct Granted {
    host: Host,
    name: &'static str,
    runtime: Handle,
}

impl Granted {
    pub fn new(host: Host, name: &'static str, runtime: Handle) -> Self {
        Self { host, name, runtime }
    }
}

impl HostService for Granted {
    fn call(&self, method: String, payload: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        inside(&self.runtime, self.host.clone().call(self.name, method, payload))
    }
}

/// SQL.
pub(super) struct Sql {
    sql: EngineSql,
    runtime: Handle,
}

impl Sql {
    pub fn new(sql: EngineSql, runtime: Handle) -> Self {
        Self { sql, runtime }
    }
}

impl SqlService for Sql {
    fn backend(&self) -> SqlBackend {
        self.sql.backend()
    }

    fn query(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlRows, EngineError>> {
        inside(&self.runtime, async move { Ok(self.sql.query(tx, &statement).await?) })
    }

    fn execute(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlDone, EngineError>> {
        inside(&self.runtime, async move { Ok(self.sql.execute(tx, &statement).await?) })
    }

    fn begin(&self, parent: TxId) -> BoxFuture<'_, Result<TxId, EngineError>> {
        inside(&self.runtime, async move { Ok(self.sql.begin(parent).await?) })
    }

    fn commit(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        inside(&self.runtime, async move { Ok(self.sql.commit(tx).await?) })
    }

    fn rollback(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        inside(&self.runtime, async move { Ok(self.sql.rollback(tx).await?) })
    }

    fn abandon(&self, tx: TxId) {
        let _inside = self.runtime.enter();
        self.sql.abandon(tx);
    }
}
