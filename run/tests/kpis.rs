//! Measures of success of the real plans through the real store, with a clock turned by hand. I/O: temporary folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may give up loudly")]

use std::path::Path;
use std::sync::Arc;

use kernel::series::{Row, SeriesWriter as _, group_of, rows_of};
use kernel::{Labels, Timestamp};
use plan_model::Period;
use run::Core;
use run::loops::kpis;
use web::live::KpiState;

mod world;

use world::Hand;

/// Samples are so far apart, milliseconds: fewer than real ones, as many as it takes.
const STEP_MS: i64 = 300_000;

/// One of the plans, with its real store and without loops: the test makes their turns.
struct World {
    core: Core,
    clock: Arc<Hand>,
    memory: kpis::Memory,
    system: &'static str,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(system: &'static str, environment: Option<&str>, now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (core, clock) =
            world::core_on(folder.path(), &Path::new("../plans").join(system), environment, at(now), |_| {});
        Self { core, clock, memory: kpis::Memory::default(), system, _folder: folder }
    }

    /// Writes a series of the system from one time to another; the value by the number of the sample.
    fn write(&self, metric: &str, labels: &[(&str, &str)], times: (&str, &str), value: impl Fn(i64) -> f64) {
        let all = labels.iter().copied().chain([("system", self.system)]);
        let labels = Labels::metric(metric, all);
        let group = group_of(&*self.core.series, &[labels]).unwrap();
        let (from, to) = (at(times.0).as_millis(), at(times.1).as_millis());
        let rows: Vec<Row> = (0..(to - from) / STEP_MS)
            .map(|i| Row { group, t_ms: from + i * STEP_MS, values: vec![Some(value(i))] })
            .collect();
        let appended = self.core.series.append(&rows_of(&rows)).unwrap();
        assert_eq!(appended.samples, rows.len() as u64);
    }

    fn measured_at(&mut self, now: &str) {
        self.clock.turn(at(now));
        kpis::measure(&self.core, &mut self.memory);
    }

    fn told(&self, name: &str, period: Period) -> KpiState {
        let all = self.core.live.system(self.system, |s| s.kpis.clone()).unwrap();
        all.into_iter().find(|k| k.name == name && k.period == period).unwrap()
    }

    fn values(&self, name: &str, period: Period) -> Vec<Option<f64>> {
        self.told(name, period).periods.iter().map(|p| p.value).collect()
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_jiff(text.parse::<jiff::Timestamp>().unwrap())
}

fn near(values: &[Option<f64>], wanted: &[f64], tolerance: f64) {
    let values: Vec<f64> = values.iter().map(|v| v.unwrap()).collect();
    assert_eq!(values.len(), wanted.len(), "{values:?}");
    for (value, wanted) in values.iter().zip(wanted) {
        assert!((value - wanted).abs() <= tolerance, "{values:?} against {wanted:?}");
    }
}

/// A histogram of requests: per sample so many within 0.1 s, and so many more within 0.2 s and 0.4 s, with their statuses.
fn requests(world: &World, times: (&str, &str), labels: &[(&str, &str)], counts: [f64; 3]) {
    let mut below = 0.0;
    for (le, n) in ["0.1", "0.2", "0.4"].into_iter().zip(counts) {
        below += n;
        let bucket: Vec<(&str, &str)> = labels.iter().copied().chain([("le", le)]).collect();
        world.write("http_request_duration_seconds_bucket", &bucket, times, |i| i as f64 * below);
    }
    let all: Vec<(&str, &str)> = labels.iter().copied().chain([("le", "+Inf")]).collect();
    world.write("http_request_duration_seconds_bucket", &all, times, |i| i as f64 * below);
    world.write("http_request_duration_seconds_count", labels, times, |i| i as f64 * below);
}

const MARCH: (&str, &str) = ("2026-03-01T05:00:00Z", "2026-03-21T05:00:00Z");

#[test]
fn kpi_02_response_time_of_ecplacas_against_its_target() {
    let mut world = World::new("ecplacas", None, MARCH.0);
    // 90 in 100 within 0.1 s, 10 within 0.2 s: the 95th of 100 lies in the middle of the second bucket.
    requests(&world, MARCH, &[("status", "200")], [900.0, 100.0, 0.0]);
    world.measured_at("2026-03-21T05:00:00Z");
    near(&world.values("response_time", Period::Month), &[0.15], 0.001);
    let told = world.told("response_time", Period::Month).periods[0].standing;
    assert_eq!((told.met, told.critical), (Some(true), false));
    // The days that are over are told too, and the one that has just begun has no measure.
    let days = world.values("response_time", Period::Day);
    assert_eq!((days.len(), days[0]), (21, None));
    near(&days[1..2], &[0.15], 0.001);
}

#[test]
fn kpi_02_response_time_of_nuam_against_800_ms() {
    let mut world = World::new("nuam", None, "2026-03-02T03:00:00Z");
    let times = ("2026-03-02T03:00:00Z", "2026-03-06T03:00:00Z");
    requests(&world, times, &[("job", "nuam-app")], [900.0, 50.0, 50.0]);
    world.measured_at("2026-03-06T03:00:00Z");
    near(&world.values("tiempo_respuesta", Period::Week), &[0.2], 0.001);
    assert_eq!(world.told("tiempo_respuesta", Period::Week).periods[0].standing.met, Some(true));
}

#[test]
fn kpi_03_throughput_of_ecplacas_in_requests_per_minute() {
    let mut world = World::new("ecplacas", None, MARCH.0);
    // 3,500 requests in five minutes are 700 a minute: fewer than 800, more than 500.
    requests(&world, MARCH, &[("status", "200")], [3_500.0, 0.0, 0.0]);
    world.measured_at("2026-03-21T05:00:00Z");
    near(&world.values("throughput", Period::Month), &[700.0], 1.0);
    let told = world.told("throughput", Period::Month).periods[0].standing;
    assert_eq!((told.met, told.warning, told.critical), (Some(false), true, false));
}

#[test]
fn kpi_04_uptime_per_month_and_year_of_ecplacas() {
    let mut world = World::new("ecplacas", None, "2026-01-01T05:00:00Z");
    let labels = [("service", "ecplacas-backend"), ("check", "salud")];
    // Down for the first 10 of January's 8,928 samples, and for the first 90 of February's 8,064.
    let times = ("2026-01-01T05:00:00Z", "2026-03-01T05:00:00Z");
    world.write("probe_success", &labels, times, |i| f64::from(u8::from(i >= 10 && !(8_928..9_018).contains(&i))));
    world.measured_at("2026-02-01T04:59:59Z");
    world.measured_at("2026-03-01T04:59:59Z");
    let (january, february) = (1.0 - 10.0 / 8_928.0, 1.0 - 90.0 / 8_064.0);
    near(&world.values("uptime", Period::Month), &[february, january], 2e-4);
    near(&world.values("uptime", Period::Year), &[1.0 - 100.0 / 16_992.0], 2e-4);
    let told = world.told("uptime", Period::Month).periods;
    assert_eq!((told[0].standing.met, told[0].standing.critical), (Some(false), true), "below 99.0 %");
    assert_eq!(
        (told[1].standing.met, told[1].standing.warning),
        (Some(false), false),
        "99.899 %: missed, and above 99.5 %"
    );
}

#[test]
fn kpi_04_months_whose_samples_are_gone_keep_what_was_recorded() {
    let mut world = World::new("ecplacas", None, "2026-01-01T05:00:00Z");
    let labels = [("service", "ecplacas-backend"), ("check", "salud")];
    let january = ("2026-01-01T05:00:00Z", "2026-02-01T05:00:00Z");
    world.write("probe_success", &labels, january, |i| f64::from(u8::from(i % 4 != 0)));
    world.measured_at("2026-01-31T23:00:00Z");
    // Five months later, raw samples of January would be gone: the plan keeps them for 30 days.
    let mut memory = kpis::Memory::default();
    std::mem::swap(&mut memory, &mut world.memory);
    world.measured_at("2026-06-15T05:00:00Z");
    let months = world.values("uptime", Period::Month);
    assert_eq!(months.len(), 6, "{months:?}");
    near(&months[5..], &[0.75], 1e-3);
    assert!(months[..5].iter().all(Option::is_none), "nothing was measured since: {months:?}");
}

#[test]
fn kpi_04_nuam_asks_for_what_its_stage_asks() {
    for (environment, met) in [(Some("mvp"), Some(true)), (Some("prod"), Some(false))] {
        let mut world = World::new("nuam", environment, "2026-04-01T03:00:00Z");
        let times = ("2026-04-01T03:00:00Z", "2026-04-29T03:00:00Z");
        let labels = [("service", "nuam-app"), ("check", "web")];
        // 99.7 %: enough for the MVP (99.5 %), too little for production (99.9 %).
        world.write("probe_success", &labels, times, |i| f64::from(u8::from(i % 1_000 >= 3)));
        world.measured_at("2026-04-29T03:00:00Z");
        assert_eq!(world.told("disponibilidad", Period::Month).periods[0].standing.met, met, "{environment:?}");
    }
}

#[test]
fn kpi_05_error_rate_of_ecplacas_and_nuam() {
    let mut world = World::new("ecplacas", None, MARCH.0);
    requests(&world, MARCH, &[("status", "200")], [1_000.0, 0.0, 0.0]);
    world.measured_at("2026-03-20T05:00:00Z");
    near(&world.values("error_rate", Period::Month), &[0.0], 0.0);
    requests(&world, MARCH, &[("status", "503")], [3.0, 0.0, 0.0]);
    world.measured_at("2026-03-21T05:00:00Z");
    near(&world.values("error_rate", Period::Month), &[3.0 / 1_003.0], 1e-6);
    let told = world.told("error_rate", Period::Month).periods[0].standing;
    assert_eq!((told.met, told.warning), (Some(false), false), "0.3 % misses 0.1 % without a warning, as declared");

    let mut world = World::new("nuam", None, MARCH.0);
    for (status, n) in [("200", 990.0), ("500", 10.0)] {
        let labels = [("job", "nuam-app"), ("status", status)];
        world.write("http_requests_total", &labels, MARCH, |i| i as f64 * n);
    }
    world.measured_at("2026-03-21T05:00:00Z");
    near(&world.values("tasa_error", Period::Month), &[0.01], 1e-6);
    assert_eq!(
        world.told("tasa_error", Period::Month).periods[0].standing.met,
        Some(false),
        "1 % is not less than 1 %"
    );
}

#[test]
fn met_09_rate_of_cases_within_their_sla() {
    let mut world = World::new("conecta360", None, "2026-03-01T01:00:00Z");
    let times = ("2026-03-01T01:00:00Z", "2026-03-11T01:00:00Z");
    for (within, n) in [("si", 19.0), ("no", 1.0)] {
        world.write("casos_resueltos_total", &[("en_plazo", within)], times, |i| i as f64 * n);
    }
    world.measured_at("2026-03-11T01:00:00Z");
    near(&world.values("cumplimiento_sla", Period::Month), &[0.95], 1e-6);
}

#[test]
fn cap_06_growth_of_conecta360_day_by_day() {
    let mut world = World::new("conecta360", None, "2026-03-01T01:00:00Z");
    let times = ("2026-03-01T01:00:00Z", "2026-03-04T01:00:00Z");
    // One case each five minutes on the first two days, two on the third.
    world.write("casos_registrados_total", &[], times, |i| (i + (i - 576).max(0)) as f64);
    world.write("usuarios_activos", &[("pod", "a")], times, |i| (i % 288) as f64);
    world.write("usuarios_activos", &[("pod", "b")], times, |_| 10.0);
    world.write("http_requests_total", &[("service", "casos"), ("status", "200")], times, |i| i as f64 * 600.0);
    world.write("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], times, |i| i as f64 * 225.0);
    world.write("node_memory_MemAvailable_bytes", &[], times, |_| 1e9);
    world.write("node_memory_MemTotal_bytes", &[], times, |_| 4e9);
    world.write("node_filesystem_avail_bytes", &[("mountpoint", "/")], times, |_| 2e9);
    world.write("node_filesystem_size_bytes", &[("mountpoint", "/")], times, |_| 8e9);
    world.write("node_network_receive_bytes_total", &[("device", "eth0")], times, |i| i as f64 * 3e5);
    world.write("node_network_transmit_bytes_total", &[("device", "eth0")], times, |i| i as f64 * 6e5);
    world.measured_at("2026-03-04T00:59:59Z");
    near(&world.values("casos_por_dia", Period::Day), &[576.0, 288.0, 287.0], 3.0);
    near(&world.values("usuarios_activos", Period::Day)[..1], &[297.0], 0.0);
    near(&world.values("peticiones", Period::Day)[..1], &[2.0], 0.01);
    near(&world.values("cpu", Period::Day)[..1], &[0.25], 0.001);
    near(&world.values("memoria", Period::Day)[..1], &[0.75], 0.001);
    near(&world.values("disco", Period::Day)[..1], &[0.75], 0.001);
    near(&world.values("red", Period::Day)[..1], &[3_000.0], 1.0);
}
