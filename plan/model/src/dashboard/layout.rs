//! Where panels stand on the grid. Pure.
//!
//! A panel with `x` and `y` stands there; the others take the next free place in the order of the file, left to right and
//! down, as words on a page do.

use super::{GRID_COLUMNS, Panel};

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
    let fixed: Vec<Cell> = panels.iter().filter_map(own_place).collect();
    let (mut x, mut y, mut line) = (0, 0, 0);
    let mut out = Vec::with_capacity(panels.len());
    for panel in panels {
        if let Some(cell) = own_place(panel) {
            out.push(cell);
            continue;
        }
        let (w, h) = (panel.columns_wide(), panel.rows_high());
        let cell = loop {
            if x + w > GRID_COLUMNS {
                (x, y, line) = (0, y + line.max(1), 0);
            }
            let cell = Cell { x, y, w, h };
            match fixed.iter().find(|f| f.overlaps(&cell)) {
                Some(other) => x = other.x + other.w,
                None => break cell,
            }
        };
        (x, line) = (x + w, line.max(h));
        out.push(cell);
    }
    out
}

#[cfg(test)]
mod tests {
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
    fn nothing_flows_over_anything_else() {
        let panels: Vec<Panel> = (0..40).map(|i| panel(1 + i * 7 % 24, 1 + i % 5, None)).collect();
        let cells = place(&panels);
        for (i, a) in cells.iter().enumerate() {
            assert!(a.x + a.w <= GRID_COLUMNS);
            assert!(cells[i + 1..].iter().all(|b| !a.overlaps(b)));
        }
    }
}
