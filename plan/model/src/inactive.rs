//! Items of a plan that do not count yet, and why (PLN-10, PLN-14). They are shown, and never count as failed. Pure.

use jiff::civil::Date;
use kernel::Language;
use plan_syntax::Place;
use serde::Serialize;

/// An item that does not count yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inactive {
    /// Where it stands in the plan: `services.ocr.checks.salud`.
    pub path: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its own name: the last part of the path.
    pub name: String,
    /// Its name for people, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Why it does not count.
    pub reason: Reason,
    /// It is optional: that it is missing is no gap.
    pub optional: bool,
    /// Where it stands in the files.
    pub place: Place,
}

/// What an inactive item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A service.
    Service,
    /// A host.
    Host,
    /// A check.
    Check,
    /// A query inside of a check.
    Query,
    /// A metrics endpoint.
    Metrics,
    /// A channel.
    Channel,
    /// A severity.
    Severity,
    /// A threshold or a certificate alert.
    Threshold,
    /// A task.
    Task,
    /// A dashboard.
    Dashboard,
    /// A counter of today's activity.
    Counter,
    /// A measure of success.
    Kpi,
    /// One setting of an item that goes on without it.
    Setting,
}

/// Why an item does not count yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// It refers to parameters that have no value.
    Open {
        /// The parameters.
        parameters: Vec<String>,
    },
    /// `state: future`.
    Future,
    /// `state: planned`, and its day has not come or is not known.
    Planned {
        /// The day.
        from: Option<Date>,
    },
    /// It is for other environments.
    OtherEnvironment {
        /// Those it is for.
        environments: Vec<String>,
    },
}

impl Inactive {
    /// The reason in words.
    pub fn text(&self, language: Language) -> String {
        match &self.reason {
            Reason::Open { parameters } => {
                let names = parameters.join(", ");
                match (language, parameters.len()) {
                    (Language::Es, 1) => format!("espera el valor del parámetro {names}"),
                    (Language::Es, _) => format!("espera los valores de los parámetros {names}"),
                    (Language::En, 1) => format!("waits for the value of the parameter {names}"),
                    (Language::En, _) => format!("waits for the values of the parameters {names}"),
                }
            }
            Reason::Future => language.pick("previsto para más adelante", "meant for later").to_owned(),
            Reason::Planned { from: Some(from) } => match language {
                Language::Es => format!("planificado desde {from}"),
                Language::En => format!("planned from {from} on"),
            },
            Reason::Planned { from: None } => {
                language.pick("planificado, sin fecha", "planned, without a date").to_owned()
            }
            Reason::OtherEnvironment { environments } => {
                let names = environments.join(", ");
                match language {
                    Language::Es => format!("solo para {names}"),
                    Language::En => format!("only for {names}"),
                }
            }
        }
    }
}
