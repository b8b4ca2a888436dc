//! Cursor pagination: `?limit=50&cursor=<next_cursor>`.

use std::{borrow::Cow, marker::PhantomData};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::{
    __dev::ComposeSchema,
    IntoParams, PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

use crate::problem::Problem;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 500;

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Send as `cursor` to get the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Make a page of `rows`, of which one more than `limit` was asked for. `key` orders the list.
    pub fn cut(mut rows: Vec<T>, limit: u64, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| BASE64URL_NOPAD.encode(key(row).as_bytes()));
        Self { items: rows, next_cursor }
    }

    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

/// A page in the document, named `Page_<item>`; each list gives it an alias and names that. Generic types named in an
/// attribute do not compile where `typed_path` is linked (`distribution` needs it): the attribute's code asks a `Cow<str>`
/// for `as_ref()`, of which there are two then.
#[derive(Debug)]
pub struct PageSchema<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for PageSchema<T> {
    fn schema() -> RefOr<Schema> {
        // The item stands in the page, as the attribute's own code would put it.
        Page::<T>::compose(vec![T::schema()])
    }
}

impl<T: ToSchema> ToSchema for PageSchema<T> {
    fn name() -> Cow<'static, str> {
        format!("Page_{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        Page::<T>::schemas(schemas);
    }
}

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    pub limit: Option<u64>,
}

impl PageQuery {
    /// Most items.
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
    }

    /// The key to go on after.
    pub fn after(&self) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad_cursor())?;
        String::from_utf8(bytes).map(Some).map_err(|_| bad_cursor())
    }

    /// The key to go on after, where the list is ordered by id.
    pub fn after_id(&self) -> Result<Option<Uuid>, Problem> {
        self.after()?.map(|key| key.parse().map_err(|_| bad_cursor())).transpose()
    }
}

fn bad_cursor() -> Problem {
    Problem::new(http::StatusCode::BAD_REQUEST, "bad_cursor", "This cursor is not one this list gave out.")
}
