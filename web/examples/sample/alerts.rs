//! The sample's alerts. Pure.

use kernel::Labels;
use kernel::alert::{Alert, AlertState};

use kernel::Duration;
use kernel::probe::CheckId;
use web::live::{RuleGroupState, RuleState, RuleVerdict};

use super::ago;

fn alert(rule: &str, severity: &str, service: &str, summary: &str, value: f64, seconds: u64) -> Alert {
    Alert {
        system: "sigcerh".into(),
        group: "plan".into(),
        rule: rule.into(),
        labels: Labels::new([("alertname", rule), ("severity", severity), ("service", service)]),
        annotations: Labels::new([
            ("summary", summary),
            ("description", "Sin respuesta correcta tras 3 intentos."),
            ("runbook", "servicio-caido.md"),
        ]),
        state: AlertState::Firing,
        value,
        active_at: ago(seconds + 60),
        fired_at: Some(ago(seconds)),
        last_true_at: ago(10),
        resolved_at: None,
    }
}

/// What fires while there is trouble.
pub fn firing() -> Vec<Alert> {
    vec![
        alert("ServiceDown", "critica", "backend", "Backend no responde: HTTP 503", 0.0, 30),
        alert("DiskFull", "critica", "vm", "Disco /var/lib/docker al 91,5 %", 91.5, 1_260),
        alert("MemoryHigh", "advertencia", "vm", "RAM al 88 % en Servidor (VM)", 88.0, 5_400),
    ]
}

/// What the plan's own thresholds became.
pub fn rules() -> Vec<RuleGroupState> {
    let rule = |name: &str, expression: &str, severity: &str, verdict: RuleVerdict| RuleState {
        name: name.into(),
        alerting: true,
        expression: expression.into(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        severity: Some(severity.into()),
        labels: Labels::default(),
        annotations: Labels::default(),
        verdict,
        error: (verdict == RuleVerdict::Failed).then(|| "vector cannot contain metrics with the same labelset".into()),
        evaluated_at: Some(ago(9)),
        took_s: 0.000_8,
        alerts: firing().into_iter().filter(|a| a.rule == name).map(|a| a.labels).collect(),
        covers: (name == "ServiceDown").then(|| CheckId::new("sigcerh", "backend", "salud")).into_iter().collect(),
    };
    let rules = vec![
        rule(
            "ServiceDown",
            "probe_success{system=\"sigcerh\", service=\"backend\", check=\"salud\"} == 0",
            "critica",
            RuleVerdict::Ok,
        ),
        rule(
            "DiskFull",
            "100 * (1 - node_filesystem_avail_bytes{system=\"sigcerh\"} / node_filesystem_size_bytes) > 90",
            "critica",
            RuleVerdict::Ok,
        ),
        rule(
            "Repeated500",
            "sum by (service) (increase(http_requests_total{status=~\"5..\"}[5m])) > 10",
            "critica",
            RuleVerdict::Failed,
        ),
    ];
    vec![RuleGroupState { name: "plan".into(), file: "plan".into(), every: Duration::from_secs(15), rules }]
}
