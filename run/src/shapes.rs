//! Samples into rows of scrape groups: each source keeps the order of its series, so that the store sees the same group
//! again and again. I/O: none of its own.
//!
//! A series that a source no longer gives ends with a staleness marker, once, as Prometheus does between two scrapes.

use std::collections::HashMap;

use kernel::Labels;
use kernel::series::{GroupId, Row, SeriesError, SeriesWriter, is_stale, stale_nan};

/// Sources with more series than this look them up in a map; with fewer, looking through them takes less memory and no longer.
const LOOKED_THROUGH: usize = 32;

/// The series of one source, in the order of their first appearance.
#[derive(Debug, Default)]
struct Shape {
    group: Option<GroupId>,
    series: Vec<Labels>,
    places: HashMap<Labels, usize>,
    /// The places of the last row's samples, in their order: most sources give the same series again and again.
    last: Vec<usize>,
    alive: Vec<bool>,
}

impl Shape {
    /// The places of the samples; series that are new get one, and the source another group.
    fn find_places(&mut self, samples: &[(Labels, f64)]) {
        let same = |(place, (labels, _)): (&usize, &(Labels, f64))| self.series[*place] == *labels;
        if self.last.len() == samples.len() && self.last.iter().zip(samples).all(same) {
            return;
        }
        self.last.clear();
        for (labels, _) in samples {
            let place = self.place_of(labels).unwrap_or_else(|| self.add(labels));
            self.last.push(place);
        }
    }

    fn place_of(&self, labels: &Labels) -> Option<usize> {
        match self.places.is_empty() {
            true => self.series.iter().position(|known| known == labels),
            false => self.places.get(labels).copied(),
        }
    }

    fn add(&mut self, labels: &Labels) -> usize {
        let place = self.series.len();
        self.series.push(labels.clone());
        self.alive.push(false);
        self.group = None;
        if place == LOOKED_THROUGH {
            self.places = self.series.iter().cloned().zip(0..).collect();
        } else if place > LOOKED_THROUGH {
            self.places.insert(labels.clone(), place);
        }
        place
    }
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
        shape.find_places(samples);
        let group = match shape.group {
            Some(group) => group,
            None => *shape.group.insert(kernel::series::group_of(store, &shape.series)?),
        };
        let mut values: Vec<Option<f64>> = vec![None; shape.series.len()];
        for (place, (_, value)) in shape.last.iter().zip(samples) {
            values[*place] = Some(*value);
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

    use kernel::series::{Appended, Batch};

    use super::*;

    #[derive(Default)]
    struct Store(Mutex<Vec<Vec<Labels>>>);

    impl SeriesWriter for Store {
        fn open_group(&self, _: &str) -> Result<GroupId, SeriesError> {
            let mut all = self.0.lock().unwrap();
            all.push(Vec::new());
            Ok(GroupId(u32::try_from(all.len()).unwrap()))
        }

        fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
            self.0.lock().unwrap()[group.0 as usize - 1].extend_from_slice(series);
            Ok((0..u32::try_from(series.len()).unwrap()).collect())
        }

        fn append(&self, _: &Batch) -> Result<Appended, SeriesError> {
            Ok(Appended::default())
        }
    }

    #[test]
    fn samples_find_their_places_in_any_order() {
        let (store, mut shapes) = (Store::default(), Shapes::default());
        let [a, b, c] = ["a", "b", "c"].map(|name| Labels::metric(name, [("x", "1")]));
        let mut values = |samples: &[(&Labels, f64)], t_ms| {
            let samples: Vec<(Labels, f64)> = samples.iter().map(|(l, v)| ((*l).clone(), *v)).collect();
            shapes.row(&store, "check", t_ms, &samples).unwrap().values
        };
        assert_eq!(values(&[(&a, 1.0), (&b, 2.0)], 1), [Some(1.0), Some(2.0)]);
        assert_eq!(values(&[(&a, 3.0), (&b, 4.0)], 2), [Some(3.0), Some(4.0)]);
        assert_eq!(values(&[(&b, 6.0), (&a, 5.0)], 3), [Some(5.0), Some(6.0)]);
        assert_eq!(values(&[(&c, 9.0), (&b, 8.0), (&a, 7.0)], 4), [Some(7.0), Some(8.0), Some(9.0)]);
        assert_eq!(store.0.lock().unwrap().len(), 2);
    }

    #[test]
    fn sources_with_many_series_find_them_too() {
        let (store, mut shapes) = (Store::default(), Shapes::default());
        let all: Vec<(Labels, f64)> = (0..100).map(|i| (Labels::metric("m", [("i", i.to_string())]), 1.0)).collect();
        for count in [10, 33, 34, 100] {
            let mut some = all[..count].to_vec();
            some.reverse();
            let row = shapes.row(&store, "target", 1, &some).unwrap();
            assert_eq!(row.values.len(), count, "no series stands there twice");
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
