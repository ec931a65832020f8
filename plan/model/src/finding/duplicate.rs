//! `duplicate-check`: two checks that ask the same thing, so one failure is told twice. Pure.
//!
//! ```yaml
//! services:
//!   web: { check: { http: "https://x.example/health" } }
//!   api: { check: { http: "https://x.example/health" } }
//! ```

use std::collections::HashMap;

use plan_syntax::Diagnostic;

use super::{Advise, Review};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut first: HashMap<String, (&str, &str)> = HashMap::new();
    let mut out = Vec::new();
    for (component, name, check) in review.plan.checks() {
        let Some(kind) = check.kinds().pop() else { continue };
        if matches!(kind.name(), "host" | "heartbeat" | "composite") {
            continue;
        }
        let asked = format!("{kind:?}");
        let Some((other, other_check)) = first.get(&asked) else {
            first.insert(asked, (component, name));
            continue;
        };
        let path = format!("{}.{}", review.check_path(component, name), kind.name());
        let found = review.finding(
            "duplicate-check",
            &path,
            format!("`{component}/{name}` asks exactly what `{other}/{other_check}` asks: one failure is told twice"),
            format!("`{component}/{name}` pregunta lo mismo que `{other}/{other_check}`: un fallo se avisa dos veces"),
        );
        let place = review.loaded.nearest_place(&review.check_path(other, other_check));
        out.push(
            found
                .related(place, "the first is here")
                .advise("keep one, or ask something else", "deje una, o pregunte otra cosa"),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn the_same_question_is_asked_once() {
        check(
            "duplicate-check",
            "services:\n  a: {check: {http: 'https://x'}}\n  b: {check: {http: {url: 'https://x'}}}\n  c: {check: {http: 'https://y'}}\n",
            &["3: `b/check` asks exactly what `a/check` asks: one failure is told twice"],
        );
    }
}
