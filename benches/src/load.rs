//! Verifying and loading a package of 10 MB, against one pass of zstd and SHA-256 over the same bytes.

use std::io::Read;

use anyhow::{Result, ensure};
use ring::digest::{Context, SHA256};

use crate::{
    engine, padded,
    report::{Row, size, time, times},
    sampling::alternate,
};

const SIZE: usize = 10_000_000;
/// Each load stays in this process, for libraries are never unloaded.
const ROUNDS: usize = 10;

/// Measure.
pub async fn measure() -> Result<Vec<Row>> {
    let bytes = padded::package(SIZE, |_| {})?;
    let verify = alternate(ROUNDS, 1, async || pass(&bytes), async || engine::verify(&bytes[..]).map(drop));
    let verify = verify.await?;
    let load = alternate(
        ROUNDS,
        1,
        async || pass(&bytes),
        async || {
            let package = engine::verify(&bytes[..])?;
            let instance = engine::in_process(&package, engine::services(None)?).await?;
            ensure!(instance.description().id == engine::ID, "another engine");
            Ok(())
        },
    );
    let load = load.await?;
    let row = |figure: &str, goal, pair: &crate::sampling::Pair| Row {
        figure: format!("{figure} a package of {} (p50)", size(bytes.len() as u64)),
        against: format!("{} unzstd + SHA-256", time(pair.against.quantile(0.5))),
        measured: time(pair.measured.quantile(0.5)),
        ratio: times(pair.ratio(), 1.0),
        goal,
    };
    Ok(vec![row("verify", "", &verify), row("verify, load and start", "<= 100 ms", &load)])
}

/// The least that a verifier must do: unpack and hash the file, and hash what was in it.
fn pass(bytes: &[u8]) -> Result<()> {
    let (mut outer, mut inner) = (Context::new(&SHA256), Context::new(&SHA256));
    outer.update(bytes);
    let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = decoder.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        inner.update(&buffer[..n]);
    }
    std::hint::black_box((outer.finish(), inner.finish()));
    Ok(())
}
