//! Looks at the machine once a minute and keeps what it saw until the host has stored it, over restarts of the agent.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::{
    UnixMs, limits,
    metrics::{Samples, Series},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    figures::{Figures, Observer, quantum},
    journal::{Journal, Look, Record},
};
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
    looks: VecDeque<Look>,
    /// None in memory only.
    journal: Option<Journal>,
}

impl Kept {
    fn add(&mut self, look: Look) {
        self.looks.push_back(look);
        while self.looks.len() > MOST {
            self.looks.pop_front();
        }
    }

    fn drop_stored(&mut self, until: UnixMs) {
        // Offsets travel in whole seconds.
        self.looks.retain(|(at, _)| *at >= until.saturating_add(1000));
    }

    /// What an agent before this one kept. Looks older than the host keeps minutes are of no use to it.
    fn replay(&mut self, records: Vec<Record>, now: UnixMs) {
        let oldest = now.saturating_sub(MOST as i64 * 60_000);
        for record in records {
            match record {
                Record::Name(name) => self.names.push(name),
                Record::Look(at, figures) if at >= oldest => self.add((at, figures)),
                Record::Look(..) => {}
                Record::Stored(until) => self.drop_stored(until),
            }
        }
    }

    /// Do something with the file. One that fails is given up: the figures stay in memory.
    fn journalled(&mut self, work: impl FnOnce(&mut Journal, &[String], &VecDeque<Look>) -> io::Result<()>) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = work(journal, &self.names, &self.looks) {
            tracing::warn!(%error, "figures that wait for the host do not survive a restart");
            self.journal = None;
        }
    }
}

impl Recorder {
    /// With what an agent before this one kept in the file at `path`; without the file when it cannot be used.
    pub fn open(path: &Path) -> Self {
        let mut kept = Kept::default();
        match Journal::open(path) {
            Ok((journal, records)) => {
                kept.journal = Some(journal);
                kept.replay(records, now_ms());
                // Names without looks, and looks that were stored, need not be read again.
                kept.journalled(|journal, names, looks| match looks.is_empty() {
                    true => journal.clear(),
                    false => journal.rewrite(names, looks.iter()),
                });
            }
            Err(error) => {
                tracing::warn!(%error, "figures that wait for the host do not survive a restart");
            }
        }
        Self { kept: Mutex::new(kept), acknowledged: Notify::new() }
    }

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
        kept.add((at, look));
        kept.journalled(|journal, names, looks| match looks.back() {
            Some(_) if journal.is_full() => journal.rewrite(names, looks.iter()),
            Some(look) => journal.keep(names, look),
            None => Ok(()),
        });
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
        let mut kept = self.kept();
        kept.drop_stored(until);
        kept.journalled(|journal, _, looks| match looks.is_empty() {
            true => journal.clear(),
            false => journal.stored(until),
        });
        drop(kept);
        self.acknowledged.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::journal;

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

    #[test]
    fn what_waits_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figures");
        let now = now_ms() / 60_000 * 60_000;
        let minutes = |range: std::ops::Range<i64>| range.map(move |n| (now + (n - 100) * 60_000, n));
        let recorder = Recorder::open(&path);
        for (at, n) in minutes(0..10) {
            recorder.keep(at, &look(n as f64));
        }
        recorder.acknowledge(now - 96 * 60_000);
        drop(recorder);
        // What a crash left of a record is cut off, and what is added then can be read.
        let whole = std::fs::read(&path).expect("a file");
        std::fs::write(&path, &whole[..whole.len() - 3]).expect("written");
        let recorder = Recorder::open(&path);
        // The record that was cut told of the acknowledgement: all ten are there again, and the host takes them twice.
        assert_eq!(recorder.waiting(), 10);
        recorder.acknowledge(now - 96 * 60_000);
        let mut both = look(10.0);
        both.insert("memory.percent".into(), 50.0);
        recorder.keep(now, &both);
        drop(recorder);
        let recorder = Recorder::open(&path);
        let batch = recorder.batch().expect("looks wait");
        assert_eq!(batch.first, now - 95 * 60_000);
        let values: Vec<Option<f64>> = batch.series[0].values().map(|v| v.map(f64::round)).collect();
        assert_eq!(values, [5.0, 6.0, 7.0, 8.0, 9.0, 10.0].map(Some));
        assert_eq!(batch.series[1].name, "memory.percent");
        recorder.acknowledge(now);
        assert_eq!(std::fs::metadata(&path).expect("a file").len(), 0, "nothing waits");
        drop(recorder);
        assert_eq!(Recorder::open(&path).waiting(), 0);
    }

    #[test]
    fn the_file_is_bounded_and_keeps_the_newest() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figures");
        let recorder = Recorder::open(&path);
        let figures: Figures = (0..400).map(|n| (format!("disk.used_percent{{/mnt/{n}}}"), 50.0)).collect();
        let begin = now_ms() - 47 * 3_600_000;
        let mut largest = 0;
        for minute in 0..1300 {
            recorder.keep(begin + minute * 60_000, &figures);
            largest = largest.max(std::fs::metadata(&path).expect("a file").len());
        }
        assert!(largest > journal::LARGEST / 2 && largest <= journal::LARGEST, "{largest}");
        drop(recorder);
        let recorder = Recorder::open(&path);
        assert!(recorder.waiting() > 300, "{}", recorder.waiting());
        let mut last = 0;
        while let Some(batch) = recorder.batch() {
            last = batch.first + i64::from(*batch.offsets_s.last().expect("a look")) * 1000;
            recorder.acknowledge(last);
        }
        assert_eq!(last / 60_000, (begin + 1299 * 60_000) / 60_000);
    }

    #[test]
    fn a_file_of_something_else_is_begun_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figures");
        std::fs::write(&path, b"no figures, and no length of a record either").expect("written");
        let recorder = Recorder::open(&path);
        assert_eq!(recorder.waiting(), 0);
        recorder.keep(now_ms(), &look(1.0));
        drop(recorder);
        assert_eq!(Recorder::open(&path).waiting(), 1);
    }
}
