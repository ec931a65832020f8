//! The sample's alerts. Pure.

use kernel::Labels;
use kernel::alert::{Alert, AlertState};

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
