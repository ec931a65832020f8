//! Where panels stand on the grid. Pure.
//!
//! A panel with `x` and `y` stands there; the others take the next free place in the order of the file, left to right and
//! down, as words on a page do. A panel that is repeated takes as much as its copies need, and what stands below it goes down.
//! Panels of one line that do not say their height are as high as the highest of the line, so that no gap stays below them.

use super::{GRID_COLUMNS, Panel, USUAL_SIDE_BY_SIDE};

/// A place on the grid of a group of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// First column, from 0.
    pub x: u32,
    /// First row, from 0.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

impl Cell {
    /// Whether two have a square in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// Where the plan itself puts a panel, if it does.
pub fn own_place(panel: &Panel) -> Option<Cell> {
    let (x, y) = (panel.x?, panel.y?);
    let x = x.min(GRID_COLUMNS - 1);
    Some(Cell { x, y, w: panel.columns_wide().min(GRID_COLUMNS - x), h: panel.rows_high() })
}

/// The places of all panels of a group.
pub fn place(panels: &[Panel]) -> Vec<Cell> {
    let wanted: Vec<Wanted> = panels.iter().map(Wanted::of).collect();
    flow(&wanted)
}

/// The places of all copies of all panels of a group; `copies` says how many there are of each, 1 of those without `repeat`.
pub fn place_repeated(panels: &[Panel], copies: &[usize]) -> Vec<Vec<Cell>> {
    let repeated = |i: usize| panels[i].repeat.is_some() && copies.get(i).is_some_and(|c| *c != 1);
    // Panels with a place, from the top down, and how far each is moved by the copies above it.
    let mut fixed: Vec<(usize, Cell)> =
        panels.iter().enumerate().filter_map(|(i, p)| Some((i, own_place(p)?))).collect();
    fixed.sort_by_key(|(_, cell)| cell.y);
    let grown: Vec<(u32, i64)> = fixed
        .iter()
        .filter(|(i, _)| repeated(*i))
        .map(|(i, cell)| (cell.y + cell.h, i64::from(height(&panels[*i], cell.h, copies[*i])) - i64::from(cell.h)))
        .collect();
    let moved = |y: u32| {
        let all: i64 = grown.iter().filter(|(below, _)| y >= *below).map(|(_, more)| more).sum();
        u32::try_from((i64::from(y) + all).max(0)).unwrap_or(u32::MAX)
    };
    let mut flat = Vec::new();
    for (i, panel) in panels.iter().enumerate() {
        let own = own_place(panel).map(|c| Cell { y: moved(c.y), ..c });
        let h = panel.rows_high();
        if !repeated(i) {
            flat.push(Wanted { own, ..Wanted::of(panel) });
            continue;
        }
        let (across, wide) = across(panel, copies[i]);
        for k in 0..u32::try_from(copies[i]).unwrap_or(0) {
            let x = if panel.repeat_down { own.map_or(0, |c| c.x) } else { k % across * wide };
            let own = own.map(|c| Cell { x, y: c.y + k / across * h, w: wide.min(GRID_COLUMNS - x), h });
            flat.push(Wanted { own, w: wide, ..Wanted::of(panel) });
        }
    }
    let mut cells = flow(&flat).into_iter();
    let count = |i: usize| if repeated(i) { copies[i] } else { 1 };
    (0..panels.len()).map(|i| cells.by_ref().take(count(i)).collect()).collect()
}

/// How many copies stand side by side, and how wide each is.
fn across(panel: &Panel, copies: usize) -> (u32, u32) {
    if panel.repeat_down {
        return (1, panel.columns_wide());
    }
    let most = panel.repeat_most.unwrap_or(USUAL_SIDE_BY_SIDE).clamp(1, GRID_COLUMNS);
    let across = u32::try_from(copies).unwrap_or(u32::MAX).clamp(1, most);
    (across, GRID_COLUMNS / across)
}

/// Rows that all copies take together.
fn height(panel: &Panel, each: u32, copies: usize) -> u32 {
    let lines = u32::try_from(copies).unwrap_or(0).div_ceil(across(panel, copies).0);
    lines * each
}

/// What a panel asks of the grid.
struct Wanted {
    own: Option<Cell>,
    w: u32,
    h: u32,
    /// The plan says nothing of its height.
    grows: bool,
}

impl Wanted {
    fn of(panel: &Panel) -> Self {
        Self { own: own_place(panel), w: panel.columns_wide(), h: panel.rows_high(), grows: panel.height.is_none() }
    }
}

/// Each where it is told, the others in the next free place.
fn flow(panels: &[Wanted]) -> Vec<Cell> {
    let fixed: Vec<Cell> = panels.iter().filter_map(|p| p.own).collect();
    let (mut x, mut y, mut line) = (0, 0, 0);
    let mut out: Vec<Cell> = Vec::new();
    // First of the panels that stand in this line.
    let mut first = 0;
    for (i, panel) in panels.iter().enumerate() {
        if let Some(cell) = panel.own {
            out.push(cell);
            continue;
        }
        let cell = loop {
            if x + panel.w > GRID_COLUMNS {
                level(&panels[first..i], &mut out[first..], line, &fixed);
                (x, y, line, first) = (0, y + line.max(1), 0, i);
            }
            let cell = Cell { x, y, w: panel.w, h: panel.h };
            match fixed.iter().find(|f| f.overlaps(&cell)) {
                Some(other) => x = other.x + other.w,
                None => break cell,
            }
        };
        (x, line) = (x + panel.w, line.max(panel.h));
        out.push(cell);
    }
    level(&panels[first..], &mut out[first..], line, &fixed);
    out
}

/// Makes those of a line as high as the line, where the plan leaves their height open and nothing stands below.
fn level(panels: &[Wanted], cells: &mut [Cell], line: u32, fixed: &[Cell]) {
    for (panel, cell) in panels.iter().zip(cells) {
        let high = Cell { h: line.max(cell.h), ..*cell };
        if panel.own.is_none() && panel.grows && !fixed.iter().any(|f| f.overlaps(&high)) {
            *cell = high;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PanelKind;
    use super::*;

    fn panel(width: u32, height: u32, at: Option<(u32, u32)>) -> Panel {
        Panel { width: Some(width), height: Some(height), x: at.map(|a| a.0), y: at.map(|a| a.1), ..Panel::default() }
    }

    fn check(panels: &[Panel], expect: &[(u32, u32)]) {
        let places: Vec<_> = place(panels).iter().map(|c| (c.x, c.y)).collect();
        assert_eq!(places, expect);
    }

    #[test]
    fn panels_flow_like_words_around_those_that_have_a_place() {
        check(&[panel(12, 8, None), panel(12, 6, None), panel(24, 4, None)], &[(0, 0), (12, 0), (0, 8)]);
        check(&[panel(8, 4, None), panel(20, 4, None)], &[(0, 0), (0, 4)]);
        check(&[panel(6, 4, Some((6, 0))), panel(6, 4, None), panel(6, 4, None)], &[(6, 0), (0, 0), (12, 0)]);
        check(&[panel(24, 3, Some((0, 0))), panel(12, 2, None)], &[(0, 0), (0, 3)]);
    }

    #[test]
    fn a_line_is_level_where_the_plan_says_no_height() {
        let open = |width, kind| Panel { width: Some(width), kind, ..Panel::default() };
        let heights = |panels: &[Panel]| place(panels).iter().map(|c| c.h).collect::<Vec<_>>();
        let (state, table) = (open(14, PanelKind::State), open(10, PanelKind::Table));
        assert_eq!(heights(&[state.clone(), table.clone()]), [8, 8]);
        assert_eq!(heights(&[state.clone(), panel(10, 9, None), open(24, PanelKind::Stat)]), [9, 9, 4]);
        assert_eq!(heights(&[panel(14, 3, None), table]), [3, 8]);
        // What has a place of its own below stays free.
        assert_eq!(heights(&[state, panel(10, 9, None), panel(14, 2, Some((0, 7)))]), [6, 9, 2]);
    }

    #[test]
    fn nothing_flows_over_anything_else() {
        let panels: Vec<Panel> = (0..40).map(|i| panel(1 + i * 7 % 24, 1 + i % 5, None)).collect();
        let cells = place(&panels);
        for (i, a) in cells.iter().enumerate() {
            assert!(a.x + a.w <= GRID_COLUMNS);
            assert!(cells[i + 1..].iter().all(|b| !a.overlaps(b)));
        }
    }

    fn repeated(panel: Panel) -> Panel {
        Panel { repeat: Some("v".into()), ..panel }
    }

    fn check_repeated(panels: &[Panel], copies: &[usize], expect: &[&[(u32, u32, u32)]]) {
        let cells = place_repeated(panels, copies);
        let places: Vec<Vec<_>> = cells.iter().map(|c| c.iter().map(|c| (c.x, c.y, c.w)).collect()).collect();
        assert_eq!(places, expect);
        let all: Vec<Cell> = cells.concat();
        for (i, a) in all.iter().enumerate() {
            assert!(a.x + a.w <= GRID_COLUMNS && all[i + 1..].iter().all(|b| !a.overlaps(b)), "{all:?}");
        }
    }

    #[test]
    fn copies_stand_side_by_side_and_push_down_what_is_below() {
        let below = panel(24, 4, Some((0, 8)));
        let three = repeated(panel(24, 8, Some((0, 0))));
        check_repeated(&[three.clone(), below.clone()], &[3, 1], &[&[(0, 0, 8), (8, 0, 8), (16, 0, 8)], &[(0, 8, 24)]]);
        let five: &[(u32, u32, u32)] = &[(0, 0, 6), (6, 0, 6), (12, 0, 6), (18, 0, 6), (0, 8, 6)];
        check_repeated(&[three.clone(), below.clone()], &[5, 1], &[five, &[(0, 16, 24)]]);
        check_repeated(&[three.clone(), below.clone()], &[0, 1], &[&[], &[(0, 0, 24)]]);
        check_repeated(&[three.clone(), below.clone()], &[1, 1], &[&[(0, 0, 24)], &[(0, 8, 24)]]);
        let down = Panel { repeat_down: true, ..repeated(panel(12, 3, Some((12, 0)))) };
        let beside = panel(12, 3, Some((0, 0)));
        let two: &[(u32, u32, u32)] = &[(12, 0, 12), (12, 3, 12)];
        check_repeated(&[beside, down, panel(24, 2, Some((0, 3)))], &[1, 2, 1], &[&[(0, 0, 12)], two, &[(0, 6, 24)]]);
        let flowing = repeated(panel(12, 8, None));
        check_repeated(&[flowing, panel(12, 8, None)], &[2, 1], &[&[(0, 0, 12), (12, 0, 12)], &[(0, 8, 12)]]);
    }

    #[test]
    fn without_copies_nothing_changes() {
        let panels: Vec<Panel> = (0..20).map(|i| panel(1 + i * 7 % 24, 1 + i % 5, None)).collect();
        assert_eq!(place_repeated(&panels, &[1; 20]).concat(), place(&panels));
    }
}
