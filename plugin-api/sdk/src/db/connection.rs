//! [`EngineDb`]: the engine's connection.

use std::sync::Arc;

use plugin_api::{
    EngineError,
    abi::{NO_TX, SqlBackend, SqlServiceBox, SqlStatement, TxId},
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, ProxyExecResult, QueryResult, Statement, StreamTrait,
};

use super::{
    entities::Entities,
    error::{db_error, engine_error},
    read::Reader,
    stream::RowStream,
    write,
};

/// The engine's tables. Cheap to clone. Every statement fails with `not_granted` when the administrator has not
/// granted the capability `sql`.
#[derive(Clone)]
pub struct EngineDb(Arc<Inner>);

struct Inner {
    service: Option<SqlServiceBox>,
    reader: Reader,
}

impl std::fmt::Debug for EngineDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineDb").field("granted", &self.0.service.is_some()).finish()
    }
}

impl EngineDb {
    /// A connection over a SQL service; engines get theirs from [`crate::Host::db`].
    pub fn new(service: Option<SqlServiceBox>, entities: Entities) -> Self {
        Self(Arc::new(Inner { service, reader: Reader::new(entities) }))
    }

    pub(super) fn service(&self) -> Result<&SqlServiceBox, DbErr> {
        self.0.service.as_ref().ok_or_else(|| {
            engine_error(&EngineError::new("not_granted", "The capability `sql` is not granted."))
        })
    }

    pub(super) fn backend(&self) -> DbBackend {
        match self.0.service.as_ref().map(|s| s.backend()) {
            Some(SqlBackend::Postgres) => DbBackend::Postgres,
            Some(SqlBackend::Sqlite) | None => DbBackend::Sqlite,
        }
    }

    pub(super) async fn rows(&self, tx: TxId, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = write::statement(statement)?;
        let sql = statement.sql.clone();
        let pending = self.service()?.query(tx, statement);
        let rows = pending.await.into_result().map_err(db_error)?;
        self.0.reader.rows(&sql, rows)
    }

    pub(super) async fn run(&self, tx: TxId, statement: SqlStatement) -> Result<ExecResult, DbErr> {
        let pending = self.service()?.execute(tx, statement);
        let done = pending.await.into_result().map_err(db_error)?;
        let last = u64::try_from(done.last_insert_id).unwrap_or(0);
        Ok(ProxyExecResult::new(last, done.rows_affected).into())
    }
}

/// Implements the traits that run statements, outside or inside a transaction.
macro_rules! connection {
    ($type:ty, |$self:ident| $db:expr, $tx:expr) => {
        #[async_trait::async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&$self) -> DbBackend {
                $db.backend()
            }

            async fn execute_raw(&$self, statement: Statement) -> Result<ExecResult, DbErr> {
                $db.run($tx, write::statement(statement)?).await
            }

            async fn execute_unprepared(&$self, sql: &str) -> Result<ExecResult, DbErr> {
                $db.run($tx, SqlStatement { sql: sql.into(), values: Vec::new().into() }).await
            }

            async fn query_one_raw(&$self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                Ok($db.rows($tx, statement).await?.into_iter().next())
            }

            async fn query_all_raw(&$self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                $db.rows($tx, statement).await
            }
        }

        impl StreamTrait for $type {
            type Stream<'a> = RowStream;

            fn get_database_backend(&$self) -> DbBackend {
                $db.backend()
            }

            fn stream_raw<'a>(
                &'a $self,
                statement: Statement,
            ) -> std::pin::Pin<Box<dyn Future<Output = Result<RowStream, DbErr>> + 'a + Send>> {
                Box::pin(async move { Ok(RowStream::new($db.rows($tx, statement).await?)) })
            }
        }
    };
}

connection!(EngineDb, |self| self, NO_TX);
connection!(super::EngineTransaction, |self| self.db(), self.id());
