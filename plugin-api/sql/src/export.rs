//! A table as JSON lines, page by page, so that memory stays flat.

use chrono::DateTime;
use plugin_api::abi::{SqlBackend, SqlRows, SqlValue};
use serde_json::{Map, Value, json};

use crate::{SqlError, database::Shared, ledger};

const PAGE: usize = 1_000;

/// Write every row of an engine's table; answers how many there were.
pub(crate) async fn table(
    shared: &Shared,
    engine: &str,
    table: &str,
    sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
) -> Result<u64, SqlError> {
    if !ledger::tables(shared, engine).await?.contains(table) {
        return Err(SqlError::refused(format!("`{table}` is not a table of `{engine}`")));
    }
    // The physical row is a stable order while the export's transaction is open.
    let order = match shared.backend() {
        SqlBackend::Sqlite => "rowid",
        SqlBackend::Postgres => "ctid",
    };
    let mut lease = shared.take(false, shared.limits.statement).await?;
    let begin = match shared.backend() {
        SqlBackend::Sqlite => "BEGIN",
        SqlBackend::Postgres => "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    lease.control(begin, shared.limits.statement).await?;
    let mut written = 0;
    let result = loop {
        let sql = format!("SELECT * FROM \"{table}\" ORDER BY {order} LIMIT {PAGE} OFFSET {written}");
        let rows = match shared.query(&mut lease, sql.into(), &[]).await {
            Ok(rows) => rows,
            Err(error) => break Err(error),
        };
        match lines(&rows, sink) {
            Ok(0) => break Ok(written),
            Ok(n) => written += n,
            Err(error) => break Err(SqlError::Value(format!("the export cannot be written: {error}"))),
        }
    };
    lease.rollback(shared.limits.statement).await;
    result
}

fn lines(
    rows: &SqlRows,
    sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
) -> std::io::Result<u64> {
    if rows.columns.is_empty() {
        return Ok(0);
    }
    let mut count = 0;
    for row in rows.values.chunks_exact(rows.columns.len()) {
        let object: Map<String, Value> =
            rows.columns.iter().zip(row).map(|(c, v)| (c.name.to_string(), plain(v))).collect();
        let mut line = serde_json::to_vec(&object)?;
        line.push(b'\n');
        sink(&line)?;
        count += 1;
    }
    Ok(count)
}

/// A value as people and other programs read it.
fn plain(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null(_) => Value::Null,
        SqlValue::Bool(v) => json!(v),
        SqlValue::I16(v) => json!(v),
        SqlValue::I32(v) => json!(v),
        SqlValue::I64(v) => json!(v),
        SqlValue::F32(v) => json!(v),
        SqlValue::F64(v) => json!(v),
        SqlValue::Text(v) | SqlValue::Decimal(v) => json!(v.as_str()),
        SqlValue::Json(v) => serde_json::from_str(v).unwrap_or_else(|_| json!(v.as_str())),
        SqlValue::Bytes(v) => json!({ "base64": data_encoding::BASE64.encode(v) }),
        SqlValue::Uuid(v) => json!(uuid::Uuid::from_bytes(*v).to_string()),
        SqlValue::TimestampTz(v) => json!(DateTime::from_timestamp_micros(*v).map(|t| t.to_rfc3339())),
        SqlValue::Timestamp(v) => {
            json!(DateTime::from_timestamp_micros(*v).map(|t| t.naive_utc().to_string()))
        }
        SqlValue::Date(_) | SqlValue::Time(_) => crate::values::time_text(value).into(),
    }
}
