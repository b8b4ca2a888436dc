//! An answer that grows row by row within the limits.

use plugin_api::abi::{SqlColumn, SqlRows, SqlValue};

use crate::{Limits, SqlError, values};

pub(crate) struct Answer {
    pub columns: Vec<SqlColumn>,
    values: Vec<SqlValue>,
    rows: usize,
    bytes: usize,
    limits: (usize, usize),
}

impl Answer {
    pub fn new(limits: &Limits) -> Self {
        Self {
            columns: Vec::new(),
            values: Vec::new(),
            rows: 0,
            bytes: 0,
            limits: (limits.rows, limits.bytes),
        }
    }

    /// Add a row.
    pub fn row(&mut self, row: impl Iterator<Item = Result<SqlValue, SqlError>>) -> Result<(), SqlError> {
        self.rows += 1;
        if self.rows > self.limits.0 {
            return Err(SqlError::TooMuch { limit: self.limits.0 as u64, unit: "rows" });
        }
        for value in row {
            let value = value?;
            self.bytes += values::weight(&value);
            if self.bytes > self.limits.1 {
                return Err(SqlError::TooMuch { limit: self.limits.1 as u64, unit: "bytes" });
            }
            self.values.push(value);
        }
        Ok(())
    }

    pub fn done(self) -> SqlRows {
        SqlRows { columns: self.columns.into(), values: self.values.into() }
    }
}
