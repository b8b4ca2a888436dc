//! `sysmanage metric`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Session, client::encoded, machine::machine_id};

/// Bars of a sparkline, the least first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Figures of machines.
#[derive(Debug, Subcommand)]
pub(super) enum MetricCommand {
    /// List the figures that machines report.
    List,
    /// Show figures of a machine over time.
    Show {
        /// Id or name.
        machine: String,
        /// Figures with commas between them; `disk.used_percent{*}` is every part.
        #[arg(
            default_value = "cpu.percent,memory.used_percent,disk.used_percent,net.received_bps,net.sent_bps"
        )]
        figures: String,
        /// How far back: `30m`, `24h`, `7d`.
        #[arg(long, default_value = "1h")]
        last: String,
        /// Points of the line.
        #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=2000))]
        points: u16,
    },
    /// Rank machines by the newest value of a figure.
    Top {
        /// The figure.
        #[arg(default_value = "cpu.percent")]
        figure: String,
        /// Only machines that this selector matches.
        #[arg(default_value = "")]
        selector: String,
        /// Least first.
        #[arg(long)]
        least: bool,
        /// Most machines, up to 500.
        #[arg(long, default_value_t = 10)]
        limit: u16,
    },
    /// Show mean, median, 95th of a hundred, least and greatest of a figure's newest values.
    Summary {
        /// The figure.
        #[arg(default_value = "cpu.percent")]
        figure: String,
        /// Only machines that this selector matches.
        #[arg(default_value = "")]
        selector: String,
    },
}

impl MetricCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let out = &session.out;
        match self {
            Self::List => {
                out.table(&client.get("/api/v1/metrics/catalog").await?, &["name", "unit", "description"])
            }
            Self::Show { machine, figures, last, points } => {
                let from = chrono::Utc::now() - span(&last)?;
                let id = machine_id(&client, &machine).await?;
                let from = encoded(&from.to_rfc3339());
                let names = encoded(&figures);
                let path = format!("/api/v1/machines/{id}/metrics?names={names}&from={from}&points={points}");
                let found = client.get(&path).await?;
                if out.json {
                    return out.json(&found);
                }
                let rows = found["series"].as_array().into_iter().flatten().map(row).collect();
                out.table(&Value::Array(rows), &["figure", "min", "avg", "max", "now", "line"])
            }
            Self::Top { figure, selector, least, limit } => {
                let order = if least { "asc" } else { "desc" };
                let query =
                    format!("name={}&q={}&order={order}&limit={limit}", encoded(&figure), encoded(&selector));
                out.table(
                    &client.get(&format!("/api/v1/metrics?{query}")).await?,
                    &["name", "value", "at", "id"],
                )
            }
            Self::Summary { figure, selector } => {
                let query = format!("name={}&q={}", encoded(&figure), encoded(&selector));
                let found = client.get(&format!("/api/v1/metrics/summary?{query}")).await?;
                match found.is_null() && !out.json {
                    true => out.line("No machine has reported it."),
                    false => out.thing(&found),
                }
            }
        }
    }
}

/// `30m`, `24h`, `7d`, `2w`.
fn span(text: &str) -> anyhow::Result<chrono::Duration> {
    let wrong = || anyhow::anyhow!("`{text}` is no time span; write e.g. 30m, 24h, 7d or 2w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 1440,
        'w' => 10_080,
        _ => return Err(wrong()),
    };
    let longest = 2 * 366 * 1440;
    let minutes = count.checked_mul(minutes).filter(|m| (1..=longest).contains(m)).ok_or_else(wrong)?;
    Ok(chrono::Duration::minutes(minutes))
}

/// A figure over time in one line.
fn row(series: &Value) -> Value {
    let numbers = |member: &str| -> Vec<Option<f64>> {
        series[member].as_array().into_iter().flatten().map(Value::as_f64).collect()
    };
    let averages = numbers("avg");
    let least = numbers("min").into_iter().flatten().reduce(f64::min);
    let greatest = numbers("max").into_iter().flatten().reduce(f64::max);
    let known: Vec<f64> = averages.iter().flatten().copied().collect();
    let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    json!({
        "figure": series["name"], "min": brief(least), "avg": brief(mean), "max": brief(greatest),
        "now": brief(known.last().copied()), "line": sparkline(&averages),
    })
}

fn brief(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |v| match v.abs() {
        large if large >= 1000.0 => json!(format!("{v:.0}")),
        _ => json!(format!("{v:.1}")),
    })
}

/// One character a point, a blank where nothing was reported.
fn sparkline(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    let (least, greatest) =
        (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: f64| {
        let part = if greatest > least { (value - least) / (greatest - least) } else { 0.0 };
        BARS[((part * 7.0).round() as usize).min(7)]
    };
    values.iter().map(|value| value.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_nonsense_is_refused() {
        assert_eq!(span("30m").expect("a span"), chrono::Duration::minutes(30));
        assert_eq!(span("2w").expect("a span"), chrono::Duration::days(14));
        for wrong in ["", "h", "0h", "-1d", "5", "5y", "9999999999999999999d", "1ü", "900d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_shows_the_course_and_the_gaps() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(50.0), Some(100.0)]), "▁ ▅█");
        assert_eq!(sparkline(&[Some(7.0), Some(7.0)]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}
