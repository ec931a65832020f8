//! What the sample has on disk: failures, alerts with their deliveries, a day of measurements. Pure but for the database.

use std::sync::Arc;

use decide_promql::memory::MemoryReader;
use kernel::alert::{AlertEvent, AlertState, EventKind};
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, Message, MessageItem, MessageKind, OutboxEntry};
use kernel::probe::{CheckId, Outcome};
use kernel::trail::{Actor, Deed};
use kernel::{Labels, Language, Rank};
use state::{DeliveryCommit, EvaluationCommit, State};

use super::{NOW, ago, alerts, result};

/// Fills the database.
pub fn fill(state: &State, trouble: bool) {
    let mut results = Vec::new();
    for i in (0..800u64).rev() {
        let outcome = if i % 310 == 40 || i == 0 && trouble { Outcome::Down } else { Outcome::Up };
        results.push(Arc::new(result("sigcerh/backend/salud", outcome, 110 + (i * 37) % 60, i * 300 + 30)));
    }
    state.record_results(&results).expect("results are stored");
    if !trouble {
        return;
    }
    let active = alerts::firing();
    let event = |a: &kernel::alert::Alert, kind| AlertEvent {
        id: format!("{}-{kind:?}", a.firing_id()),
        at: a.fired_at.unwrap_or(NOW),
        kind,
        rank: Rank::Critical,
        alert: a.clone(),
    };
    let events: Vec<AlertEvent> = active.iter().map(|a| event(a, EventKind::Fired)).collect();
    let mut old = active[0].clone();
    (old.state, old.fired_at, old.active_at, old.resolved_at) =
        (AlertState::Firing, Some(ago(90_000)), ago(90_060), None);
    let commit = |active: Vec<_>, events, at| EvaluationCommit {
        system: "sigcerh".into(),
        group: "plan".into(),
        active,
        events,
        at,
    };
    state
        .commit_evaluation(&commit(vec![old.clone()], vec![event(&old, EventKind::Fired)], ago(90_000)))
        .expect("stored");
    old.state = AlertState::Resolved;
    old.resolved_at = Some(ago(89_100));
    let recovered = AlertEvent { at: ago(89_100), ..event(&old, EventKind::Resolved) };
    state.commit_evaluation(&commit(Vec::new(), vec![recovered], ago(89_100))).expect("stored");
    state.commit_evaluation(&commit(active.clone(), events, ago(30))).expect("stored");
    let id = active[1].firing_id();
    let deed = Deed::new(ago(900), Actor::person("ana"), "alert.acknowledge").on("alert", &id).in_system("sigcerh");
    let deed = deed.from("192.0.2.7").saying("Limpiando registros antiguos");
    state.acknowledge(&id, "ana", ago(900), "Limpiando registros antiguos", &deed).expect("stored");
    deliveries(state, &active[0]);
}

fn message(alert: &kernel::alert::Alert) -> Message {
    let summary = alert.annotations.get("summary").unwrap_or_default().to_owned();
    let item = MessageItem {
        kind: EventKind::Fired,
        alert: alert.clone(),
        summary: summary.clone(),
        description: "Sin respuesta correcta tras 3 intentos.".into(),
        value: "0".into(),
        since: "07:30:00".into(),
        runbook: Some("servicio-caido.md".into()),
        link: None,
    };
    Message {
        kind: MessageKind::Firing,
        system: "sigcerh".into(),
        system_label: "SIGCERH".into(),
        language: Language::Es,
        rank: Rank::Critical,
        severity_label: "Crítica".into(),
        title: format!("[Crítica] SIGCERH: {summary}"),
        text: format!("{summary}\nDesde las 07:30:00.\nProcedimiento: servicio-caido.md"),
        items: vec![item],
        link: Some("http://127.0.0.1:9123/alerts".into()),
        created_at: ago(29),
    }
}

fn deliveries(state: &State, alert: &kernel::alert::Alert) {
    let entry = |channel: &str, state: DeliveryState, seconds: u64| OutboxEntry {
        key: format!("{}-fired/{channel}", alert.firing_id()),
        system: "sigcerh".into(),
        channel: channel.into(),
        message: message(alert),
        state,
        tries: 1,
        due_at: ago(seconds),
        created_at: ago(seconds),
        fallen_from: if channel == "whatsapp" { vec!["equipo".into()] } else { Vec::new() },
    };
    let states = [
        ("equipo", DeliveryState::Failed, 29),
        ("sms", DeliveryState::Sent, 28),
        ("slack", DeliveryState::Queued, 27),
        ("whatsapp", DeliveryState::AwaitingPerson, 20),
    ];
    let outbox: Vec<OutboxEntry> =
        states.iter().map(|(c, _, s)| OutboxEntry { tries: 0, ..entry(c, DeliveryState::Queued, *s) }).collect();
    state.commit_deliveries(&DeliveryCommit { outbox, ..DeliveryCommit::default() }).expect("stored");
    let answers = [
        ("equipo", AttemptResult::Refused { error: "535 5.7.8 authentication failed".into() }),
        ("sms", AttemptResult::Taken { answer: "202 Accepted".into() }),
        ("slack", AttemptResult::Postponed { error: "connection refused".into(), retry_after_s: None }),
        ("whatsapp", AttemptResult::Taken { answer: String::new() }),
    ];
    for ((channel, after, seconds), (_, result)) in states.into_iter().zip(answers) {
        let new = entry(channel, after, seconds);
        state.begin_attempt(&new.key, ago(seconds)).expect("stored");
        let attempt =
            DeliveryAttempt { key: new.key.clone(), channel: channel.into(), at: ago(seconds), took_ms: 84, result };
        state.finish_attempt(&attempt, &new, None).expect("stored");
    }
}

/// A day of measurements of the backend, one a minute.
pub fn series() -> MemoryReader {
    let mut reader = MemoryReader::default();
    let id = CheckId::new("sigcerh", "backend", "salud");
    let labels = |metric: &str| {
        Labels::metric(
            metric,
            [("system", &*id.system), ("service", &*id.component), ("check", &*id.check), ("kind", "http")],
        )
    };
    let times: Vec<i64> = (0..1_440).map(|i| NOW.as_millis() - (1_440 - i) * 60_000).collect();
    let wave = |i: usize| 0.09 + 0.03 * (i as f64 / 90.0).sin() + 0.004 * ((i * 7_919) % 13) as f64;
    let values =
        |f: &dyn Fn(usize) -> f64| -> Vec<(i64, f64)> { times.iter().enumerate().map(|(i, t)| (*t, f(i))).collect() };
    let spike = |i: usize| if i % 400 == 123 { wave(i) * 4.0 } else { wave(i) };
    reader.add(labels("probe_duration_seconds"), &values(&spike));
    reader.add(labels("probe_success"), &values(&|i| f64::from(u8::from(!(600..612).contains(&i) && i < 1_438))));
    for (phase, share) in [("resolve", 0.05), ("connect", 0.1), ("tls", 0.15), ("processing", 0.6), ("transfer", 0.1)] {
        reader.add(labels("probe_http_duration_seconds").with("phase", phase), &values(&|i| wave(i) * share));
    }
    dashboard_series(&mut reader, &values);
    reader
}

/// A column of samples, one for each minute of the day.
type Course<'a> = dyn Fn(&dyn Fn(usize) -> f64) -> Vec<(i64, f64)> + 'a;

/// What the sample's dashboard shows besides: other services, the machine, requests.
fn dashboard_series(reader: &mut MemoryReader, values: &Course<'_>) {
    let noise = |i: usize, k: usize| ((i * 7_919 + k * 104_729) % 97) as f64 / 97.0;
    let turn = |i: usize, k: usize| (i as f64 / 110.0 + k as f64).sin();
    for (k, (service, check, seconds)) in
        [("frontend", "web", 0.25), ("ocr", "check", 0.84), ("postgres", "check", 0.009)].into_iter().enumerate()
    {
        let labels =
            |metric: &str| Labels::metric(metric, [("system", "sigcerh"), ("service", service), ("check", check)]);
        let took = |i: usize| seconds * (1.0 + 0.25 * turn(i, k) + 0.3 * noise(i, k));
        reader.add(labels("probe_duration_seconds"), &values(&took));
        let from = 1_200 + 40 * k;
        reader
            .add(labels("probe_success"), &values(&|i| f64::from(u8::from(k != 1 || !(from..from + 25).contains(&i)))));
    }
    let host = |metric: &str| Labels::metric(metric, [("system", "sigcerh"), ("service", "vm"), ("check", "check")]);
    reader.add(host("farero_host_cpu_used_ratio"), &values(&|i| 0.42 + 0.2 * turn(i, 2) + 0.08 * noise(i, 3)));
    reader.add(host("farero_host_memory_used_ratio"), &values(&|i| 0.66 + 0.04 * turn(i, 1)));
    for (mount, share) in [("/", 0.32), ("/var/lib/docker", 0.84)] {
        reader
            .add(host("farero_host_disk_used_ratio").with("mountpoint", mount), &values(&|i| share + i as f64 * 1e-6));
    }
    let own = |metric: &str| Labels::metric(metric, [("system", "sigcerh"), ("job", "backend")]);
    for (k, (code, each)) in [("200", 41.0), ("404", 3.0), ("500", 0.6)].into_iter().enumerate() {
        let rate = move |i: usize| each * (1.0 + 0.4 * turn(i, k));
        let total = |i: usize| (0..=i).map(rate).sum::<f64>();
        reader.add(own("http_requests_total").with("code", code), &values(&total));
    }
    let bounds =
        [("0.05", 0.2), ("0.1", 0.55), ("0.25", 0.82), ("0.5", 0.93), ("1", 0.98), ("2.5", 0.995), ("+Inf", 1.0)];
    for (bound, share) in bounds {
        let moved = move |i: usize| {
            (share * (1.0 - 0.25 * (1.0 - share) * (1.0 + turn(i, 0)))) * 41.0 * (1.0 + 0.4 * turn(i, 0))
        };
        let total = |i: usize| (0..=i).map(moved).sum::<f64>();
        reader.add(own("http_request_duration_seconds_bucket").with("le", bound), &values(&total));
    }
}
