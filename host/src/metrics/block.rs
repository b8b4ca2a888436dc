//! A block: the figures of one machine over one stretch of time, in columns, packed.
//!
//! Layout before compression: for each figure its name and, for each of its four columns (count, least, mean, greatest),
//! bytes of the same weight side by side of the exclusive-or with the value before. Quiet figures become runs of zeros.

use std::collections::BTreeMap;

use super::model::Point;

/// Level of zstd: blocks are small, and written more often than read.
const LEVEL: i32 = 3;
/// No block is larger when unpacked: 512 figures of 720 values.
const MAX_PLAIN: usize = 16 << 20;
/// Version of the layout, first byte of a block.
const FORMAT: u8 = 1;

/// Values by figure and by number of the step since the block began.
pub type Columns = BTreeMap<String, BTreeMap<u32, Point>>;

/// The bytes do not make a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of metrics is damaged")]
pub struct Damaged;

/// Pack.
pub fn pack(columns: &Columns) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    for (name, points) in columns {
        let name = name.get(..name.floor_char_boundary(255)).unwrap_or_default();
        plain.push(name.len() as u8);
        plain.extend_from_slice(name.as_bytes());
        plain.extend_from_slice(&(points.len() as u32).to_le_bytes());
        let mut before = 0_u32;
        let steps = points.keys().map(|step| step - std::mem::replace(&mut before, *step));
        planes(&mut plain, steps);
        planes(&mut plain, points.values().map(|p| p.count));
        for column in [|p: &Point| p.min, |p: &Point| p.avg, |p: &Point| p.max] {
            let mut before = 0_u32;
            let bits = points.values().map(|p| {
                let bits = column(p).to_bits();
                bits ^ std::mem::replace(&mut before, bits)
            });
            planes(&mut plain, bits);
        }
    }
    let mut packed = vec![FORMAT];
    packed.extend_from_slice(&zstd::bulk::compress(&plain, LEVEL)?);
    Ok(packed)
}

fn planes(out: &mut Vec<u8>, words: impl Iterator<Item = u32>) {
    let words: Vec<u32> = words.collect();
    for shift in [0, 8, 16, 24] {
        out.extend(words.iter().map(|word| (word >> shift) as u8));
    }
}

/// Unpack.
pub fn unpack(packed: &[u8]) -> Result<Columns, Damaged> {
    let packed = packed.strip_prefix(&[FORMAT]).ok_or(Damaged)?;
    let plain = zstd::bulk::decompress(packed, MAX_PLAIN).map_err(|_| Damaged)?;
    let mut rest = plain.as_slice();
    let mut columns = Columns::new();
    while let Some((length, after)) = rest.split_first() {
        rest = after;
        let name = take(&mut rest, usize::from(*length))?;
        let name = std::str::from_utf8(name).map_err(|_| Damaged)?.to_owned();
        let count = take(&mut rest, 4)?.first_chunk::<4>().ok_or(Damaged)?;
        let count = u32::from_le_bytes(*count) as usize;
        let mut step = 0_u32;
        let steps: Vec<u32> = words(&mut rest, count)?
            .into_iter()
            .map(|delta| {
                step = step.wrapping_add(delta);
                step
            })
            .collect();
        let counts = words(&mut rest, count)?;
        let (min, avg, max) =
            (floats(&mut rest, count)?, floats(&mut rest, count)?, floats(&mut rest, count)?);
        let values = counts.into_iter().zip(min).zip(avg).zip(max);
        let points = values.map(|(((count, min), avg), max)| Point { count, min, avg, max });
        columns.insert(name, steps.into_iter().zip(points).collect());
    }
    Ok(columns)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Damaged> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Damaged)?;
    *rest = after;
    Ok(taken)
}

fn words(rest: &mut &[u8], count: usize) -> Result<Vec<u32>, Damaged> {
    let bytes = take(rest, count.checked_mul(4).ok_or(Damaged)?)?;
    let plane = |at: usize, i: usize| u32::from(bytes.get(at * count + i).copied().unwrap_or(0)) << (8 * at);
    Ok((0..count).map(|i| (0..4).map(|at| plane(at, i)).sum()).collect())
}

fn floats(rest: &mut &[u8], count: usize) -> Result<Vec<f32>, Damaged> {
    let mut before = 0_u32;
    let bits = words(rest, count)?.into_iter().map(|word| {
        before ^= word;
        f32::from_bits(before)
    });
    Ok(bits.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_damage_is_noticed() {
        let point = |n: u32| Point { count: 1, min: n as f32, avg: n as f32 + 0.5, max: n as f32 + 1.0 };
        let points: BTreeMap<u32, Point> = (0..60).filter(|n| n % 7 != 3).map(|n| (n, point(n))).collect();
        let columns = Columns::from([("cpu.percent".into(), points.clone()), ("load1".into(), points)]);
        let packed = pack(&columns).expect("figures pack");
        assert_eq!(unpack(&packed), Ok(columns));
        assert_eq!(unpack(&packed[..packed.len() / 2]), Err(Damaged));
        assert_eq!(unpack(&[]), Err(Damaged));
    }
}
