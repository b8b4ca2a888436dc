//! Transactions, nested by savepoints. Dropping one that was not committed rolls it back.

use std::pin::Pin;

use plugin_api::abi::{NO_TX, TxId};
use sea_orm::{
    AccessMode, DbBackend, DbErr, IsolationLevel, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait,
};

use super::{EngineDb, error::db_error};

/// An open transaction, or a savepoint inside one.
#[derive(Debug)]
pub struct EngineTransaction {
    db: EngineDb,
    id: TxId,
    open: bool,
}

impl EngineTransaction {
    pub(super) fn db(&self) -> &EngineDb {
        &self.db
    }

    pub(super) fn id(&self) -> TxId {
        self.id
    }
}

impl EngineDb {
    async fn begin_in(&self, parent: TxId) -> Result<EngineTransaction, DbErr> {
        let pending = self.service()?.begin(parent);
        let id = pending.await.into_result().map_err(db_error)?;
        Ok(EngineTransaction { db: self.clone(), id, open: true })
    }

    fn check(&self, options: &TransactionOptions) -> Result<(), DbErr> {
        let chosen = options.isolation_level.is_some() || options.access_mode.is_some();
        if chosen && self.backend() == DbBackend::Postgres {
            return Err(DbErr::BackendNotSupported {
                db: "the host's SQL service",
                ctx: "isolation level or access mode",
            });
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl TransactionSession for EngineTransaction {
    async fn commit(mut self) -> Result<(), DbErr> {
        let pending = self.db.service()?.commit(self.id);
        pending.await.into_result().map_err(db_error)?;
        self.open = false;
        Ok(())
    }

    async fn rollback(mut self) -> Result<(), DbErr> {
        let pending = self.db.service()?.rollback(self.id);
        pending.await.into_result().map_err(db_error)?;
        self.open = false;
        Ok(())
    }
}

impl Drop for EngineTransaction {
    fn drop(&mut self) {
        if self.open
            && let Ok(service) = self.db.service()
        {
            service.abandon(self.id);
        }
    }
}

/// Run a callback in a transaction: commit when it succeeds, roll back when it fails.
async fn scoped<F, T, E>(tx: Result<EngineTransaction, DbErr>, callback: F) -> Result<T, TransactionError<E>>
where
    F: for<'c> FnOnce(&'c EngineTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
        + Send,
    T: Send,
    E: std::fmt::Display + std::fmt::Debug + Send,
{
    let tx = tx.map_err(TransactionError::Connection)?;
    match callback(&tx).await {
        Ok(value) => {
            tx.commit().await.map_err(TransactionError::Connection)?;
            Ok(value)
        }
        Err(e) => {
            tx.rollback().await.map_err(TransactionError::Connection)?;
            Err(TransactionError::Transaction(e))
        }
    }
}

/// Implements [`TransactionTrait`] for what can begin one.
macro_rules! transactions {
    ($type:ty, |$self:ident| $db:expr, $parent:expr) => {
        #[async_trait::async_trait]
        impl TransactionTrait for $type {
            type Transaction = EngineTransaction;

            async fn begin(&$self) -> Result<EngineTransaction, DbErr> {
                $db.begin_in($parent).await
            }

            async fn begin_with_config(
                &$self,
                isolation_level: Option<IsolationLevel>,
                access_mode: Option<AccessMode>,
            ) -> Result<EngineTransaction, DbErr> {
                let options = TransactionOptions { isolation_level, access_mode, ..Default::default() };
                $self.begin_with_options(options).await
            }

            async fn begin_with_options(
                &$self,
                options: TransactionOptions,
            ) -> Result<EngineTransaction, DbErr> {
                $db.check(&options)?;
                $db.begin_in($parent).await
            }

            async fn transaction<F, T, E>(&$self, callback: F) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c EngineTransaction,
                    ) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
                    + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                scoped($self.begin().await, callback).await
            }

            async fn transaction_with_config<F, T, E>(
                &$self,
                callback: F,
                isolation_level: Option<IsolationLevel>,
                access_mode: Option<AccessMode>,
            ) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c EngineTransaction,
                    ) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
                    + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                scoped($self.begin_with_config(isolation_level, access_mode).await, callback).await
            }
        }
    };
}

transactions!(EngineDb, |self| self, NO_TX);
transactions!(EngineTransaction, |self| self.db, self.id);
