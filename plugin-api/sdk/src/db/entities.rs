//! The types of the engine's columns, taken from its entities.

use std::collections::BTreeMap;

use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait, sea_query::ArrayType};

/// The engine's entities: `Entities::new().add::<notes::Entity>()`.
#[derive(Debug, Clone, Default)]
pub struct Entities {
    tables: BTreeMap<String, Table>,
}

/// Columns of a table and the type their model field has.
pub(super) type Table = BTreeMap<String, ArrayType>;

impl Entities {
    /// No entities.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add an entity.
    #[must_use]
    pub fn add<E: EntityTrait>(mut self) -> Self {
        let columns =
            E::Column::iter().map(|c| (c.as_str().to_owned(), E::Model::get_value_type(c))).collect();
        self.tables.insert(E::default().table_name().to_owned(), columns);
        self
    }

    /// Names of the tables.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.tables.iter().map(|(name, columns)| (name.as_str(), columns))
    }
}
