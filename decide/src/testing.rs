//! A small plan and alerts for the tests of this room. Pure.

use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::{Labels, Timestamp};
use plan_model::Plan;

use crate::severity::rank_of;

/// SIGCERH in small: three severities with the document's three delivery classes, three channels, services that depend
/// on one another.
pub(crate) fn plan() -> Plan {
    plan_with(serde_json::json!({}))
}

/// [`plan`] with some top-level keys replaced.
pub(crate) fn plan_with(change: serde_json::Value) -> Plan {
    let mut plan = serde_json::json!({
        "system": "sigcerh",
        "label": "SIGCERH",
        "timezone": "America/Lima",
        "language": "es",
        "severities": {
            "critica": { "label": "Crítica", "rank": "critical", "deliver": "now", "channels": ["equipo", "sms"] },
            "advertencia": { "label": "Advertencia", "rank": "warning", "deliver": "within 1h", "channels": ["equipo"] },
            "informativa": { "label": "Informativa", "rank": "info", "deliver": "daily at 07:00", "channels": ["equipo"] }
        },
        "channels": {
            "equipo": { "email": { "server": "mail", "from": "a@b", "to": ["c@d"] }, "fallback": "slack" },
            "sms": { "sms": { "url": "http://sms", "to": ["1"] }, "at_least": "critical", "recovery": false,
                     "fallback": "equipo", "limit": { "messages": 3, "per": "1h" } },
            "slack": { "slack": { "url": "http://slack" }, "fallback": "equipo" },
            "whatsapp": { "person": { "medium": "WhatsApp", "confirm_within": "30m" }, "fallback": "slack" }
        },
        "defaults": { "every": "5m", "timeout": "30s", "attempts": 3, "slow": "5s" },
        "alerts": {
            "down": "critica", "slow": "advertencia", "scrape_down": "advertencia", "summary": "informativa",
            "certificate": [
                { "within": "30d", "severity": "advertencia" }, { "within": "7d", "severity": "critica" }
            ],
            "cpu": [{ "above": "90%", "for": "10m", "severity": "advertencia" }],
            "memory": [{ "above": "85%", "severity": "advertencia" }, { "above": "95%", "severity": "critica" }],
            "disk": [
                { "above": "80%", "severity": "advertencia" },
                { "above": "90%", "severity": "critica", "runbook": "disco-lleno.md" }
            ]
        },
        "services": {
            "frontend": { "label": "Frontend", "check": { "http": "https://certificados.example" },
                          "depends_on": ["backend"] },
            "backend": { "label": "Backend", "depends_on": ["postgres"], "metrics": "http://backend:3000/metrics",
                         "checks": { "salud": { "http": "http://b/api/health", "runbook": "servicio-caido.md" } } },
            "postgres": { "label": "PostgreSQL", "kind": "database", "check": { "postgres": "postgres://db" } },
            "gemini": { "label": "Gemini", "third_party": true, "check": { "http": "https://gemini.example" } }
        },
        "hosts": { "servidor": { "label": "Servidor", "check": { "host": {} } } }
    });
    if let (Some(plan), Some(change)) = (plan.as_object_mut(), change.as_object()) {
        plan.extend(change.clone());
    }
    serde_json::from_value(plan).unwrap()
}

/// A point in time from RFC 3339.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A firing alert of a service.
pub(crate) fn alert(rule: &str, service: &str, severity: &str, fired: Timestamp) -> Alert {
    Alert {
        system: "sigcerh".into(),
        group: "g".into(),
        rule: rule.into(),
        labels: Labels::new([("alertname", rule), ("service", service), ("severity", severity)]),
        annotations: Labels::new([("summary", format!("{service} no responde"))]),
        state: AlertState::Firing,
        value: 0.0,
        active_at: fired,
        fired_at: Some(fired),
        last_true_at: fired,
        resolved_at: None,
    }
}

/// The event that an alert fired.
pub(crate) fn fired(service: &str, severity: &str, at: Timestamp) -> AlertEvent {
    let alert = alert("ServiceDown", service, severity, at);
    event(alert, EventKind::Fired, at)
}

/// The event that the alert of [`fired`] ended.
pub(crate) fn resolved(fired: &AlertEvent, at: Timestamp) -> AlertEvent {
    let alert = Alert { state: AlertState::Resolved, resolved_at: Some(at), ..fired.alert.clone() };
    event(alert, EventKind::Resolved, at)
}

/// An event of an alert.
pub(crate) fn event(alert: Alert, kind: EventKind, at: Timestamp) -> AlertEvent {
    let rank = rank_of(&plan(), alert.severity());
    AlertEvent { id: crate::rules::event_id(&alert, kind), at, kind, rank, alert }
}
