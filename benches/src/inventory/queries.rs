//! What a console asks, timed.

use std::time::{Duration, Instant};

use anyhow::Result;
use sysmanage::{
    app::App,
    ctx::Ctx,
    machines::{MachineQuery, Sort},
    selector::Selector,
    software::{Listing, Order},
};

/// Times each question is asked, at most for [`PATIENCE`].
const TIMES: usize = 40;
const PATIENCE: Duration = Duration::from_secs(4);

/// The 95th of a hundred answers to each question.
pub async fn measure(app: &App) -> Result<Vec<(&'static str, Duration)>> {
    let ctx = Ctx::system("bench");
    let selector = |text: &str| -> Result<Option<Selector>> { Ok(Some(text.parse()?)) };
    let mut found = Vec::new();
    macro_rules! time {
        ($what:literal, $question:expr) => {{
            let (begun, mut times) = (Instant::now(), Vec::new());
            while times.len() < TIMES && (times.len() < 3 || begun.elapsed() < PATIENCE) {
                let at = Instant::now();
                std::hint::black_box($question);
                times.push(at.elapsed());
            }
            times.sort();
            found.push(($what, times[(times.len() * 95 / 100).min(times.len() - 1)]));
        }};
    }
    let list = |q: Option<Selector>, sort: &str| -> Result<MachineQuery> {
        Ok(MachineQuery { selector: q, sort: sort.parse::<Sort>()?, after: None, limit: 50 })
    };
    time!("machines by name", app.machines.list(&ctx, list(None, "name")?).await?);
    time!("machines with most updates", app.machines.list(&ctx, list(None, "-updates")?).await?);
    time!("machines `tag:t1`", app.machines.list(&ctx, list(selector("tag:t1")?, "name")?).await?);
    time!("machines `name:*77*`", app.machines.list(&ctx, list(selector("name:*77*")?, "name")?).await?);
    time!("count of machines `os:debian`", app.machines.count(&ctx, "os:debian").await?);
    time!("facets of machines", app.machines.facets(&ctx, None).await?);
    let by = |order, q: Option<Selector>| Listing { order, selector: q, limit: 50, ..Listing::default() };
    time!("software by name", app.software.titles(&ctx, by(Order::Name, None)).await?);
    time!("software on most machines", app.software.titles(&ctx, by(Order::Machines, None)).await?);
    let searched = || Listing { search: Some("77".into()), ..by(Order::Name, None) };
    time!("software with `77` in its name", app.software.titles(&ctx, searched()).await?);
    time!(
        "software of a tenth of the machines",
        app.software.titles(&ctx, by(Order::Machines, selector("tag:t1")?)).await?
    );
    time!(
        "software of nine tenths of the machines",
        app.software.titles(&ctx, by(Order::Machines, selector("not tag:t1")?)).await?
    );
    time!("versions of a title", app.software.title(&ctx, "base-7", None).await?);
    time!("machines with a title", app.software.machines_of(&ctx, "base-7", by(Order::Name, None)).await?);
    time!("updates on most machines", app.software.updates(&ctx, by(Order::Machines, None)).await?);
    let changes = sysmanage::machines::ChangeQuery { limit: 50, ..Default::default() };
    time!("newest changes of the fleet", app.machines.fleet_changes(&ctx, changes.clone()).await?);
    let machine = app.machines.list(&ctx, list(None, "name")?).await?.items[0].id;
    time!(
        "packages of a machine",
        app.software.of_machine(&ctx, &app.machines, machine, "packages", by(Order::Name, None)).await?
    );
    Ok(found)
}
