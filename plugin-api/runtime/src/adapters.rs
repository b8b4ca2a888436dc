//! The host's Rust services as ABI objects.

use std::sync::Arc;

use abi_stable::erased_types::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RStr, RString, RVec};
use async_ffi::{FfiFuture, FutureExt};
use plugin_api::abi::{
    self, AbiResult, ServerServices, ServiceEntry, SqlBackend, SqlDone, SqlRows, SqlStatement, TxId,
};
use plugin_api::{EngineError, Manifest};

use crate::{HostService, HostServices, LogRecord, LogSink, SqlService};

pub(crate) fn to_abi<T>(result: Result<T, EngineError>) -> AbiResult<T> {
    match result {
        Ok(value) => RResult::ROk(value),
        Err(error) => RResult::RErr(error.into()),
    }
}

pub(crate) fn from_abi<T>(result: AbiResult<T>) -> Result<T, EngineError> {
    result.into_result().map_err(EngineError::from)
}

/// The table a server half receives.
pub(crate) fn server_services(
    manifest: &Manifest,
    services: &HostServices,
) -> Result<ServerServices, EngineError> {
    let entries = services.services.iter().map(|(name, service)| ServiceEntry {
        name: name.as_str().into(),
        service: abi::Service_TO::from_value(ServiceAdapter(service.clone()), TD_Opaque),
    });
    Ok(ServerServices {
        manifest: plugin_api::error::encode(manifest)?.into(),
        log: log_sink(services.log.clone()),
        sql: match &services.sql {
            Some(sql) => ROption::RSome(abi::SqlService_TO::from_value(SqlAdapter(sql.clone()), TD_Opaque)),
            None => ROption::RNone,
        },
        services: entries.collect(),
    })
}

pub(crate) fn log_sink(log: Arc<dyn LogSink>) -> abi::LogSinkBox {
    abi::LogSink_TO::from_value(LogAdapter(log), TD_Opaque)
}

struct LogAdapter(Arc<dyn LogSink>);

impl abi::LogSink for LogAdapter {
    fn enabled(&self, level: u8, target: RStr<'_>) -> bool {
        self.0.enabled(level, target.as_str())
    }

    fn log(&self, record: abi::LogRecord) {
        let fields = record.fields.into_iter().map(|f| (f.0.into(), f.1.into())).collect();
        self.0.log(LogRecord {
            level: record.level,
            target: record.target.into(),
            message: record.message.into(),
            fields,
        });
    }
}

struct ServiceAdapter(Arc<dyn HostService>);

impl abi::Service for ServiceAdapter {
    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>> {
        let service = self.0.clone();
        async move { to_abi(service.call(method.into(), payload.into()).await.map(RVec::from)) }.into_ffi()
    }
}

struct SqlAdapter(Arc<dyn SqlService>);

impl abi::SqlService for SqlAdapter {
    fn backend(&self) -> SqlBackend {
        self.0.backend()
    }

    fn query(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlRows>> {
        let sql = self.0.clone();
        async move { to_abi(sql.query(tx, statement).await) }.into_ffi()
    }

    fn execute(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlDone>> {
        let sql = self.0.clone();
        async move { to_abi(sql.execute(tx, statement).await) }.into_ffi()
    }

    fn begin(&self, parent: TxId) -> FfiFuture<AbiResult<TxId>> {
        let sql = self.0.clone();
        async move { to_abi(sql.begin(parent).await) }.into_ffi()
    }

    fn commit(&self, tx: TxId) -> FfiFuture<AbiResult<()>> {
        let sql = self.0.clone();
        async move { to_abi(sql.commit(tx).await) }.into_ffi()
    }

    fn rollback(&self, tx: TxId) -> FfiFuture<AbiResult<()>> {
        let sql = self.0.clone();
        async move { to_abi(sql.rollback(tx).await) }.into_ffi()
    }

    fn abandon(&self, tx: TxId) {
        self.0.abandon(tx);
    }
}
