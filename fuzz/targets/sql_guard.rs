//! The SQL guard against SQLite itself: of what the guard allows, SQLite's authorizer sees no foreign table.
#![no_main]

use std::{
    cell::RefCell,
    collections::BTreeSet,
    ffi::{CStr, c_char, c_int, c_void},
    ptr::{null, null_mut},
};

use libfuzzer_sys::fuzz_target;
use libsqlite3_sys as ffi;
use plugin_api::abi::SqlBackend;
use plugin_sql::guard::{Guard, Tables};

const SCHEMA: &CStr = c"CREATE TABLE foo_items (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE foo_parts (id INTEGER PRIMARY KEY, item INTEGER);
    CREATE TABLE users (id INTEGER PRIMARY KEY, password TEXT);
    CREATE TABLE foo_bar_secrets (id INTEGER PRIMARY KEY);
    CREATE VIEW v1_machines AS SELECT id, password AS name FROM users;";

thread_local! {
    static DATABASE: Database = Database::open();
    static GUARDS: [Guard; 2] = [SqlBackend::Sqlite, SqlBackend::Postgres].map(guard);
    /// The first thing SQLite was asked for that the engine may not have.
    static BREACH: RefCell<Option<String>> = const { RefCell::new(None) };
}

struct Database(*mut ffi::sqlite3);

impl Database {
    fn open() -> Self {
        let mut db = null_mut();
        // SAFETY: the arguments are a NUL-terminated name and a place for the handle, which lives as long as the thread.
        unsafe {
            assert_eq!(ffi::sqlite3_open(c":memory:".as_ptr(), &mut db), ffi::SQLITE_OK);
            assert_eq!(ffi::sqlite3_exec(db, SCHEMA.as_ptr(), None, null_mut(), null_mut()), ffi::SQLITE_OK);
            ffi::sqlite3_set_authorizer(db, Some(authorize), null_mut());
        }
        Self(db)
    }

    /// Compile a statement, without running it.
    fn prepare(&self, sql: &str) {
        let Ok(length) = c_int::try_from(sql.len()) else { return };
        let mut statement = null_mut();
        // SAFETY: the text has the length given, and the handle is of this thread; finalizing null does nothing.
        unsafe {
            ffi::sqlite3_prepare_v2(self.0, sql.as_ptr().cast(), length, &mut statement, null_mut());
            ffi::sqlite3_finalize(statement);
        }
    }
}

/// SQLite asks before it compiles an access; a view's own reads name the view as `inside`.
extern "C" fn authorize(
    _: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    inside: *const c_char,
) -> c_int {
    let text = |p: *const c_char| {
        // SAFETY: SQLite gives NUL-terminated strings that live during the call, or null.
        if p == null() { String::new() } else { unsafe { CStr::from_ptr(p) }.to_string_lossy().into_owned() }
    };
    let (table, inside) = (text(first), text(inside));
    let own = ["foo_items", "foo_parts"].contains(&table.as_str());
    let view = table == "v1_machines" || inside == "v1_machines";
    let allowed = match action {
        ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE | ffi::SQLITE_FUNCTION => true,
        // Tables of one statement (CTEs, subqueries) are read without a name.
        ffi::SQLITE_READ => own || view || table.is_empty(),
        ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => own,
        _ => false,
    };
    if !allowed {
        BREACH.with_borrow_mut(|b| *b = Some(format!("action {action} on `{table}` {:?}", text(second))));
    }
    ffi::SQLITE_OK
}

fn guard(backend: SqlBackend) -> Guard {
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let tables = Tables {
        engine: "foo".into(),
        own: set(&["foo_items", "foo_parts"]),
        views: set(&["v1_machines"]),
        others: set(&["foo_bar"]),
    };
    Guard::new(backend, tables, 100, 64 << 10)
}

fuzz_target!(|sql: &str| {
    GUARDS.with(|[sqlite, postgres]| {
        let _ = postgres.check(sql);
        for guard in [sqlite, postgres] {
            let _ = guard.check_migration(sql);
        }
        let Ok(verdict) = sqlite.check(sql) else { return };
        let again = sqlite.check(&verdict.sql).expect("what runs is allowed");
        assert_eq!(again.writes, verdict.writes);
        DATABASE.with(|db| db.prepare(&verdict.sql));
        if let Some(breach) = BREACH.take() {
            panic!("the guard let through {breach}: {}", verdict.sql);
        }
    });
});
