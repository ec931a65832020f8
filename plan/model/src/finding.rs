//! What a careful reviewer says about a plan: gaps, contradictions, risks. One kind, one file. Pure.
//!
//! Declared values are kept, never changed: a finding says what does not fit, with the numbers and what would resolve it.
//! To add one: a file here with its example, its test and `find`, and a line in [`ALL`].

use plan_syntax::suggest::listing;
use plan_syntax::{Diagnostic, Level};

use crate::{Loaded, Plan};

mod access;
mod certificate;
mod channel;
mod detection;
mod duplicate;
mod external;
mod host;
mod insecure;
mod open;
mod order;
mod outgoing;
mod receiver;
mod retention;
mod sampling;
mod secret;
mod silent;
mod single_person;
mod slow;
mod task;
mod unchecked;
mod unheard;

/// All kinds of finding; each gives what it finds.
const ALL: &[fn(&Review<'_>) -> Vec<Diagnostic>] = &[
    access::find,
    certificate::find,
    channel::find,
    detection::find,
    duplicate::find,
    external::find,
    host::find,
    insecure::find,
    open::find,
    order::find,
    outgoing::find,
    receiver::find,
    retention::find,
    sampling::find,
    silent::find,
    single_person::find,
    slow::find,
    task::find,
    unchecked::find,
    unheard::find,
];

pub(crate) use secret::find as literal_secrets;

/// All findings on a plan that loads.
pub(crate) fn review(plan: &Plan, loaded: &Loaded) -> Vec<Diagnostic> {
    let review = Review { plan, loaded };
    ALL.iter().flat_map(|find| find(&review)).collect()
}

/// A plan under review: with what counts today only.
struct Review<'a> {
    plan: &'a Plan,
    loaded: &'a Loaded,
}

impl Review<'_> {
    fn say(&self, level: Level, code: &'static str, path: &str, en: String, es: String) -> Diagnostic {
        Diagnostic::new(level, code, self.loaded.nearest_place(path), en).es(es, None)
    }

    /// A finding at a path of the plan, in both languages.
    fn finding(&self, code: &'static str, path: &str, en: String, es: String) -> Diagnostic {
        self.say(Level::Finding, code, path, en, es)
    }

    /// Something that very likely does not do what was meant.
    fn warning(&self, code: &'static str, path: &str, en: String, es: String) -> Diagnostic {
        self.say(Level::Warning, code, path, en, es)
    }

    /// Where a component stands.
    fn component_path(&self, name: &str) -> String {
        let section = if self.plan.services.contains_key(name) { "services" } else { "hosts" };
        format!("{section}.{name}")
    }

    /// Where a check stands.
    fn check_path(&self, component: &str, name: &str) -> String {
        let base = self.component_path(component);
        let single = name == "check" && self.plan.component(component).is_some_and(|c| c.check.is_some());
        if single { format!("{base}.check") } else { format!("{base}.checks.{name}") }
    }
}

/// What to do, in both languages.
trait Advise {
    fn advise(self, en: impl Into<String>, es: impl Into<String>) -> Self;
}

impl Advise for Diagnostic {
    fn advise(mut self, en: impl Into<String>, es: impl Into<String>) -> Self {
        self.help = Some(en.into());
        if let Some(spanish) = &mut self.es {
            spanish.help = Some(es.into());
        }
        self
    }
}

/// Most names that a finding lists.
const MOST_LISTED: usize = 6;

/// Names in both languages.
fn names<'n>(all: impl IntoIterator<Item = &'n str> + Clone) -> (String, String) {
    (
        listing(all.clone(), MOST_LISTED, "and"),
        listing(all, MOST_LISTED, "y").replace(" and ", " y ").replace(" more", " más"),
    )
}

#[cfg(test)]
mod testing {
    use crate::{LoadOptions, Loaded, SourceFile, load};

    /// A plan with the usual head.
    pub(super) fn plan(rest: &str) -> Loaded {
        let text = format!("system: x\ntimezone: America/Lima\n{rest}");
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        load(&[SourceFile::new("plan.yaml", text)], &options)
    }

    /// Line and message of every finding of a kind; the lines are those of `rest`.
    pub(super) fn check(code: &str, rest: &str, expect: &[&str]) {
        let loaded = plan(rest);
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|d| d.level == plan_syntax::Level::Error).collect();
        assert!(errors.is_empty() || errors.iter().all(|e| e.code == code), "{errors:?}");
        let said: Vec<String> = loaded
            .diagnostics
            .iter()
            .filter(|d| d.code == code)
            .inspect(|d| assert!(d.es.is_some(), "{code} does not speak Spanish"))
            .map(|d| format!("{}: {}", d.place.line - 2, d.message))
            .collect();
        assert_eq!(said, expect, "{rest}");
    }
}
