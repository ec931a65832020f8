//! What is chosen of a dashboard's variables: from the address, from what there is, from the plan. Pure.

use indexmap::IndexMap;
use plan_model::dashboard::expand::Chosen;
use plan_model::dashboard::variable::{Variable, VariableKind};

/// The word for all values in an address, as Grafana writes it.
pub const ALL: &str = "$__all";

/// Values of one variable that a page offers: more cannot be looked through, and an address would grow past what servers take.
pub const MOST_OFFERED: usize = 1_000;

/// A value that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// What stands in expressions.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// One variable as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What may be chosen; empty for a free text.
    pub available: Vec<Available>,
    /// What is chosen, as expressions take it.
    pub chosen: Chosen,
    /// Whether all are chosen together.
    pub is_all: bool,
    /// Values that there are beyond those offered.
    pub left_out: usize,
}

/// What is asked for in an address: the values of a variable, `var-NAME=VALUE`, as often as there are values.
pub fn asked(pairs: &[(String, String)], name: &str) -> Vec<String> {
    pairs.iter().filter(|(key, _)| key.strip_prefix("var-") == Some(name)).map(|(_, value)| value.clone()).collect()
}

/// Values of a label after the variable's regular expression: only those that match, of each the first group, once each,
/// sorted as people count.
pub fn filtered(variable: &Variable, values: Vec<String>) -> Vec<String> {
    let pattern = variable.regex.as_deref().and_then(|r| regex::Regex::new(r).ok());
    let mut kept: IndexMap<String, ()> = IndexMap::new();
    for value in values {
        let found = match &pattern {
            None => Some(value),
            Some(regex) => regex.captures(&value).and_then(|c| {
                let part = c.get(1).or_else(|| c.get(0))?;
                Some(part.as_str().to_owned())
            }),
        };
        if let Some(found) = found.filter(|v| !v.is_empty()) {
            kept.insert(found, ());
        }
    }
    let mut all: Vec<String> = kept.into_keys().collect();
    all.sort_by(|a, b| natural(a, b));
    all
}

/// `node-2` before `node-10`.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |text: &str| {
        let mut out: Vec<(u8, u64, String)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let end = if digits > 0 { digits } else { rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()) };
            let (part, after) = rest.split_at(end);
            out.push(match part.parse::<u64>() {
                Ok(number) if digits > 0 => (0, number, part.to_owned()),
                _ => (1, 0, part.to_owned()),
            });
            rest = after;
        }
        out
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

/// What is chosen of a variable. `found` are the values of its label, for those that have them.
pub fn choose(variable: &Variable, asked: &[String], found: Vec<String>) -> Selection {
    let same = |value: String| Available { label: value.clone(), value };
    let mut available: Vec<Available> = match variable.kinds().first() {
        Some(VariableKind::List(all)) => {
            all.iter().map(|c| Available { value: c.value().to_owned(), label: c.label().to_owned() }).collect()
        }
        Some(VariableKind::Interval(all)) => all.iter().map(|d| same(d.to_string())).collect(),
        Some(VariableKind::Label(..)) => filtered(variable, found).into_iter().map(same).collect(),
        Some(VariableKind::Text(text)) => {
            let value = asked.first().map_or(*text, String::as_str);
            return Selection { chosen: Chosen::one(value), ..Selection::default() };
        }
        None => Vec::new(),
    };
    let left_out = available.len().saturating_sub(MOST_OFFERED);
    available.truncate(MOST_OFFERED);
    let started = variable.start.as_ref().map_or(&[][..], |s| s.values());
    let wanted = [asked, started].into_iter().find(|w| !w.is_empty()).unwrap_or_default();
    let asks_all = wanted.iter().any(|w| w == ALL || (w == "All" && !available.iter().any(|a| a.value == "All")));
    let mut picked: Vec<&Available> = available.iter().filter(|a| wanted.contains(&a.value)).collect();
    let is_all = variable.all && (asks_all || (picked.is_empty() && wanted.is_empty()));
    if is_all {
        picked = available.iter().collect();
    } else if picked.is_empty() {
        picked = available.iter().take(1).collect();
    }
    if !variable.several && !is_all {
        picked.truncate(1);
    }
    let chosen = Chosen {
        values: picked.iter().map(|a| a.value.clone()).collect(),
        labels: picked.iter().map(|a| a.label.clone()).collect(),
        several: variable.several || variable.all,
        all_value: variable.all_value.clone().filter(|_| is_all),
    };
    Selection { chosen, is_all, left_out, available }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan_model::dashboard::variable::Start;

    fn check(variable: &Variable, asked: &[&str], found: &[&str], expect: &[&str]) -> Selection {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let selection = choose(variable, &texts(asked), texts(found));
        assert_eq!(selection.chosen.values, expect);
        selection
    }

    #[test]
    fn the_address_decides_then_the_plan_then_all_then_the_first() {
        let label = || Variable { values_of: Some("service".into()), ..Variable::default() };
        let found = ["web-10", "api", "web-2"];
        check(&label(), &["web-2"], &found, &["web-2"]);
        check(&label(), &["web-2", "api"], &found, &["api"]);
        check(&label(), &["gone"], &found, &["api"]);
        check(&Variable { several: true, ..label() }, &["web-2", "api"], &found, &["api", "web-2"]);
        check(&Variable { start: Some(Start::One("web-2".into())), ..label() }, &[], &found, &["web-2"]);
        let all = Variable { all: true, several: true, all_value: Some(".*".into()), ..label() };
        let got = check(&all, &[], &found, &["api", "web-2", "web-10"]);
        assert!(got.is_all && got.chosen.all_value.as_deref() == Some(".*"));
        assert!(!check(&all, &["api"], &found, &["api"]).is_all);
        assert!(check(&all, &["$__all"], &found, &["api", "web-2", "web-10"]).is_all);
        let group = Variable { regex: Some("^web-(.*)".into()), ..label() };
        check(&group, &[], &found, &["2"]);
        check(&Variable { text: Some("a".into()), ..Variable::default() }, &["b\"c"], &[], &["b\"c"]);
        check(&label(), &[], &[], &[]);
    }

    #[test]
    fn values_are_read_from_the_address_by_name() {
        let pairs = [("var-a", "1"), ("var-ab", "2"), ("var-a", "3"), ("a", "4")];
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(asked(&pairs, "a"), ["1", "3"]);
    }
}
