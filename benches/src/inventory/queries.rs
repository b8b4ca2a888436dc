//! What a console asks, timed.

use std::time::{Duration, Instant};

use anyhow::Result;
use sysmanage::{
    app::App,
    ctx::Ctx,
    http::Page,
    machines::{Machine, MachineQuery},
    selector::Selector,
    software::{Listing, Order},
};

/// Times each question is asked, at most for [`PATIENCE`].
const TIMES: usize = 40;
const PATIENCE: Duration = Duration::from_secs(4);

/// The 95th of a hundred answers to each question.
#[derive(Default)]
pub struct Asked(pub Vec<(&'static str, Duration)>);

impl Asked {
    /// Ask one question again and again.
    pub async fn time<T, E: Into<anyhow::Error>>(
        &mut self,
        what: &'static str,
        mut question: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<()> {
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.len() < TIMES && (times.len() < 3 || begun.elapsed() < PATIENCE) {
            let at = Instant::now();
            std::hint::black_box(question().await.map_err(Into::into)?);
            times.push(at.elapsed());
        }
        times.sort();
        self.0.push((what, times[(times.len() * 95 / 100).min(times.len() - 1)]));
        Ok(())
    }
}

/// A selector; one with a mistake must not be measured as none.
fn selector(text: &str) -> Result<Option<Selector>> {
    Ok(Some(text.parse()?))
}

/// The first fifty machines in an order.
fn machines(q: Option<Selector>, sort: &str) -> Result<MachineQuery> {
    Ok(MachineQuery { selector: q, sort: sort.parse()?, after: None, limit: 50 })
}

/// Ask for them.
async fn list(app: &App, q: Option<Selector>, sort: &str) -> Result<Page<Machine>> {
    Ok(app.machines.list(&Ctx::system("bench"), machines(q, sort)?).await?)
}

/// Filters over machines alone: those that let many, few and no machines through.
pub async fn filters(app: &App) -> Result<Vec<(&'static str, Duration)>> {
    let ctx = Ctx::system("bench");
    let mut asked = Asked::default();
    asked.time("machines by name", async || list(app, None, "name").await).await?;
    for (what, text, sort) in [
        ("`tag:t1` by name", "tag:t1", "name"),
        ("`os:debian tag:t1` by name", "os:debian tag:t1", "name"),
        ("`not tag:t1` by last sign of life", "not tag:t1", "-last_seen"),
        ("`name:*77*` by name", "name:*77*", "name"),
        ("`name:machine-0999*` by name", "name:machine-0999*", "name"),
        ("`name:*0777*` (ten in 100 000) by name", "name:*0777*", "name"),
        ("`tag:rare` by updates", "tag:rare", "-updates"),
        ("`os:debian tag:rare` by name", "os:debian tag:rare", "name"),
        ("`os:plan9` (none) by name", "os:plan9", "name"),
    ] {
        asked.time(what, async || list(app, selector(text)?, sort).await).await?;
    }
    asked
        .time("count of `os:debian tag:t1`", async || app.machines.count(&ctx, "os:debian tag:t1").await)
        .await?;
    asked.time("facets of all", async || app.machines.facets(&ctx, None).await).await?;
    let q = selector("os:debian")?;
    asked.time("facets of `os:debian`", async || app.machines.facets(&ctx, q.as_ref()).await).await?;
    Ok(asked.0)
}

/// What pages of machines, software, updates and changes ask.
pub async fn measure(app: &App) -> Result<Vec<(&'static str, Duration)>> {
    let ctx = Ctx::system("bench");
    let mut asked = Asked::default();
    let list = async |text: &str, sort: &str| list(app, selector(text)?, sort).await;
    asked.time("machines by name", async || list("all", "name").await).await?;
    asked.time("machines with most updates", async || list("all", "-updates").await).await?;
    asked.time("machines `tag:t1`", async || list("tag:t1", "name").await).await?;
    asked.time("machines `name:*77*`", async || list("name:*77*", "name").await).await?;
    asked.time("count of machines `os:debian`", async || app.machines.count(&ctx, "os:debian").await).await?;
    asked.time("facets of machines", async || app.machines.facets(&ctx, None).await).await?;
    let by = |order, q: Option<Selector>| Listing { order, selector: q, limit: 50, ..Listing::default() };
    let titles = async |listing: Listing| app.software.titles(&ctx, listing).await;
    asked.time("software by name", async || titles(by(Order::Name, None)).await).await?;
    asked.time("software on most machines", async || titles(by(Order::Machines, None)).await).await?;
    let searched = || Listing { search: Some("77".into()), ..by(Order::Name, None) };
    asked.time("software with `77` in its name", async || titles(searched()).await).await?;
    for (what, text) in [
        ("software of a tenth of the machines", "tag:t1"),
        ("software of nine tenths of the machines", "not tag:t1"),
    ] {
        asked
            .time(what, async || Ok::<_, anyhow::Error>(titles(by(Order::Machines, selector(text)?)).await?))
            .await?;
    }
    asked.time("versions of a title", async || app.software.title(&ctx, "base-7", None).await).await?;
    let on = async || app.software.machines_of(&ctx, "base-7", by(Order::Name, None)).await;
    asked.time("machines with a title", on).await?;
    let updates = async || app.software.updates(&ctx, by(Order::Machines, None)).await;
    asked.time("updates on most machines", updates).await?;
    let changes = sysmanage::machines::ChangeQuery { limit: 50, ..Default::default() };
    let newest = async || app.machines.fleet_changes(&ctx, changes.clone()).await;
    asked.time("newest changes of the fleet", newest).await?;
    let machine = app.machines.list(&ctx, machines(None, "name")?).await?.items[0].id;
    let of = async || {
        let listing = by(Order::Name, None);
        app.software.of_machine(&ctx, &app.machines, machine, "packages", listing).await
    };
    asked.time("packages of a machine", of).await?;
    Ok(asked.0)
}
