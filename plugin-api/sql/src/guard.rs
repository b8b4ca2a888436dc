//! The guard: every distinct statement is parsed once and judged against the engine's tables.

mod ddl;
mod expr;
mod functions;
mod lex;
mod names;
mod query;
mod scope;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use plugin_api::abi::SqlBackend;
use sqlparser::{
    ast::Statement,
    dialect::{Dialect, PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};

pub use ddl::DdlEffect;

use crate::SqlError;

/// Depth of nesting that the parser follows.
const DEPTH: usize = 60;

/// Tables and views of one engine. The list comes from the ledger of its migrations: a name that merely begins
/// with the engine's id is nothing, because ids can be prefixes of one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Engine id.
    pub engine: String,
    /// Tables its migrations created.
    pub own: BTreeSet<String>,
    /// Granted views.
    pub views: BTreeSet<String>,
    /// Other engines known to the host; a table belongs to the longest id that prefixes its name.
    pub others: BTreeSet<String>,
}

impl Tables {
    fn owns(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    fn reads(&self, name: &str) -> bool {
        self.owns(name) || self.views.contains(name)
    }

    fn with(&self, table: &str) -> Self {
        let mut tables = self.clone();
        tables.own.insert(table.to_owned());
        tables
    }

    /// Whether a new table may have this name.
    fn may_create(&self, name: &str) -> Result<(), SqlError> {
        let rest = name.strip_prefix(&self.engine).and_then(|r| r.strip_prefix('_'));
        let plain = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if rest.is_none_or(str::is_empty) || !plain || name.len() > 63 {
            return Err(SqlError::refused(format!(
                "`{name}` is no name for a table of `{0}`; write `{0}_<table>` in a-z, 0-9 and _, at most 63 long",
                self.engine
            )));
        }
        let longer = |o: &&String| {
            o.len() > self.engine.len() && name.strip_prefix(o.as_str()).is_some_and(|r| r.starts_with('_'))
        };
        match self.others.iter().find(longer) {
            Some(other) => Err(SqlError::refused(format!("`{name}` belongs to the engine `{other}`"))),
            None => Ok(()),
        }
    }

    /// Index names lie beside the tables' names, so they carry the engine's id too: `<engine>_...`,
    /// `idx_<engine>_...`, `idx-<engine>_...`, `uq_<engine>_...`.
    fn may_name_index(&self, name: &str) -> Result<(), SqlError> {
        let prefix = format!("{}_", self.engine);
        let bare = ["idx_", "idx-", "ix_", "uq_", "uidx_", ""].iter().find_map(|p| name.strip_prefix(p));
        if bare.is_some_and(|b| b.starts_with(&prefix)) || name.starts_with(&prefix) {
            return Ok(());
        }
        Err(SqlError::refused(format!("`{name}` is no name for an index; write `idx_{prefix}<columns>`")))
    }
}

/// An allowed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The text to run: rebuilt from tokens, without comments.
    pub sql: Arc<str>,
    /// Whether rows change.
    pub writes: bool,
}

/// Judges statements of one engine and remembers what it allowed.
pub struct Guard {
    backend: SqlBackend,
    tables: Arc<Tables>,
    max_bytes: usize,
    cache: Mutex<Cache>,
}

/// Two generations: what was not asked for during a whole generation is forgotten.
struct Cache {
    young: HashMap<String, Verdict>,
    old: HashMap<String, Verdict>,
    half: usize,
}

impl Cache {
    fn get(&mut self, sql: &str) -> Option<Verdict> {
        if let Some(verdict) = self.young.get(sql) {
            return Some(verdict.clone());
        }
        let (text, verdict) = self.old.remove_entry(sql)?;
        self.put(text, verdict.clone());
        Some(verdict)
    }

    fn put(&mut self, sql: String, verdict: Verdict) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(sql, verdict);
    }
}

impl Guard {
    /// A guard that remembers at most `verdicts` statements of at most `max_bytes` bytes.
    pub fn new(backend: SqlBackend, tables: Tables, verdicts: usize, max_bytes: usize) -> Self {
        let cache = Cache { young: HashMap::new(), old: HashMap::new(), half: (verdicts / 2).max(1) };
        Self { backend, tables: Arc::new(tables), max_bytes, cache: Mutex::new(cache) }
    }

    /// The tables it judges by.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Judge a statement of the running engine.
    ///
    /// # Errors
    /// [`SqlError::Syntax`] or [`SqlError::Refused`], with what is wrong.
    pub fn check(&self, sql: &str) -> Result<Verdict, SqlError> {
        let lock = || self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(verdict) = lock().get(sql) {
            return Ok(verdict);
        }
        let (statement, text) = self.parse(sql)?;
        let writes = query::check(&statement, &self.tables, self.is_postgres())?;
        let verdict = Verdict { sql: text.into(), writes };
        lock().put(sql.to_owned(), verdict.clone());
        Ok(verdict)
    }

    /// Judge a statement of a migration; answers the text to run.
    ///
    /// # Errors
    /// As [`Guard::check`].
    pub fn check_migration(&self, sql: &str) -> Result<(Arc<str>, DdlEffect), SqlError> {
        let (statement, text) = self.parse(sql)?;
        let effect = ddl::check(&statement, &self.tables, self.is_postgres())?;
        Ok((text.into(), effect))
    }

    fn is_postgres(&self) -> bool {
        self.backend == SqlBackend::Postgres
    }

    fn parse(&self, sql: &str) -> Result<(Statement, String), SqlError> {
        if sql.len() > self.max_bytes {
            return Err(SqlError::refused(format!(
                "it has {} bytes; at most {} are read",
                sql.len(),
                self.max_bytes
            )));
        }
        let dialect: &dyn Dialect =
            if self.is_postgres() { &PostgreSqlDialect {} } else { &SQLiteDialect {} };
        let lexed = lex::lex(dialect, sql)?;
        let mut statements = Parser::new(dialect)
            .with_recursion_limit(DEPTH)
            .with_tokens(lexed.tokens)
            .parse_statements()
            .map_err(|e| SqlError::Syntax(e.to_string()))?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok((statement, lexed.text)),
            _ => Err(SqlError::refused("one statement a call")),
        }
    }
}
