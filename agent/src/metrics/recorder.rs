//! Looks at the machine once a minute and keeps what it saw until the host has stored it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::{
    UnixMs, limits,
    metrics::{Samples, Series},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::figures::{Figures, Observer, quantum};
use crate::{clock::now_ms, inventory::source::Root};

/// Between looks.
const EVERY: Duration = Duration::from_secs(60);
/// Looks that wait at most: two days, as long as the host keeps minutes. The oldest are dropped first.
const MOST: usize = 48 * 60;
/// Looks in one frame.
const BATCH: usize = 60;

/// What was seen and is not stored by the host yet.
#[derive(Debug, Default)]
pub struct Recorder {
    kept: Mutex<Kept>,
    /// The host acknowledged something.
    pub acknowledged: Notify,
}

/// Names are kept once; a look holds their numbers.
#[derive(Debug, Default)]
struct Kept {
    names: Vec<String>,
    looks: VecDeque<(UnixMs, Vec<(u16, f32)>)>,
}

impl Recorder {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Look once a minute until `stop`.
    pub async fn run(&self, root: Root, stop: CancellationToken) {
        let mut observer = Observer::new(root);
        loop {
            // A look is a few small reads; the thread it would need costs more.
            let figures = observer.look();
            if figures.contains_key("cpu.percent") {
                self.keep(now_ms(), &figures);
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Keep a look.
    pub fn keep(&self, at: UnixMs, figures: &Figures) {
        let mut kept = self.kept();
        let mut look = Vec::with_capacity(figures.len());
        for (name, value) in figures.iter().take(limits::MAX_SERIES) {
            let known = kept.names.iter().position(|known| known == name);
            let number = known.unwrap_or_else(|| {
                kept.names.push(name.clone());
                kept.names.len() - 1
            });
            // Names that come and go, as of containers' interfaces, do not fill memory.
            if number < 4 * limits::MAX_SERIES {
                look.push((number as u16, *value as f32));
            } else {
                kept.names.truncate(4 * limits::MAX_SERIES);
            }
        }
        kept.looks.push_back((at, look));
        while kept.looks.len() > MOST {
            kept.looks.pop_front();
        }
    }

    /// How many looks wait.
    pub fn waiting(&self) -> usize {
        self.kept().looks.len()
    }

    /// The oldest looks, as many as fit a frame; `None` when none waits.
    pub fn batch(&self) -> Option<Samples> {
        let kept = self.kept();
        let first = kept.looks.front()?.0;
        let fits = |at: UnixMs| (0..1000 * i64::from(u32::MAX)).contains(&(at - first));
        let looks: Vec<_> = kept.looks.iter().take(BATCH).take_while(|look| fits(look.0)).collect();
        let mut columns: BTreeMap<u16, Vec<Option<f64>>> = BTreeMap::new();
        for (row, (_, look)) in looks.iter().enumerate() {
            for (number, value) in look {
                let column = columns.entry(*number).or_insert_with(|| vec![None; looks.len()]);
                if let Some(slot) = column.get_mut(row) {
                    *slot = Some(f64::from(*value));
                }
            }
        }
        let series = columns.into_iter().filter_map(|(number, values)| {
            let name = kept.names.get(usize::from(number))?;
            Some(Series::pack(name.clone(), quantum(name), values))
        });
        Some(Samples {
            first,
            offsets_s: looks.iter().map(|(at, _)| ((at - first) / 1000) as u32).collect(),
            series: series.take(limits::MAX_SERIES).collect(),
        })
    }

    /// The host has everything up to `until`.
    pub fn acknowledge(&self, until: UnixMs) {
        // Offsets travel in whole seconds.
        let stored = |at: UnixMs| at < until.saturating_add(1000);
        self.kept().looks.retain(|(at, _)| !stored(*at));
        self.acknowledged.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(value: f64) -> Figures {
        Figures::from([("cpu.percent".to_owned(), value)])
    }

    #[test]
    fn looks_wait_in_order_until_the_host_has_stored_them() {
        let recorder = Recorder::default();
        for minute in 0..100_i64 {
            recorder.keep(1_790_000_000_500 + minute * 60_000, &look(minute as f64));
        }
        let batch = recorder.batch().expect("looks wait");
        assert_eq!((batch.offsets_s.len(), batch.offsets_s[59]), (BATCH, 59 * 60));
        let values: Vec<f64> = batch.series[0].values().flatten().map(f64::round).collect();
        assert_eq!(values, (0..60).map(f64::from).collect::<Vec<_>>());
        recorder.acknowledge(batch.first + i64::from(batch.offsets_s[59]) * 1000);
        assert_eq!(recorder.waiting(), 40);
        assert_eq!(recorder.batch().expect("looks wait").first, 1_790_000_000_500 + 60 * 60_000);
    }

    #[test]
    fn two_days_without_a_host_fill_no_more_memory() {
        let recorder = Recorder::default();
        for minute in 0..MOST as i64 + 10 {
            recorder.keep(minute * 60_000, &look(1.0));
        }
        assert_eq!(recorder.waiting(), MOST);
        assert_eq!(recorder.batch().expect("looks wait").first, 600_000);
    }
}
