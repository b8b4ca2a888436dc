//! Two sides timed in turn, in small batches.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Times of single calls of one side, batch by batch.
#[derive(Debug, Default)]
pub struct Times {
    all: Vec<u64>,
    batch_means: Vec<f64>,
}

impl Times {
    fn add_batch(&mut self, batch: &[u64]) {
        self.all.extend_from_slice(batch);
        self.batch_means.push(batch.iter().sum::<u64>() as f64 / batch.len().max(1) as f64);
    }

    /// The time that a share of the calls stayed below.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.all.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        Duration::from_nanos(sorted.get(at).copied().unwrap_or(0))
    }

    /// `p50 / p99` for people.
    pub fn quantiles(&self) -> String {
        use crate::report::time;
        format!("{} / {}", time(self.quantile(0.5)), time(self.quantile(0.99)))
    }
}

/// Both sides.
#[derive(Debug, Default)]
pub struct Pair {
    /// What is compared with.
    pub against: Times,
    /// What is measured.
    pub measured: Times,
}

impl Pair {
    /// Median over the batches of how much longer a call of the measured side took, in nanoseconds.
    pub fn overhead_ns(&self) -> f64 {
        median(self.batches().map(|(a, b)| b - a))
    }

    /// Median over the batches of measured to compared.
    pub fn ratio(&self) -> f64 {
        median(self.batches().map(|(a, b)| b / a))
    }

    fn batches(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.against.batch_means.iter().copied().zip(self.measured.batch_means.iter().copied())
    }
}

/// The middle value.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Run `batches` of `calls` of each side in turn; who begins alternates too. The first batches warm up and do not count.
pub async fn alternate(
    batches: usize,
    calls: usize,
    mut against: impl AsyncFnMut() -> Result<()>,
    mut measured: impl AsyncFnMut() -> Result<()>,
) -> Result<Pair> {
    let warm_up = batches.div_ceil(10);
    let mut pair = Pair::default();
    for n in 0..batches + warm_up {
        let (a, b) = if n % 2 == 0 {
            let a = batch(calls, &mut against).await?;
            (a, batch(calls, &mut measured).await?)
        } else {
            let b = batch(calls, &mut measured).await?;
            (batch(calls, &mut against).await?, b)
        };
        if n >= warm_up {
            pair.against.add_batch(&a);
            pair.measured.add_batch(&b);
        }
    }
    Ok(pair)
}

async fn batch(calls: usize, side: &mut impl AsyncFnMut() -> Result<()>) -> Result<Vec<u64>> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        side().await?;
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_and_overhead_are_medians_of_batches() {
        let mut pair = Pair::default();
        for (a, b) in [(100, 150), (100, 1000), (200, 300)] {
            pair.against.add_batch(&[a, a]);
            pair.measured.add_batch(&[b, b]);
        }
        assert_eq!(pair.ratio(), 1.5);
        assert_eq!(pair.overhead_ns(), 100.0);
        assert_eq!(pair.against.quantile(0.99), Duration::from_nanos(200));
    }

    #[tokio::test]
    async fn both_sides_are_called_equally_often() {
        let (mut a, mut b) = (0, 0);
        let counted = alternate(
            10,
            3,
            async || {
                a += 1;
                Ok(())
            },
            async || {
                b += 1;
                Ok(())
            },
        );
        let pair = counted.await.expect("nothing fails");
        assert_eq!(pair.measured.all.len(), 30);
        assert_eq!((a, b), (33, 33));
    }
}
