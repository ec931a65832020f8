//! Measurements of the real plans over months and years, in the real store, with a clock turned by hand. I/O: temporary folders.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may give up loudly")]

mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use decide::rules::OfSystem;
use decide_promql::{Limits, Query, Value, evaluate, parse};
use kernel::series::{Matcher, Row, Select, SeriesReader as _, SeriesWriter as _, group_of, rows_of};
use kernel::{Labels, Timestamp};
use plan_model::{Period, Plan};
use run::loops::kpis;
use run::{Core, kept};
use world::Hand;

const DAY_MS: i64 = 86_400_000;
/// Samples are so far apart, milliseconds: fewer than real ones, two for each stretch of a roll-up.
const STEP_MS: i64 = 150_000;
const PER_DAY: i64 = DAY_MS / STEP_MS;

fn at(text: &str) -> Timestamp {
    Timestamp::from_jiff(text.parse::<jiff::Timestamp>().unwrap())
}

/// One of the plans as it is, with a store opened as it asks.
struct World {
    core: Core,
    clock: Arc<Hand>,
    system: &'static str,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(system: &'static str, now: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Path::new("../plans").join(system);
        let (core, clock) = world::core_on(folder.path(), &plan, None, at(now), change);
        Self { core, clock, system, _folder: folder }
    }

    /// Writes so many days of series, with upkeep each day, as it comes; values by the number of the sample.
    fn live_through(&self, from: &str, days: i64, metrics: &[(Labels, &dyn Fn(i64) -> f64)]) {
        let series: Vec<Labels> = metrics.iter().map(|(labels, _)| labels.with("system", self.system)).collect();
        let group = group_of(&*self.core.series, &series).unwrap();
        let from = at(from).as_millis();
        for day in 0..days {
            let row = |i: i64| Row {
                group,
                t_ms: from + i * STEP_MS,
                values: metrics.iter().map(|(_, value)| Some(value(i))).collect(),
            };
            let rows: Vec<Row> = (day * PER_DAY..(day + 1) * PER_DAY).map(row).collect();
            self.core.series.append(&rows_of(&rows)).unwrap();
            let now = from + (day + 1) * DAY_MS;
            self.clock.turn(Timestamp::from_millis(now));
            self.core.series.maintain(Timestamp::from_millis(now)).unwrap();
        }
    }

    fn ask(&self, expr: &str, now: &str) -> f64 {
        let (expr, reader) = (parse(expr).unwrap(), OfSystem { all: &*self.core.series, system: self.system });
        let found = evaluate(&Query::instant(&expr, at(now).as_millis()), &reader, &Limits::default()).unwrap();
        let Value::Vector(vector) = &found.value else { panic!("{found:?}") };
        assert_eq!(vector.len(), 1, "{found:?}");
        vector[0].float().unwrap()
    }
}

/// How many days of raw samples are left after 50 days, and how many roll-ups.
fn days_left(world: &World) -> (f64, u64) {
    let labels = Labels::metric("probe_success", [("service", "portal"), ("check", "web")]);
    world.live_through("2026-01-01T00:00:00Z", 50, &[(labels, &|i| (i % 2) as f64)]);
    let stats = world.core.series.stats();
    let end = at("2026-02-20T00:00:00Z").as_millis();
    let start_ms = world.core.series.rolled_up().first().map_or(i64::MIN, |r| r.before_ms);
    let select = Select { matchers: vec![Matcher::equal("__name__", "probe_success")], start_ms, end_ms: end };
    let times = world.core.series.select(&select).unwrap()[0].timestamps.clone();
    assert!(times.windows(2).all(|w| w[1] - w[0] == STEP_MS), "every sample is there");
    ((end - times[0]) as f64 / DAY_MS as f64, stats.rollups)
}

#[test]
fn met_02_raw_metrics_are_kept_as_long_as_each_plan_says() {
    // Conecta360 writes 30 days; whole blocks leave, of a day each.
    let (days, rollups) = days_left(&World::new("conecta360", "2026-01-01T00:00:00Z", |_| {}));
    assert!((30.0..=32.5).contains(&days) && rollups > 0, "{days} days, {rollups} roll-ups");
    let ten = |plan: &mut Plan| plan.retention.metrics = Some("10d".parse().unwrap());
    let (days, rollups) = days_left(&World::new("conecta360", "2026-01-01T00:00:00Z", ten));
    assert!((10.0..=12.5).contains(&days) && rollups > 20, "{days} days, {rollups} roll-ups");
    let long = |plan: &mut Plan| plan.retention.metrics = Some("90d".parse().unwrap());
    assert_eq!(days_left(&World::new("conecta360", "2026-01-01T00:00:00Z", long)), (50.0, 0));
}

#[test]
fn met_03_uptime_of_months_and_a_year_and_a_projection_thirteen_months_later() {
    let world = World::new("ecplacas", "2026-01-01T05:00:00Z", |_| {});
    let probe = Labels::metric("probe_success", [("service", "ecplacas-backend"), ("check", "salud")]);
    let disk = Labels::metric("disk_used_bytes", [("host", "app")]);
    // January has 31 days: its first 300 samples fail; of each later day one sample in a hundred and fifty does.
    let january = 31 * PER_DAY;
    let up = move |i: i64| if i < january { i >= 300 } else { i % 150 != 7 };
    let grown = |i: i64| 1e9 + i as f64 * 2e4;
    let start = "2026-01-01T05:00:00Z";
    world.live_through(start, 400, &[(probe, &|i| f64::from(u8::from(up(i)))), (disk, &grown)]);
    let stats = world.core.series.stats();
    assert!(stats.rollups > 80 && stats.rollups_joined > 200 && stats.rollups_lost == 0, "{stats:?}");
    assert_eq!(world.core.series.rolled_up().len(), 2, "hours of the months before, five minutes of the last ones");
    // The plan's own measure, nothing of which was recorded before: told from roll-ups alone.
    let now = "2027-02-03T05:00:00Z";
    world.clock.turn(at(now));
    kpis::measure(&world.core, &mut kpis::Memory::default());
    let told = |period: Period| {
        let all = world.core.live.system("ecplacas", |s| s.kpis.clone()).unwrap();
        let kpi = all.into_iter().find(|k| k.name == "uptime" && k.period == period).unwrap();
        kpi.periods.iter().map(|p| p.value).collect::<Vec<_>>()
    };
    let usual = 1.0 - 1.0 / 150.0;
    let year = {
        let n = 365 * PER_DAY;
        (0..n).filter(|i| up(*i)).count() as f64 / n as f64
    };
    let months = told(Period::Month);
    assert!(months.len() >= 12, "{months:?}");
    for month in months[1..12].iter().flatten() {
        assert!((month - usual).abs() < 2e-4, "{months:?}");
    }
    assert!(months[1..12].iter().all(Option::is_some), "{months:?}");
    let years = told(Period::Year);
    assert!((years[1].unwrap() - year).abs() < 1e-4, "{years:?} against {year}");
    // January of the year before, thirteen months ago, and the year, asked for in words.
    let wanted = 1.0 - 300.0 / january as f64;
    let found = world.ask("avg_over_time(probe_success[31d] @ 1769922000)", now);
    assert!((found - wanted).abs() < 1e-4, "{found} against {wanted}");
    // Where the disk will be in a year, from a year of it: 400 days are measured, of which 30 as samples.
    let projected = world.ask("predict_linear(disk_used_bytes[365d], 31536000)", now);
    let seconds = |text: &str| at(text).as_millis() - at(start).as_millis();
    let wanted = grown((seconds(now) + 365 * DAY_MS) / STEP_MS);
    assert!((projected / wanted - 1.0).abs() < 1e-3, "{projected} against {wanted}");
    assert!(world.core.series.stats().rollup_bytes < 4 << 20);
    let kept = kept::store_options(std::iter::empty());
    assert_eq!(kept.rollups, Duration::from_secs(762 * 86_400), "25 months");
}
