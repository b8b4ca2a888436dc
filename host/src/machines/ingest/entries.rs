//! Numbers of packages and updates: looked up, or given to what is seen for the first time.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Element};
use crate::selector::version;

/// Values in one statement.
const CHUNK: usize = 300;
/// More than this is forgotten, and looked up again.
const MOST: usize = 300_000;

type Hash = [u8; 16];

/// An entry's number, and its title's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: i32,
    /// 0 where there are no titles.
    pub title: i32,
}

/// Numbers that were looked up before.
#[derive(Debug, Default)]
pub(super) struct Known {
    entries: HashMap<(Catalogue, Hash), Entry>,
    titles: HashMap<(String, String), i32>,
}

impl Known {
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn get(&self, catalogue: Catalogue, hash: &Hash) -> Option<Entry> {
        self.entries.get(&(catalogue, *hash)).copied()
    }

    /// Learn the numbers of `elements`; what is new gets one.
    pub async fn learn(
        &mut self,
        db: &impl ConnectionTrait,
        catalogue: Catalogue,
        elements: &[&Element],
    ) -> Result<(), DbErr> {
        if self.entries.len() > MOST {
            self.clear();
        }
        let missing = self.missing(catalogue, elements);
        self.look_up(db, catalogue, &missing).await?;
        let missing = self.missing(catalogue, elements);
        if missing.is_empty() {
            return Ok(());
        }
        if catalogue == Catalogue::Software {
            self.learn_titles(db, &missing).await?;
        }
        for elements in missing.chunks(CHUNK) {
            let insert = match catalogue {
                Catalogue::Software => self.new_software(elements),
                Catalogue::Updates => new_updates(elements),
            };
            db.execute(&insert).await?;
        }
        self.look_up(db, catalogue, &missing).await
    }

    fn missing<'a>(&self, catalogue: Catalogue, elements: &[&'a Element]) -> Vec<&'a Element> {
        let mut seen = HashSet::new();
        let unknown = |e: &&&Element| self.get(catalogue, &e.hash).is_none();
        elements.iter().filter(unknown).filter(|e| seen.insert(e.hash)).copied().collect()
    }

    async fn look_up(
        &mut self,
        db: &impl ConnectionTrait,
        catalogue: Catalogue,
        elements: &[&Element],
    ) -> Result<(), DbErr> {
        for elements in elements.chunks(CHUNK) {
            let mut select = Query::select();
            select.columns(["id", "hash"]).from(catalogue.entries());
            if catalogue == Catalogue::Software {
                select.column("title_id");
            }
            select.and_where(Expr::col("hash").is_in(elements.iter().map(|e| e.hash.to_vec())));
            for row in db.query_all(&select).await? {
                let hash: Vec<u8> = row.try_get("", "hash")?;
                let Ok(hash) = Hash::try_from(hash) else { continue };
                let title = if catalogue == Catalogue::Software { row.try_get("", "title_id")? } else { 0 };
                self.entries.insert((catalogue, hash), Entry { id: row.try_get("", "id")?, title });
            }
        }
        Ok(())
    }

    async fn learn_titles(&mut self, db: &impl ConnectionTrait, elements: &[&Element]) -> Result<(), DbErr> {
        let titles: HashMap<(String, String), String> = elements
            .iter()
            .map(|e| (title_of(&e.body), text(&e.body, "title").to_owned()))
            .filter(|(name, _)| !self.titles.contains_key(name))
            .collect();
        let titles: Vec<((String, String), String)> = titles.into_iter().collect();
        for titles in titles.chunks(CHUNK) {
            let mut insert = Query::insert();
            insert.into_table("software_titles").columns(["manager", "name", "search", "title"]);
            for ((manager, name), title) in titles {
                let search = format!("{name} {title}").trim().to_lowercase();
                let title = (!title.is_empty()).then(|| title.clone());
                insert.values_panic([manager.into(), name.into(), search.into(), Expr::val(title)]);
            }
            insert.on_conflict(OnConflict::columns(["manager", "name"]).do_nothing().to_owned());
            db.execute(&insert).await?;
            let names = titles.iter().map(|((_, name), _)| name.clone());
            let select = Query::select()
                .columns(["id", "manager", "name"])
                .from("software_titles")
                .and_where(
                    Expr::col("manager")
                        .is_in(titles.iter().map(|((m, _), _)| m.clone()).collect::<HashSet<_>>()),
                )
                .and_where(Expr::col("name").is_in(names))
                .to_owned();
            for row in db.query_all(&select).await? {
                let name = (row.try_get("", "manager")?, row.try_get("", "name")?);
                self.titles.insert(name, row.try_get("", "id")?);
            }
        }
        Ok(())
    }

    fn new_software(&self, elements: &[&Element]) -> sea_orm::sea_query::InsertStatement {
        let mut insert = Query::insert();
        insert.into_table("software").columns(["hash", "title_id", "version", "version_key", "arch", "body"]);
        for element in elements {
            let body = &element.body;
            let title = self.titles.get(&title_of(body)).copied().unwrap_or_default();
            insert.values_panic([
                element.hash.to_vec().into(),
                title.into(),
                text(body, "version").into(),
                version::debian_key(text(body, "version")).into(),
                text(body, "arch").into(),
                Value::Object(body.clone()).to_string().into(),
            ]);
        }
        insert.on_conflict(OnConflict::column("hash").do_nothing().to_owned());
        insert
    }
}

fn new_updates(elements: &[&Element]) -> sea_orm::sea_query::InsertStatement {
    let mut insert = Query::insert();
    let columns = ["hash", "manager", "name", "search", "version", "arch", "security", "body"];
    insert.into_table("updates").columns(columns);
    for element in elements {
        let body = &element.body;
        insert.values_panic([
            element.hash.to_vec().into(),
            text(body, "manager").into(),
            text(body, "name").into(),
            text(body, "name").to_lowercase().into(),
            text(body, "version").into(),
            text(body, "arch").into(),
            body.get("security").and_then(Value::as_bool).unwrap_or_default().into(),
            Value::Object(body.clone()).to_string().into(),
        ]);
    }
    insert.on_conflict(OnConflict::column("hash").do_nothing().to_owned());
    insert
}

fn title_of(body: &Map<String, Value>) -> (String, String) {
    (text(body, "manager").into(), text(body, "name").into())
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}
