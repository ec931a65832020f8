//! A made-up SIGCERH for the gallery and the tests of the pages: plan, results, alerts, as on the document's sample. Pure.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "the gallery and the tests use different parts of this one file"
)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use decide::deliver::{Grave, Voice, decide_alarm};
use futures_util::future::BoxFuture;
use kernel::heartbeat::Ping;
use kernel::message::OutboxEntry;
use kernel::probe::{CheckId, Evidence, Outcome, Phase, ProbeResult, Reading};
use kernel::secret::Secret;
use kernel::{Clock, Duration, Timestamp};
use plan_model::starter::Answers;
use plan_model::{LoadOptions, Period, SourceFile, load};
use store_series::{Options, SeriesStore};
use tower::ServiceExt as _;
use web::Receiving;
use web::control::{Alarm, Starter};
use web::live::{Beat, DiskUse, HostUse, KpiPeriod, KpiState, Live, PlanVersion, TodayValue, Uptime};
use web::{App, Control, ControlError, WebConfig};
use web_prometheus::receiving::{Limits, Writer};

mod alerts;
mod stored;

/// The plan of the sample.
pub const SIGCERH: &str = include_str!("plan.json");
/// The time on every page of the sample: 3 February 2026, 07:30:30 in Lima.
pub const NOW: Timestamp = Timestamp::from_secs(1_770_121_830);

/// A clock that stands.
pub struct Standing;
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A plan version from YAML (JSON is YAML).
pub fn version(text: &str) -> PlanVersion {
    let files = [
        SourceFile::new("plan.yaml", text),
        SourceFile::new("runbooks/servicio-caido.md", include_str!("servicio-caido.md")),
        SourceFile::new("dashboards/general.yaml", include_str!("dashboards.yaml")),
        SourceFile::new("runbooks/bd-caida.md", "# BD caída\n\n1. Probar la conexión\n"),
    ];
    version_in("plans/sigcerh", &files)
}

/// A plan version from the files of a folder.
pub fn version_in(folder: &str, files: &[SourceFile]) -> PlanVersion {
    let today = NOW.in_zone(&jiff::tz::TimeZone::UTC).date();
    let loaded = load(files, &LoadOptions { folder: folder.into(), environment: None, today });
    let complaints = plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default());
    PlanVersion::new(loaded, folder, "3f9a1c20", ago(86_400)).unwrap_or_else(|| panic!("{complaints}"))
}

/// So many seconds before now.
pub fn ago(seconds: u64) -> Timestamp {
    NOW - std::time::Duration::from_secs(seconds)
}

/// A result of a check, so many seconds ago.
pub fn result(check: &str, outcome: Outcome, ms: u64, seconds_ago: u64) -> ProbeResult {
    let at = ago(seconds_ago);
    let evidence = match outcome {
        Outcome::Up => Evidence { status: Some("HTTP/1.1 200 OK".into()), ..Evidence::default() },
        Outcome::Slow => Evidence {
            status: Some("HTTP/1.1 200 OK".into()),
            error: Some("8,5 s, más que 5 s".into()),
            ..Evidence::default()
        },
        _ => Evidence {
            status: Some("HTTP/1.1 503 Service Unavailable".into()),
            error: Some("HTTP 503: el servicio no está disponible".into()),
            body: Some("{\"status\":\"error\",\"db\":\"<b>timeout</b>\"}".into()),
            facts: vec![("address".into(), "10.0.0.12:3000".into()), ("protocol".into(), "HTTP/1.1".into())],
        },
    };
    let ms_f = ms as f64;
    ProbeResult {
        check: CheckId::parse(check).expect("a check id"),
        due_at: at,
        started_at: at,
        duration: Duration::from_millis(ms),
        outcome,
        attempts: if outcome == Outcome::Down { 3 } else { 1 },
        phases: vec![
            (Phase::Resolve, ms_f * 0.05),
            (Phase::Connect, ms_f * 0.1),
            (Phase::Tls, ms_f * 0.15),
            (Phase::Processing, ms_f * 0.6),
            (Phase::Transfer, ms_f * 0.1),
        ],
        readings: Vec::new(),
        evidence,
    }
}

fn history(live: &Live, check: &str, ms: u32, odd: &[(usize, Outcome)]) {
    let id = CheckId::parse(check).expect("a check id");
    let beats = (0..59usize).map(|i| Beat {
        at: ago(300 * (60 - i as u64)),
        outcome: odd.iter().find(|(at, _)| *at == i).map_or(Outcome::Up, |(_, o)| *o),
        duration_ms: ms + (i as u32 * 37) % (ms / 3 + 1),
    });
    live.restore(&id, beats);
    let uptime = Uptime { day: Some(99.65), week: Some(99.9), month: Some(99.8), year: None };
    live.set_check_uptime(&id, uptime);
}

/// Measures of success: this month and the one before met and missed; a measure without a target.
fn kpis() -> Vec<KpiState> {
    let plan = version(SIGCERH).plan;
    let state = |name: &str, period: Period, values: &[Option<f64>]| {
        let period_of = |(back, value): (usize, &Option<f64>)| {
            let zone = plan.time_zone();
            let span = decide::kpi::span(period, NOW, back as u32, &zone).expect("a period");
            let standing = decide::kpi::standing(&plan.kpis[name], *value);
            KpiPeriod { start: span.start, end: span.end, value: *value, standing }
        };
        let periods = values.iter().enumerate().map(period_of).collect();
        KpiState { name: name.to_owned(), period, periods, error: None }
    };
    vec![
        state("disponibilidad", Period::Month, &[Some(0.9941), Some(0.9982), None, Some(0.9876), Some(0.9971)]),
        state("disponibilidad", Period::Year, &[Some(0.9941), Some(0.9962)]),
        state("solicitudes", Period::Month, &[Some(412.0), Some(3_870.0), Some(3_512.0)]),
    ]
}

/// A read model filled as the document's sample, with trouble added where `trouble` says so.
pub fn fill(live: &Live, trouble: bool) {
    live.set_plan(version(SIGCERH));
    let day = Some(99.65);
    live.set_system_uptime("sigcerh", Uptime { day, week: Some(99.9), month: Some(99.8), year: None });
    let backend = if trouble { Outcome::Down } else { Outcome::Up };
    let odd = [(20, Outcome::Down), (21, Outcome::Down), (40, Outcome::Slow)];
    for (check, outcome, ms, odd) in [
        ("sigcerh/frontend/web", Outcome::Up, 250, &odd[2..]),
        ("sigcerh/frontend/tls", Outcome::Up, 84, &[][..]),
        ("sigcerh/backend/salud", backend, 120, &odd[..]),
        ("sigcerh/ocr/check", Outcome::Up, 8_500, &odd[2..]),
        ("sigcerh/postgres/check", Outcome::Up, 9, &[(30, Outcome::Blind), (31, Outcome::Blind)][..]),
        ("sigcerh/nginx/check", Outcome::Up, 3, &[][..]),
        ("sigcerh/gemini/check", if trouble { Outcome::Slow } else { Outcome::Up }, 640, &[][..]),
        ("sigcerh/vm/check", Outcome::Up, 12, &[][..]),
    ] {
        history(live, check, ms, odd);
        let mut last = result(check, outcome, u64::from(ms), 30);
        if check.contains("postgres") {
            last.readings =
                vec![Reading::new("farero_db_connections", 5.0), Reading::new("farero_db_connections_max", 100.0)];
        }
        live.record_result(&Arc::new(last), None);
    }
    let gib = 1_073_741_824.0;
    let disk = |mount: &str, percent: f64, all: f64| DiskUse {
        mount: mount.into(),
        percent,
        bytes: Some((all * gib * percent / 100.0, all * gib)),
    };
    live.set_host(
        "sigcerh",
        "vm",
        HostUse {
            at: ago(12),
            cpu: Some(45.0),
            cores: Some(2),
            memory: Some(if trouble { 88.0 } else { 68.0 }),
            memory_bytes: Some((5.44 * gib, 8.0 * gib)),
            disks: vec![disk("/", 32.0, 50.0), disk("/var/lib/docker", if trouble { 91.5 } else { 41.0 }, 20.0)],
        },
    );
    let today = [
        ("solicitudes", "Solicitudes", 127.0),
        ("certificados", "Certificados", 89.0),
        ("usuarios", "Usuarios activos", 23.0),
    ];
    let value = |(name, label, value): (&str, &str, f64)| TodayValue {
        name: name.into(),
        label: label.into(),
        value: Some(value),
        error: None,
    };
    live.set_today("sigcerh", today.into_iter().map(value).collect());
    live.set_kpis("sigcerh", kpis());
    if trouble {
        live.set_alerts("sigcerh", alerts::firing());
    }
    live.set_rules("sigcerh", alerts::rules());
    fill_own(live);
}

/// Numbers about Farero itself.
fn fill_own(live: &Live) {
    let metric = |name: &str, help: &str, value: f64| web::live::OwnMetric {
        name: name.into(),
        help: help.into(),
        counter: true,
        labels: vec![],
        value,
    };
    live.set_own(vec![
        metric("farero_probes_total", "Checks made.", 128_451.0),
        metric("farero_series_dropped_total", "Samples left out because a queue was full.", 0.0),
    ]);
    live.set_lateness(3.2);
    live.set_ready();
}

/// Takes what it is told and does nothing.
pub struct Idle;

impl Control for Idle {
    fn test_channel<'a>(
        &'a self,
        _: &'a str,
        channel: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<String, ControlError>> {
        Box::pin(async move {
            match channel {
                "slack" => Err(ControlError::Failed("HTTP 404: no_service".into())),
                _ => Ok("250 2.0.0 Ok: queued".into()),
            }
        })
    }
    fn reload(&self) -> BoxFuture<'_, Result<(), ControlError>> {
        Box::pin(async { Ok(()) })
    }
    fn set_intensive<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: Option<Timestamp>,
        _: &'a str,
        _: &'a kernel::trail::Deed,
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async { Ok(()) })
    }
    fn accept_ping<'a>(&'a self, _: &'a CheckId, _: Ping) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async { Ok(()) })
    }
    fn check_now<'a>(&'a self, _: &'a CheckId) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async { Ok(()) })
    }
    fn alarms(&self, alarm: &Alarm) -> Vec<OutboxEntry> {
        let Alarm::SealBroken { from, reason } = alarm;
        let plan = version(SIGCERH).plan;
        let voice = Voice { plan: &plan, zone: &jiff::tz::TimeZone::UTC, base_url: None, now: NOW };
        decide_alarm(&voice, &Grave::SealBroken { from, reason })
    }
    fn starter(&self) -> Option<Starter> {
        let text = |t: &str| t.to_owned();
        Some(Starter {
            system: text("sigcerh"),
            label: text("SIGCERH"),
            timezone: text("America/Lima"),
            whole: true,
            folder: text("farero-plan"),
            secrets: text("/var/lib/farero/secrets"),
        })
    }
    fn write_starter<'a>(
        &'a self,
        answers: &'a Answers,
        _: &'a [(String, Secret)],
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move {
            match answers.label.as_str() {
                "broken" => Err(ControlError::Failed("plan.yaml:3: error".into())),
                _ => Ok(()),
            }
        })
    }
    fn trail_key(&self) -> String {
        key().to_string()
    }
    fn checkpoint(&self) -> BoxFuture<'_, Result<prove_trail::PublicKey, ControlError>> {
        Box::pin(async { Ok(key()) })
    }
    fn wake_deliveries(&self) {}
}

/// The public half of the sample's key.
fn key() -> prove_trail::PublicKey {
    prove_trail::SigningKey::from_seed(&[7; 32]).public()
}

/// An app over a filled read model, with a database and a day of measurements.
pub fn app(trouble: bool) -> App {
    let live = Arc::new(Live::new(&Standing));
    fill(&live, trouble);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let state = state::State::open(&folder).expect("a database");
    stored::fill(&state, trouble);
    let config =
        WebConfig { base_url: "http://127.0.0.1:9123".into(), version: "0.1.0".into(), ..WebConfig::default() };
    let app = App::new(live, state, Arc::new(stored::series()), Arc::new(Idle), Arc::new(Standing), config);
    // What is sent goes to a store of its own: what is shown stays the same.
    let (store, _) = SeriesStore::open(&folder.join("series"), Options::default()).expect("a store");
    let store = Arc::new(store);
    app.with_receiving(Receiving::new(Arc::new(Writer::new(store.clone(), Limits::default())), store))
}

/// Logs in over the one-time link and returns the cookie.
pub async fn first_administrator(app: &App) -> String {
    let path = web::auth::link::first_administrator(&app.state, NOW).expect("a database").expect("no user yet");
    let form = "name=ana&password=cuatro+palabras+sin+orden&again=cuatro+palabras+sin+orden";
    let request = Request::post(path).header("sec-fetch-site", "same-origin");
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form)).expect("a request");
    let response = web::router(app.clone()).oneshot(request).await.expect("an answer");
    let cookie = response.headers().get("set-cookie").expect("a cookie").to_str().expect("a text");
    cookie.split(';').next().expect("a pair").to_owned()
}
