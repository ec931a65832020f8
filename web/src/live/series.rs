//! Measured series as somebody sees them: only those of systems that they see, without what is restricted to others. Series
//! without a system are the platform's. I/O: the series store.
//!
//! What is seen is cut into slices, each a list of conditions; a series is in one slice at most. Every question is put once per
//! slice, so that names and values of labels leak nothing either.

use std::collections::HashSet;
use std::sync::Arc;

use decide::access::restricted;
use kernel::Labels;
use kernel::access::{Object, Role};
use kernel::series::{
    Exemplar, MatchOp, Matcher, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit, VisitEach,
};

use super::seen::Hidden;
use super::{Live, SystemState};
use crate::auth::access::Access;

/// Label with the name of the system.
const SYSTEM: &str = "system";

/// A reader through somebody's eyes.
pub struct SeenSeries {
    reader: Arc<dyn SeriesReader>,
    slices: Vec<Vec<Matcher>>,
}

impl SeenSeries {
    /// Of all series.
    ///
    /// # Errors
    /// More names than a condition can hold.
    pub fn new(reader: Arc<dyn SeriesReader>, live: &Live, access: &Access) -> Result<Self, SeriesError> {
        Ok(Self { reader, slices: slices(live, access)? })
    }

    /// Of one system's series only, whatever else is seen.
    ///
    /// # Errors
    /// More names than a condition can hold.
    pub fn of_system(
        reader: Arc<dyn SeriesReader>,
        live: &Live,
        access: &Access,
        system: &str,
    ) -> Result<Self, SeriesError> {
        let mut seen = Self::new(reader, live, access)?;
        for slice in &mut seen.slices {
            slice.push(Matcher::equal(SYSTEM, system));
        }
        Ok(seen)
    }

    fn within<'s>(&'s self, select: &'s Select) -> impl Iterator<Item = Select> + 's {
        self.slices.iter().map(|slice| {
            let matchers = select.matchers.iter().chain(slice).cloned().collect();
            Select { matchers, ..*select }
        })
    }

    fn gather(
        &self,
        select: &Select,
        ask: impl Fn(&Select) -> Result<Vec<String>, SeriesError>,
    ) -> Result<Vec<String>, SeriesError> {
        let mut all = Vec::new();
        for part in self.within(select) {
            all.extend(ask(&part)?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}

impl SeenSeries {
    /// Asks for each slice in turn, until whoever takes has enough.
    fn each_of<T>(
        &self,
        select: &Select,
        visit: VisitEach<'_, T>,
        read: impl Fn(&Select, VisitEach<'_, T>) -> Result<(), SeriesError>,
    ) -> Result<(), SeriesError> {
        let mut ended = false;
        for part in self.within(select) {
            read(&part, &mut |one| {
                let flow = visit(one);
                ended = flow.is_break();
                flow
            })?;
            if ended {
                break;
            }
        }
        Ok(())
    }
}

impl SeriesReader for SeenSeries {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut all = Vec::new();
        for part in self.within(select) {
            all.extend(self.reader.select(&part)?);
        }
        Ok(all)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each_of(select, visit, |part, visit| self.reader.visit(part, visit))
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each_of(select, visit, |part, visit| self.reader.visit_newest(part, visit))
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.reader.rolled_up()
    }

    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.each_of(select, visit, |part, visit| self.reader.visit_rolled(part, figure, visit))
    }

    fn at_most(&self, select: &Select) -> Option<u64> {
        // Each part finds some of what its selector alone would find.
        self.reader.at_most(select)
    }

    fn series(&self, select: &Select) -> Result<Vec<Labels>, SeriesError> {
        let mut all = Vec::new();
        for part in self.within(select) {
            all.extend(self.reader.series(&part)?);
        }
        all.sort_unstable();
        Ok(all)
    }

    fn visit_labels(&self, select: &Select, visit: VisitEach<'_, Labels>) -> Result<(), SeriesError> {
        self.each_of(select, visit, |part, visit| self.reader.visit_labels(part, visit))
    }

    fn visit_values(&self, name: &str, select: &Select, visit: VisitEach<'_, Arc<str>>) -> Result<(), SeriesError> {
        self.each_of(select, visit, |part, visit| self.reader.visit_values(name, part, visit))
    }

    fn exemplars(&self, select: &Select) -> Result<Vec<(Labels, Vec<Exemplar>)>, SeriesError> {
        let mut all = Vec::new();
        for part in self.within(select) {
            all.extend(self.reader.exemplars(&part)?);
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.gather(select, |part| self.reader.label_names(part))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.gather(select, |part| self.reader.label_values(name, part))
    }
}

/// Whether somebody sees series with labels that are at hand.
///
/// # Errors
/// More names than a condition can hold.
pub(crate) fn seen_labels(live: &Live, access: &Access) -> Result<impl Fn(&Labels) -> bool, SeriesError> {
    let slices = slices(live, access)?;
    Ok(move |labels: &Labels| slices.iter().any(|slice| slice.iter().all(|m| m.matches_labels(labels))))
}

/// What somebody sees, as conditions: one slice for all systems without restrictions, one for each system that has some.
fn slices(live: &Live, access: &Access) -> Result<Vec<Vec<Matcher>>, SeriesError> {
    if access.subject().roles(&Object::platform(kernel::access::Kind::System)).contains(&Role::Auditor)
        && access.sees_all()
    {
        return Ok(vec![Vec::new()]);
    }
    let (mut plain, mut apart, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let parts = live.systems(|s| {
        let seen = access.sees(s);
        (s.name().to_owned(), seen, if seen && s.is_restricted() { Some(restricted_slice(s, access)) } else { None })
    });
    for (name, seen, restricted) in parts {
        match restricted {
            Some(slice) => {
                out.push(slice?);
                apart.push(name);
            }
            None if seen => plain.push(name),
            None => {}
        }
    }
    let unrestricted = Matcher::equal(restricted::LABEL, "");
    if access.sees_all() {
        let others = if apart.is_empty() { Vec::new() } else { vec![one_of(MatchOp::NotRegex, SYSTEM, &apart)?] };
        out.push([others, vec![unrestricted]].concat());
    } else if !plain.is_empty() {
        out.push(vec![one_of(MatchOp::Regex, SYSTEM, &plain)?, unrestricted]);
    }
    Ok(out)
}

/// The conditions of a system that restricts something.
fn restricted_slice(system: &SystemState, access: &Access) -> Result<Vec<Matcher>, SeriesError> {
    let mut slice = vec![Matcher::equal(SYSTEM, system.name())];
    let object = Object::system(system.name(), system.environment());
    let roles = access.subject().roles(&object);
    if roles.iter().any(|r| r.sees_restricted()) {
        return Ok(slice);
    }
    let hidden = Hidden::new(system, access);
    if !hidden.components.is_empty() {
        slice.push(none_of("service", &hidden.components)?);
    }
    if !hidden.severities.is_empty() {
        slice.push(none_of("severity", &hidden.severities)?);
    }
    let own: Vec<String> = access.names_in(system.name()).map(str::to_owned).collect();
    let roles = roles.iter().map(|r| r.as_str().to_owned());
    let names: Vec<String> = own.into_iter().chain(roles).map(|n| escaped(&n)).collect();
    let listed = format!("|(?:.*,)?\\s*(?:{})\\s*(?:,.*)?", names.join("|"));
    slice.push(matcher(restricted::LABEL, MatchOp::Regex, &listed)?);
    Ok(slice)
}

fn none_of(label: &str, names: &HashSet<&str>) -> Result<Matcher, SeriesError> {
    let mut sorted: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    sorted.sort_unstable();
    one_of(MatchOp::NotRegex, label, &sorted)
}

fn one_of(op: MatchOp, label: &str, names: &[String]) -> Result<Matcher, SeriesError> {
    matcher(label, op, &names.iter().map(|n| escaped(n)).collect::<Vec<_>>().join("|"))
}

fn matcher(label: &str, op: MatchOp, value: &str) -> Result<Matcher, SeriesError> {
    Matcher::new(label, op, value)
        .map_err(|e| SeriesError::Storage(format!("what may be seen cannot be asked for: {e}")))
}

/// A name as a regular expression that matches nothing else (RE2: a backslash before any other ASCII sign is that sign).
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    use decide_promql::memory::MemoryReader;

    #[test]
    fn every_question_is_put_once_per_slice_and_ends_when_told() {
        let mut reader = MemoryReader::default();
        for system in ["a", "b", "c"] {
            reader.add(Labels::metric("up", [(SYSTEM, system)]), &[(1, 1.0)]);
        }
        let slices = ["b", "a"].map(|system| vec![Matcher::equal(SYSTEM, system)]).to_vec();
        let seen = SeenSeries { reader: Arc::new(reader), slices };
        let all = Select { matchers: vec![Matcher::equal("__name__", "up")], start_ms: 0, end_ms: 9 };
        let of = |labels: &Labels| labels.get(SYSTEM).unwrap_or_default().to_owned();
        let visited = |most: usize| {
            let mut names = Vec::new();
            seen.visit(&all, &mut |series| {
                names.push(of(&series.labels));
                if names.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
            names
        };
        assert_eq!(visited(9), ["b", "a"]);
        assert_eq!(visited(1), ["b"]);
        assert_eq!(seen.series(&all).unwrap().iter().map(of).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(seen.exemplars(&all).unwrap(), []);
    }

    #[test]
    fn names_match_themselves_only() {
        for name in ["a.b", "x-y_z", "a|b", "(a)", "ñandú", "a\\d", "^$", "a/b"] {
            let matcher = one_of(MatchOp::Regex, "l", &[name.to_owned()]).unwrap();
            assert!(matcher.matches(name), "{name}");
            assert!(!matcher.matches("axb") && !matcher.matches("a") && !matcher.matches(""), "{name}");
        }
    }
}
