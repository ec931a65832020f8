//! One component of the overview: state, response time or connections, last results. Pure.

use decide::health::decide_component;
use kernel::probe::Outcome;
use kernel::{Language, Timestamp};
use plan_model::component::Criticality;
use plan_model::{Component, ComponentKind};

use super::view::{Bar, Reading, StateView};
use crate::format;
use crate::limits::{COMPONENTS_WITH_BAR, ROW_RESULTS};
use crate::live::{CheckState, SystemState};
use crate::text::text;

/// A check as a small mark inside its component's row.
pub(crate) struct Chip {
    pub(crate) href: String,
    pub(crate) label: String,
    pub(crate) state: StateView,
}

/// One component.
pub(crate) struct Row {
    pub(crate) dom_id: String,
    pub(crate) component: String,
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) kind: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) state: StateView,
    pub(crate) reading: Reading,
    pub(crate) error: String,
    pub(crate) explained_by: Option<String>,
    pub(crate) bar: Option<Bar>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) third_party: bool,
    pub(crate) criticality: Criticality,
    pub(crate) chips: Vec<Chip>,
}

/// Identity of a component's row in the page.
pub(crate) fn dom_id(system: &str, component: &str) -> String {
    format!("row.{system}.{component}")
}

/// Address of a check's page.
pub(crate) fn href(check: &kernel::probe::CheckId) -> String {
    format!("/s/{check}")
}

impl Row {
    /// Of all active components that have checks.
    pub(crate) fn all(system: &SystemState, language: Language) -> Vec<Self> {
        let all: Vec<_> = system.components().filter(|(_, _, checks)| !checks.is_empty()).collect();
        let with_bar = all.len() <= COMPONENTS_WITH_BAR;
        all.iter().map(|(name, c, checks)| Self::new(system, name, c, checks, language, with_bar)).collect()
    }

    /// Of one component, for a live page.
    pub(crate) fn one(system: &SystemState, component: &str, language: Language) -> Option<Self> {
        let with_bar = system.plan().services.len() + system.plan().hosts.len() <= COMPONENTS_WITH_BAR;
        let found = system.component(component)?;
        let all = found
            .all_checks()
            .filter_map(|(check, _)| system.checks.get(&kernel::probe::CheckId::new(system.name(), component, check)));
        let checks: Vec<_> = all.collect();
        (!checks.is_empty()).then(|| Self::new(system, component, found, &checks, language, with_bar))
    }

    fn new(
        system: &SystemState,
        name: &str,
        component: &Component,
        checks: &[&CheckState],
        language: Language,
        with_bar: bool,
    ) -> Self {
        let outcome = decide_component(checks.iter().map(|c| c.outcome()));
        // The check that stands for the component: the first that is as bad as the whole.
        let shown = checks.iter().find(|c| c.outcome() == outcome).or(checks.first());
        let chip = |c: &&CheckState| Chip {
            href: href(&c.id),
            label: c.label.clone(),
            state: StateView::of(c.outcome(), language),
        };
        let label_of = |id: &kernel::probe::CheckId| {
            system
                .component(&id.component)
                .map_or_else(|| id.component.to_string(), |c| c.label_or(&id.component).to_owned())
        };
        Self {
            dom_id: dom_id(system.name(), name),
            component: name.to_owned(),
            label: component.label_or(name).to_owned(),
            href: shown.map_or_else(String::new, |c| href(&c.id)),
            kind: kind_label(component.kind, language),
            outcome,
            state: StateView::of(outcome, language),
            reading: shown.map_or_else(Reading::default, |c| reading(c, language)),
            error: shown.map_or_else(String::new, |c| error(c, language)),
            explained_by: shown.and_then(|c| c.explained_by.as_ref()).map(label_of),
            bar: shown.filter(|_| with_bar).map(|c| Bar::new(c.recent.iter(), ROW_RESULTS, language)),
            at: checks.iter().filter_map(|c| c.at()).max(),
            third_party: component.third_party,
            criticality: component.criticality,
            chips: if checks.len() > 1 { checks.iter().map(chip).collect() } else { Vec::new() },
        }
    }
}

/// The number that a check's row shows: connections where it reads them, else how long the answer took.
pub(crate) fn reading(check: &CheckState, language: Language) -> Reading {
    let Some(last) = check.last.as_ref().filter(|l| l.outcome.is_success()) else { return Reading::default() };
    if let Some((used, max)) = check.connections() {
        let count = format!("{}/{}", format::number(language, used, 0), format::number(language, max, 0));
        return Reading { text: count, note: text(language).overview.connections };
    }
    if matches!(check.kind, "host" | "heartbeat" | "composite" | "systemd" | "docker" | "process") {
        return Reading::default();
    }
    Reading { text: format::millis(language, last.duration.as_secs_f64() * 1_000.0), note: "" }
}

fn error(check: &CheckState, language: Language) -> String {
    let Some(last) = check.last.as_ref().filter(|l| l.outcome != Outcome::Up) else { return String::new() };
    let evidence = &last.evidence;
    let text = evidence.error.as_deref().or(evidence.status.as_deref()).unwrap_or_default();
    kernel::phrase::in_language(text, language).chars().take(160).collect()
}

/// The kind of a component in words.
pub(crate) fn kind_label(kind: ComponentKind, language: Language) -> &'static str {
    let (es, en) = match kind {
        ComponentKind::HttpService => ("Servicio HTTP", "HTTP service"),
        ComponentKind::Host => ("Servidor", "Host"),
        ComponentKind::SystemdUnit => ("Unidad de systemd", "systemd unit"),
        ComponentKind::Container => ("Contenedor", "Container"),
        ComponentKind::Workload => ("Carga de Kubernetes", "Kubernetes workload"),
        ComponentKind::Database => ("Base de datos", "Database"),
        ComponentKind::Cache => ("Caché", "Cache"),
        ComponentKind::Broker => ("Cola de mensajes", "Message broker"),
        ComponentKind::Proxy => ("Proxy", "Proxy"),
        ComponentKind::FileStore => ("Almacén de archivos", "File store"),
        ComponentKind::Static => ("Contenido estático", "Static content"),
        ComponentKind::ExternalApi => ("API externa", "External API"),
        ComponentKind::Standby => ("Reserva", "Standby"),
        ComponentKind::Worker => ("Proceso de fondo", "Worker"),
        ComponentKind::Platform => ("Plataforma", "Platform"),
    };
    language.pick(es, en)
}
