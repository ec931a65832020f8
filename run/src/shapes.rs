//! Samples into rows of scrape groups: each source keeps the order of its series, so that the store sees the same group
//! again and again. I/O: none of its own.
//!
//! A series that a source no longer gives ends with a staleness marker, once, as Prometheus does between two scrapes.

use std::collections::HashMap;

use kernel::Labels;
use kernel::series::{GroupId, Row, SeriesError, SeriesWriter, is_stale, stale_nan};

/// The series of one source, in the order of their first appearance.
#[derive(Debug, Default)]
struct Shape {
    group: Option<GroupId>,
    series: Vec<Labels>,
    places: HashMap<Labels, usize>,
    alive: Vec<bool>,
}

/// The shapes of all sources: a check, a scrape target, a rule group.
#[derive(Debug, Default)]
pub struct Shapes(HashMap<String, Shape>);

impl Shapes {
    /// The row of a source's samples at one time.
    ///
    /// # Errors
    /// The store takes no more series.
    pub fn row(
        &mut self,
        store: &dyn SeriesWriter,
        source: &str,
        t_ms: i64,
        samples: &[(Labels, f64)],
    ) -> Result<Row, SeriesError> {
        let shape = match self.0.get_mut(source) {
            Some(shape) => shape,
            None => self.0.entry(source.to_owned()).or_default(),
        };
        for (labels, _) in samples {
            if !shape.places.contains_key(labels) {
                shape.places.insert(labels.clone(), shape.series.len());
                shape.series.push(labels.clone());
                shape.alive.push(false);
                shape.group = None;
            }
        }
        let group = match shape.group {
            Some(group) => group,
            None => *shape.group.insert(store.group(&shape.series)?),
        };
        let mut values: Vec<Option<f64>> = vec![None; shape.series.len()];
        for (labels, value) in samples {
            values[shape.places[labels]] = Some(*value);
        }
        for (value, alive) in values.iter_mut().zip(&mut shape.alive) {
            let gone = value.is_none() && *alive;
            *alive = value.is_some_and(|v| !is_stale(v));
            if gone {
                *value = Some(stale_nan());
            }
        }
        Ok(Row { group, t_ms, values })
    }

    /// The row that ends all series of a source that is gone; `None` when it has none alive.
    pub fn end(&mut self, source: &str, t_ms: i64) -> Option<Row> {
        let shape = self.0.remove(source)?;
        let values = shape.alive.iter().map(|alive| alive.then(stale_nan)).collect();
        shape.alive.contains(&true).then_some(Row { group: shape.group?, t_ms, values })
    }

    /// The sources that are known.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use kernel::series::Appended;

    use super::*;

    #[derive(Default)]
    struct Store(Mutex<Vec<Vec<Labels>>>);

    impl SeriesWriter for Store {
        fn group(&self, series: &[Labels]) -> Result<GroupId, SeriesError> {
            let mut all = self.0.lock().unwrap();
            all.push(series.to_vec());
            Ok(GroupId(u32::try_from(all.len()).unwrap()))
        }

        fn append(&self, _: &[Row]) -> Result<Appended, SeriesError> {
            Ok(Appended::default())
        }
    }

    #[test]
    fn a_series_that_ends_is_marked_once() {
        let (store, mut shapes) = (Store::default(), Shapes::default());
        let (a, b) = (Labels::metric("a", [("x", "1")]), Labels::metric("b", [("x", "1")]));
        let first = shapes.row(&store, "check", 1, &[(a.clone(), 1.0), (b.clone(), 2.0)]).unwrap();
        assert_eq!(first.values, [Some(1.0), Some(2.0)]);
        let second = shapes.row(&store, "check", 2, &[(a.clone(), 1.0)]).unwrap();
        assert_eq!(second.group, first.group);
        assert!(second.values[1].is_some_and(is_stale));
        let third = shapes.row(&store, "check", 3, &[(a, 1.0)]).unwrap();
        assert_eq!(third.values, [Some(1.0), None]);
        let end = shapes.end("check", 4).unwrap();
        assert!(end.values[0].is_some_and(is_stale) && end.values[1].is_none());
        assert_eq!(shapes.end("check", 5), None);
    }
}
