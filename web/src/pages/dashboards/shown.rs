//! Which panels stand on the page: rows and panels once, or once for each value that they are repeated for. Pure.

use plan_model::dashboard::layout::{Cell, place_repeated};
use plan_model::dashboard::{Dashboard, MOST_PANELS, MOST_REPEATED, Panel};

use super::look::Sight;

/// The values that a repeated row and a repeated panel stand for, each with its variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) row: Option<(String, String)>,
    pub(crate) panel: Option<(String, String)>,
}

impl Scope {
    /// Variables and values.
    pub(super) fn values(&self) -> impl Iterator<Item = &(String, String)> {
        self.row.iter().chain(&self.panel)
    }
}

/// A panel on the page.
pub(crate) struct Shown {
    /// Its number in the file.
    pub(crate) number: usize,
    pub(crate) scope: Scope,
    pub(crate) cell: Cell,
    /// Whether its row is shut.
    pub(crate) shut: bool,
}

/// Panels under a heading.
pub(crate) struct ShownGroup {
    /// The row's number; none for those before the rows.
    pub(crate) row: Option<usize>,
    pub(crate) scope: Scope,
    pub(crate) panels: Vec<Shown>,
    /// How many stand here of how many, where some were left out.
    pub(crate) cut: Option<(usize, usize)>,
}

/// The values that something is repeated for: once without any where there are none, so that its place stays.
fn values(sight: &Sight, repeat: Option<&String>) -> (Vec<Option<(String, String)>>, usize) {
    let Some(name) = repeat else { return (vec![None], 1) };
    let chosen = sight.selections.get(name).map(|s| s.chosen.values.as_slice()).unwrap_or_default();
    match chosen {
        [] => (vec![None], 1),
        all => (all.iter().take(MOST_REPEATED).map(|v| Some((name.clone(), v.clone()))).collect(), all.len()),
    }
}

/// All groups in order, as many panels as there may be.
pub(crate) fn shown(sight: &Sight, dashboard: &Dashboard) -> Vec<ShownGroup> {
    let (mut out, mut first, mut room) = (Vec::new(), 0, MOST_PANELS);
    let before = usize::from(!dashboard.panels.is_empty());
    for (place, (_, row, panels)) in dashboard.groups().enumerate() {
        let (rows, all) = values(sight, row.and_then(|r| r.repeat.as_ref()));
        let count = rows.len();
        for (nth, row_value) in rows.into_iter().enumerate() {
            let scope = Scope { row: row_value, panel: None };
            let (mut views, copies) = group(sight, panels, first, &scope, row.is_some_and(|r| r.shut));
            views.truncate(room);
            room -= views.len();
            // The last of the repeated rows says that there are more.
            let cut = match (views.len() < copies, nth + 1 == count && count < all) {
                (true, _) => Some((views.len(), copies)),
                (_, true) => Some((count, all)),
                _ => None,
            };
            let row = row.map(|_| place - before);
            if !views.is_empty() || cut.is_some() {
                out.push(ShownGroup { row, scope, panels: views, cut });
            }
        }
        first += panels.len();
    }
    out
}

/// The panels of a group with their copies, and how many there would be.
fn group(sight: &Sight, panels: &[Panel], first: usize, scope: &Scope, shut: bool) -> (Vec<Shown>, usize) {
    let repeated: Vec<_> = panels.iter().map(|p| values(sight, p.repeat.as_ref())).collect();
    let copies: Vec<usize> = repeated.iter().map(|(values, _)| values.len()).collect();
    let cells = place_repeated(panels, &copies);
    let mut out = Vec::new();
    for (i, ((values, _), cells)) in repeated.iter().zip(cells).enumerate() {
        for (value, cell) in values.iter().zip(cells) {
            let scope = Scope { panel: value.clone(), ..scope.clone() };
            out.push(Shown { number: first + i, scope, cell, shut });
        }
    }
    (out, repeated.iter().map(|(_, all)| all).sum())
}
