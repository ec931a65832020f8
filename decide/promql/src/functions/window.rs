//! The samples of one series in one range. Pure.

/// Samples of a series in a range, oldest first, staleness markers left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// Milliseconds since the epoch.
    pub(crate) times: &'a [i64],
    /// The values at those times.
    pub(crate) values: &'a [f64],
    /// The time the query is evaluated at, in milliseconds.
    pub(crate) now_ms: i64,
}

impl Window<'_> {
    /// Every value paired with the one before it.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.windows(2).map(|w| (w[0], w[1]))
    }
}
