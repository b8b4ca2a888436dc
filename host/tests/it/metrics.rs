//! Figures: stored once, thinned out, shown with gaps, ranked, and only to those who may see the machine.

use std::sync::Arc;

use agent_protocol::{
    Frame,
    metrics::{Samples, Series},
};
use agent_sim::{Agent, Link};
use sea_orm::sea_query::Order;
use sysmanage::{
    clock::Clock,
    ctx::{Actor, Ctx},
    metrics::{HistoryQuery, MetricsError, TopQuery},
    permissions::{Grant, PermissionSet},
};

use crate::agent_host::{AgentHost, config, ctx};

async fn start() -> AgentHost {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut config = config(dir.path());
    if let Ok(server) = std::env::var("SYSMANAGE_TEST_POSTGRES_URL") {
        config.database.url = crate::host::new_database(&server).await;
    }
    AgentHost::start_in(dir, config).await
}

async fn tell(link: &mut Link, first_s: i64, values: &[Option<f64>]) {
    let minutes = u32::try_from(values.len()).unwrap();
    let samples = Samples {
        first: first_s * 1000,
        offsets_s: (0..minutes).map(|minute| minute * 60).collect(),
        series: vec![
            Series::pack("cpu.percent".into(), 0.5, values.iter().copied()),
            Series::pack("disk.used_percent{/}".into(), 0.5, values.iter().copied()),
        ],
    };
    let last = first_s * 1000 + i64::from(minutes - 1) * 60_000;
    link.say(samples).await.unwrap();
    let until = link.hear_until(|frame| match frame {
        Frame::SamplesAck(ack) => Some(ack.until),
        _ => None,
    });
    assert_eq!(until.await.unwrap(), last);
}

fn query(name: &str, from_s: i64, to_s: i64, points: usize) -> HistoryQuery {
    HistoryQuery { names: vec![name.into()], from_s: Some(from_s), to_s: Some(to_s), points }
}

#[tokio::test]
async fn figures_told_twice_and_late_are_stored_once_with_gaps_and_thinned_out() {
    let host = start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut link = Agent::new(identity).connect(&host.server).await.unwrap().0;
    let now_s = host.clock.now().timestamp();
    // The hour before the last whole one, so that every minute is past.
    let hour = now_s - now_s.rem_euclid(3600) - 3600;
    let late: Vec<Option<f64>> = (0..30).map(|minute| Some(f64::from(minute))).collect();
    let early: Vec<Option<f64>> =
        (30..60).map(|minute| (minute >= 40).then_some(f64::from(minute))).collect();
    tell(&mut link, hour + 1800, &early).await;
    tell(&mut link, hour, &late).await;
    tell(&mut link, hour, &late).await;

    let shown =
        host.app.metrics.history(&ctx(), id, query("cpu.percent", hour, hour + 3600, 60)).await.unwrap();
    assert_eq!((shown.step_s, shown.at.len(), shown.at[0]), (60, 60, hour));
    let cpu = &shown.series[0];
    assert_eq!(
        (cpu.avg[7], cpu.avg[29], cpu.avg[35], cpu.avg[59]),
        (Some(7.0), Some(29.0), None, Some(59.0))
    );

    let coarse =
        host.app.metrics.history(&ctx(), id, query("cpu.percent", hour, hour + 3600, 12)).await.unwrap();
    assert_eq!((coarse.step_s, coarse.at.len()), (300, 12));
    let cpu = &coarse.series[0];
    assert_eq!((cpu.min[1], cpu.avg[1], cpu.max[1]), (Some(5.0), Some(7.0), Some(9.0)));
    assert_eq!(cpu.avg[7], None);

    let one = host
        .app
        .metrics
        .history(&ctx(), id, query("disk.used_percent{*}", hour, hour + 3600, 1))
        .await
        .unwrap();
    assert_eq!(one.series[0].name, "disk.used_percent{/}");
    assert_eq!((one.step_s, one.series[0].min[0], one.series[0].max[0]), (3600, Some(0.0), Some(59.0)));
}

#[tokio::test]
async fn machines_are_ranked_by_the_newest_value_within_the_actors_reach() {
    let host = start().await;
    let now_s = host.clock.now().timestamp();
    let mut ids = Vec::new();
    for (name, busy) in [("quiet", 5.0), ("busy", 90.0)] {
        let (identity, id) = host.machine(name).await;
        let mut link = Agent::new(identity).connect(&host.server).await.unwrap().0;
        tell(&mut link, now_s - 60, &[Some(1.0), Some(busy)]).await;
        // What comes late does not replace what is newer.
        tell(&mut link, now_s - 7200, &[Some(50.0)]).await;
        ids.push(id);
    }
    let top = |order| TopQuery { name: "cpu.percent".into(), selector: None, order, limit: 10 };
    let ranked = host.app.metrics.top(&ctx(), top(Order::Desc)).await.unwrap();
    let values: Vec<_> = ranked.iter().map(|m| (m.id, m.value)).collect();
    assert_eq!(values, [(ids[1], 90.0), (ids[0], 5.0)]);

    let summary = host.app.metrics.summary(&ctx(), "cpu.percent", None).await.unwrap().unwrap();
    assert_eq!((summary.machines, summary.min, summary.mean, summary.max), (2, 5.0, 47.5, 90.0));
    assert_eq!(summary.p95, 90.0);
    assert!(host.app.metrics.summary(&ctx(), "temperature_c", None).await.unwrap().is_none());
    assert!(host.app.metrics.summary(&ctx(), "no.such", None).await.is_err());

    let grant = Grant { permissions: PermissionSet::new(["machines:read"]), scope: "name:quiet".into() };
    let scoped = Ctx::new(Actor::System, "scoped", vec![grant], "test".into());
    let ranked = host.app.metrics.top(&scoped, top(Order::Desc)).await.unwrap();
    assert_eq!(ranked.iter().map(|m| m.id).collect::<Vec<_>>(), [ids[0]]);
    let summary = host.app.metrics.summary(&scoped, "cpu.percent", None).await.unwrap().unwrap();
    assert_eq!((summary.machines, summary.max), (1, 5.0));
    let hidden =
        host.app.metrics.history(&scoped, ids[1], query("cpu.percent", now_s - 600, now_s, 10)).await;
    assert!(matches!(hidden, Err(MetricsError::NotFound)));
    let nobody = Ctx::new(Actor::System, "nobody", Vec::new(), "test".into());
    assert!(matches!(host.app.metrics.top(&nobody, top(Order::Asc)).await, Err(MetricsError::Forbidden(_))));
}
