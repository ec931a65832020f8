//! Controls above a dashboard: variables, range, refresh. Pure.

use kernel::{Duration, Language};
use plan_model::dashboard::variable::VariableKind;

use super::look::{Sight, seconds};
use crate::format;
use crate::text::text;

/// Ranges that are offered.
const RANGES: [&str; 10] = ["15m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "30d", "90d"];
/// Refreshes that are offered; the first is never.
const REFRESHES: [&str; 7] = ["0s", "5s", "10s", "30s", "1m", "5m", "15m"];

/// A value to choose.
pub(super) struct Offered {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// A variable's control.
pub(super) struct Control {
    /// The name in the address.
    pub(super) name: String,
    pub(super) label: String,
    /// Any text may be written.
    pub(super) is_text: bool,
    pub(super) several: bool,
    pub(super) all: bool,
    pub(super) is_all: bool,
    /// The free text, or the chosen values in short.
    pub(super) value: String,
    pub(super) offered: Vec<Offered>,
    pub(super) left_out: usize,
}

/// The controls of all variables that have one.
pub(super) fn controls(sight: &Sight) -> Vec<Control> {
    let words = &text(sight.language).dashboards;
    let one = |(name, variable): (&String, &plan_model::dashboard::Variable)| {
        let selection = sight.selections.get(name).cloned().unwrap_or_default();
        let is_text = matches!(variable.kinds().first(), Some(VariableKind::Text(_)));
        let chosen = &selection.chosen.values;
        let value = match (is_text, selection.is_all, chosen.as_slice()) {
            (true, _, _) => chosen.first().cloned().unwrap_or_default(),
            (_, true, _) => words.all.to_owned(),
            (_, _, []) => words.nothing_chosen.to_owned(),
            (_, _, [_]) => selection.chosen.labels.first().cloned().unwrap_or_default(),
            (_, _, several) => format!("{} {}", several.len(), words.chosen),
        };
        let offered = selection.available.iter().map(|a| Offered {
            is_chosen: !selection.is_all && chosen.contains(&a.value),
            value: a.value.clone(),
            label: a.label.clone(),
        });
        Control {
            name: format!("var-{name}"),
            label: variable.label_or(name).to_owned(),
            is_text,
            several: variable.several,
            all: variable.all,
            is_all: selection.is_all,
            value,
            offered: offered.collect(),
            left_out: selection.left_out,
        }
    };
    sight.variables().map(one).collect()
}

/// Range and refresh.
pub(super) struct Ranges {
    pub(super) ranges: Vec<Offered>,
    pub(super) refreshes: Vec<Offered>,
    /// The range in words.
    pub(super) told: String,
    /// Both ends as fields of a form write them.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) is_fixed: bool,
    pub(super) earlier: String,
    pub(super) later: String,
    pub(super) wider: String,
    /// What the form keeps: all but range and refresh and what controls set.
    pub(super) kept: Vec<(String, String)>,
}

impl Ranges {
    pub(super) fn new(sight: &Sight, language: Language) -> Self {
        let words = &text(language).dashboards;
        let named = |text: &str| text.parse::<Duration>().map_or_else(|_| text.to_owned(), |d| d.humanize(language));
        let mut ranges: Vec<String> = RANGES.iter().map(|r| (*r).to_owned()).collect();
        let own = sight.range.map(|r| r.to_string());
        let same = |text: &str| text.parse::<Duration>().ok();
        if let Some(own) = own.as_ref().filter(|o| !ranges.iter().any(|r| same(r) == same(o))) {
            ranges.insert(0, own.clone());
        }
        let offered = ranges.iter().map(|r| Offered {
            is_chosen: sight.range.is_some() && same(r) == sight.range,
            label: named(r),
            value: r.clone(),
        });
        let refresh = Duration::from_secs(sight.refresh());
        let mut refreshes: Vec<String> = REFRESHES.iter().map(|r| (*r).to_owned()).collect();
        if !refreshes.iter().any(|r| same(r) == Some(refresh)) {
            refreshes.push(refresh.to_string());
        }
        let refreshes = refreshes.iter().map(|r| Offered {
            is_chosen: same(r) == Some(refresh),
            label: if *r == "0s" { words.never.to_owned() } else { named(r) },
            value: r.clone(),
        });
        let length = sight.to.as_millis() - sight.from.as_millis();
        let moved = |from: i64, to: i64| {
            let at = |base: kernel::Timestamp, by: i64| seconds(kernel::Timestamp::from_millis(base.as_millis() + by));
            sight.address(&["range"], &[("from", &at(sight.from, from)), ("to", &at(sight.to, to))])
        };
        let full = |at| format::date_time(language, at, &sight.zone);
        let field = |at: kernel::Timestamp| {
            let z = at.in_zone(&sight.zone);
            format!("{:04}-{:02}-{:02}T{:02}:{:02}", z.year(), z.month(), z.day(), z.hour(), z.minute())
        };
        let controlled: Vec<String> = sight.variables().map(|(n, _)| format!("var-{n}")).collect();
        let kept = sight.kept(&["range", "from", "to", "refresh"]).into_iter();
        let kept = kept.filter(|(n, _)| !controlled.iter().any(|c| c == n));
        Self {
            told: match sight.range {
                Some(range) => range.humanize(language),
                None => format!("{} – {}", full(sight.from), full(sight.to)),
            },
            ranges: offered.collect(),
            refreshes: refreshes.collect(),
            from: field(sight.from),
            to: field(sight.to),
            is_fixed: sight.range.is_none(),
            earlier: moved(-length / 2, -length / 2),
            later: moved(length / 2, length / 2),
            wider: moved(-length / 2, length / 2),
            kept: kept.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        }
    }
}
