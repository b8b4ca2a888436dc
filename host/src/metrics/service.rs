//! Taking figures in, thinning them out, answering questions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use agent_protocol::metrics::Samples;
use chrono::DateTime;
use sea_orm::{Condition, DatabaseTransaction, sea_query::Order};
use uuid::Uuid;

use super::{
    MetricsError,
    block::{self, Columns},
    catalog,
    model::{Figure, History, Point, SeriesHistory, Summary, TopMachine},
    store,
    tier::Tier,
};
use crate::{app::Core, ctx::Ctx, selector::Selector};

/// Clocks of machines may be this much ahead.
const AHEAD_S: i64 = 300;
/// Most points of an answer.
const MAX_POINTS: usize = 2000;
/// Most figures of an answer.
const MAX_NAMES: usize = 64;

/// Metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    core: Arc<Core>,
}

/// What to show of a machine's history.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// Figures; a name that ends in `{*}` stands for every part.
    pub names: Vec<String>,
    /// From this second on; an hour before `to_s` when absent.
    pub from_s: Option<i64>,
    /// Until this second; now when absent.
    pub to_s: Option<i64>,
    /// Most points.
    pub points: usize,
}

/// Which machines to rank.
#[derive(Debug, Clone)]
pub struct TopQuery {
    /// Figure.
    pub name: String,
    /// Among these machines.
    pub selector: Option<Selector>,
    /// Greatest or least first.
    pub order: Order,
    /// Most machines.
    pub limit: u64,
}

impl Metrics {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Every figure that machines report.
    pub fn catalog(&self, ctx: &Ctx) -> Result<Vec<Figure>, MetricsError> {
        ctx.require("machines:read")?;
        Ok(catalog::all())
    }

    /// Store what a machine reported. The same samples again change nothing.
    pub(crate) async fn take(&self, machine: Uuid, samples: &Samples) -> Result<(), MetricsError> {
        let readings = self.readings(samples);
        let Some((newest_s, newest)) = readings.last_key_value() else { return Ok(()) };
        let mut by_block: BTreeMap<i64, BTreeMap<i64, &BTreeMap<&str, f64>>> = BTreeMap::new();
        for (at_s, figures) in &readings {
            by_block.entry(floor(*at_s, Tier::Minute.block_s())).or_default().insert(*at_s, figures);
        }
        let tx = self.core.db.begin().await?;
        for (start_s, readings) in by_block {
            self.merge_hour(&tx, machine, start_s, &readings).await?;
        }
        let columns: Vec<(&'static str, f64)> =
            newest.iter().filter_map(|(name, value)| Some((catalog::column(name)?, *value))).collect();
        if let Some(at) = DateTime::from_timestamp(*newest_s, 0) {
            store::put_newest(&tx, machine, at, &columns).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Readings by second, without those that are too old or of a time to come.
    fn readings<'a>(&self, samples: &'a Samples) -> BTreeMap<i64, BTreeMap<&'a str, f64>> {
        let now_s = self.core.clock.now().timestamp();
        let at = |offset: u32| samples.first / 1000 + i64::from(offset);
        let mut readings: BTreeMap<i64, BTreeMap<&str, f64>> = BTreeMap::new();
        for series in &samples.series {
            for (offset, value) in samples.offsets_s.iter().zip(series.values()) {
                let Some(value) = value else { continue };
                let known = now_s - Tier::Minute.keep_s()..=now_s + AHEAD_S;
                if known.contains(&at(*offset)) {
                    readings.entry(at(*offset)).or_default().insert(&series.name, value);
                }
            }
        }
        readings
    }

    /// Put readings into an hour of minutes, and make the coarser tiers of that hour anew.
    async fn merge_hour(
        &self,
        tx: &DatabaseTransaction,
        machine: Uuid,
        start_s: i64,
        readings: &BTreeMap<i64, &BTreeMap<&str, f64>>,
    ) -> Result<(), MetricsError> {
        let mut minutes = load(tx, machine, Tier::Minute, start_s).await?;
        for (at_s, figures) in readings {
            let step = step_of(*at_s, Tier::Minute);
            for (name, value) in *figures {
                minutes.entry((*name).to_owned()).or_default().insert(step, Point::of(*value));
            }
        }
        save(tx, machine, Tier::Minute, start_s, &minutes).await?;
        for tier in [Tier::FiveMinutes, Tier::Hour] {
            let block_s = floor(start_s, tier.block_s());
            let mut coarse = load(tx, machine, tier, block_s).await?;
            for (name, points) in &minutes {
                let column = coarse.entry(name.clone()).or_default();
                for (step, point) in thinned(points, start_s, tier) {
                    column.insert(step, point);
                }
            }
            save(tx, machine, tier, block_s, &coarse).await?;
        }
        Ok(())
    }

    /// Figures of a machine over time, in at most as many points as asked for.
    pub async fn history(
        &self,
        ctx: &Ctx,
        machine: Uuid,
        query: HistoryQuery,
    ) -> Result<History, MetricsError> {
        let scope = ctx.require_scope("machines:read")?;
        let condition = scope.condition(&self.core.selectors.env());
        if !store::is_visible(self.core.db.read(), machine, condition).await? {
            return Err(MetricsError::NotFound);
        }
        check(&query)?;
        let now_s = self.core.clock.now().timestamp();
        let oldest_s = now_s - Tier::Hour.keep_s();
        let to_s = query.to_s.unwrap_or(now_s).clamp(oldest_s, now_s + AHEAD_S);
        let from_s = query.from_s.unwrap_or(to_s - 3600).clamp(oldest_s, to_s);
        let points = query.points.clamp(1, MAX_POINTS);
        let tier = Tier::for_range(from_s, to_s, now_s, points);
        let span = i64::try_from(points).unwrap_or(1) * tier.step_s();
        let step_s = tier.step_s() * ((to_s - from_s + span - 1) / span).max(1);
        let first = floor(from_s, step_s);
        // A range that begins within a step would need one more: the last is the one that is cut.
        let count = usize::try_from((to_s - first) / step_s).unwrap_or(0).clamp(1, points);
        let at: Vec<i64> = (0..count).map(|i| first + step_s * i64::try_from(i).unwrap_or(0)).collect();
        let mut found: BTreeMap<String, Vec<Option<Point>>> = BTreeMap::new();
        for row in store::blocks(self.core.db.read(), machine, tier, first, to_s).await? {
            for (name, values) in block::unpack(&row.data)? {
                if !wanted(&query.names, &name) || (found.len() >= MAX_NAMES && !found.contains_key(&name)) {
                    continue;
                }
                let slots = found.entry(name).or_insert_with(|| vec![None; count]);
                for (step, point) in values {
                    let at_s = row.start_s + i64::from(step) * tier.step_s();
                    let slot = usize::try_from((at_s - first).div_euclid(step_s)).ok();
                    if let Some(slot) = slot.and_then(|slot| slots.get_mut(slot)) {
                        *slot = Some(slot.map_or(point, |other| other.and(point)));
                    }
                }
            }
        }
        let series = found.into_iter().map(|(name, slots)| SeriesHistory {
            name,
            min: slots.iter().map(|p| p.map(|p| p.min)).collect(),
            avg: slots.iter().map(|p| p.map(|p| p.avg)).collect(),
            max: slots.iter().map(|p| p.map(|p| p.max)).collect(),
        });
        Ok(History { step_s, at, series: series.collect() })
    }

    /// Machines ranked by the newest value of a figure.
    pub async fn top(&self, ctx: &Ctx, query: TopQuery) -> Result<Vec<TopMachine>, MetricsError> {
        let (column, condition) = self.newest(ctx, &query.name, query.selector)?;
        Ok(store::top(self.core.db.read(), column, condition, query.order, query.limit).await?)
    }

    /// The newest values of a figure across the machines within reach that a selector matches; none has reported it
    /// when absent.
    pub async fn summary(
        &self,
        ctx: &Ctx,
        name: &str,
        selector: Option<Selector>,
    ) -> Result<Option<Summary>, MetricsError> {
        let (column, condition) = self.newest(ctx, name, selector)?;
        Ok(store::summary(self.core.db.read(), column, condition).await?)
    }

    /// Column of a figure, and the machines meant.
    fn newest(
        &self,
        ctx: &Ctx,
        name: &str,
        selector: Option<Selector>,
    ) -> Result<(&'static str, Condition), MetricsError> {
        let scope = ctx.require_scope("machines:read")?;
        let Some(column) = catalog::column(name) else {
            let detail = "Machines are not compared by this; GET /api/v1/metrics/catalog lists figures.";
            return Err(MetricsError::Invalid { field: "name", detail: detail.into() });
        };
        let env = self.core.selectors.env();
        let mut condition = Condition::all().add(scope.condition(&env));
        if let Some(selector) = selector {
            condition = condition.add(selector.condition(&env));
        }
        Ok((column, condition))
    }

    /// Remove what is older than its tier keeps.
    pub(super) async fn forget_old(&self) -> Result<(), MetricsError> {
        let now_s = self.core.clock.now().timestamp();
        for tier in Tier::ALL {
            let before_s = now_s - tier.keep_s() - tier.block_s();
            while store::forget(self.core.db.write(), tier, before_s).await? > 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

fn check(query: &HistoryQuery) -> Result<(), MetricsError> {
    let invalid = |field, detail: &str| Err(MetricsError::Invalid { field, detail: detail.into() });
    if query.names.is_empty() || query.names.len() > MAX_NAMES {
        return invalid("names", "Name 1 to 64 figures, with commas between them.");
    }
    if matches!((query.from_s, query.to_s), (Some(from), Some(to)) if from >= to) {
        return invalid("from", "`from` must be before `to`.");
    }
    Ok(())
}

fn wanted(names: &[String], name: &str) -> bool {
    names.iter().any(|wanted| match wanted.strip_suffix("{*}") {
        Some(whole) => name.strip_prefix(whole).is_some_and(|part| part.starts_with('{')),
        None => wanted == name,
    })
}

fn floor(at_s: i64, step_s: i64) -> i64 {
    at_s - at_s.rem_euclid(step_s)
}

/// The number of the step of `tier` within its block.
fn step_of(at_s: i64, tier: Tier) -> u32 {
    u32::try_from(at_s.rem_euclid(tier.block_s()) / tier.step_s()).unwrap_or(0)
}

/// An hour of minutes in the steps of a coarser tier.
fn thinned(minutes: &BTreeMap<u32, Point>, start_s: i64, tier: Tier) -> BTreeMap<u32, Point> {
    let mut coarse: BTreeMap<u32, Point> = BTreeMap::new();
    for (step, point) in minutes {
        let at_s = start_s + i64::from(*step) * Tier::Minute.step_s();
        let whole = coarse.get(&step_of(at_s, tier)).map_or(*point, |other| other.and(*point));
        coarse.insert(step_of(at_s, tier), whole);
    }
    coarse
}

async fn load(
    tx: &DatabaseTransaction,
    machine: Uuid,
    tier: Tier,
    start_s: i64,
) -> Result<Columns, MetricsError> {
    let Some(data) = store::block(tx, machine, tier, start_s).await? else { return Ok(Columns::new()) };
    Ok(block::unpack(&data)?)
}

async fn save(
    tx: &DatabaseTransaction,
    machine: Uuid,
    tier: Tier,
    start_s: i64,
    columns: &Columns,
) -> Result<(), MetricsError> {
    Ok(store::put_block(tx, machine, tier, start_s, block::pack(columns)?).await?)
}

/// Names without repetition, as a query gives them.
pub(super) fn names(text: &str) -> Vec<String> {
    let names: BTreeSet<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    names.into_iter().map(str::to_owned).collect()
}
