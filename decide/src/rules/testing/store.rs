//! Series in memory as a test fills them: appended in order, looked up by name. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Column, MatchOp, Point, Select, Series, SeriesError, SeriesReader, is_stale, stale_nan};

/// One series.
#[derive(Debug)]
struct Stored {
    labels: Labels,
    times: Vec<i64>,
    values: Vec<Point>,
    /// Whether all values are numbers.
    plain: bool,
}

/// All series of a test.
#[derive(Debug, Default)]
pub(super) struct Store {
    series: Vec<Stored>,
    places: HashMap<Labels, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Store {
    /// Appends a sample.
    ///
    /// # Errors
    /// Prometheus's words: it is older than the newest, or another one has its time.
    pub(super) fn append(&mut self, labels: &Labels, t_ms: i64, value: &Point) -> Result<(), String> {
        let series = self.place(labels);
        match series.times.last() {
            Some(last) if *last > t_ms => Err("out of order sample".to_owned()),
            Some(last) if *last == t_ms => match series.values.last() {
                Some(known) if same(known, value) => Ok(()),
                _ => Err("duplicate sample for timestamp".to_owned()),
            },
            _ => {
                series.plain &= matches!(value, Point::Float(_));
                series.times.push(t_ms);
                series.values.push(value.clone());
                Ok(())
            }
        }
    }

    /// Ends a series, unless it has a sample of that time.
    pub(super) fn end(&mut self, labels: &Labels, t_ms: i64) {
        // What another rule gives of it at the same time counts.
        let _ = self.append(labels, t_ms, &Point::Float(stale_nan()));
    }

    fn place(&mut self, labels: &Labels) -> &mut Stored {
        let place = match self.places.get(labels) {
            Some(place) => *place,
            None => {
                let place = self.series.len();
                self.places.insert(labels.clone(), place);
                self.by_name.entry(labels.name().to_owned()).or_default().push(place);
                self.series.push(Stored { labels: labels.clone(), times: Vec::new(), values: Vec::new(), plain: true });
                place
            }
        };
        &mut self.series[place]
    }

    fn matching<'s>(&'s self, select: &'s Select) -> impl Iterator<Item = &'s Stored> {
        let name = select.matchers.iter().find(|m| &*m.name == kernel::labels::METRIC_NAME && m.op == MatchOp::Equal);
        let named = name.map(|m| self.by_name.get(&*m.value).map_or(&[][..], Vec::as_slice));
        let all = (0..self.series.len()).filter(move |_| named.is_none());
        let places = named.unwrap_or_default().iter().copied().chain(all);
        places
            .filter_map(|place| self.series.get(place))
            .filter(|s| select.matchers.iter().all(|m| m.matches_labels(&s.labels)))
    }
}

fn same(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => a.to_bits() == b.to_bits() || (is_stale(*a) && is_stale(*b)),
        _ => a == b,
    }
}

impl SeriesReader for Store {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut out: Vec<Series> = Vec::new();
        for s in self.matching(select) {
            let from = s.times.partition_point(|t| *t < select.start_ms);
            let to = s.times.partition_point(|t| *t <= select.end_ms);
            if from >= to {
                continue;
            }
            let times = &s.times[from..to];
            let timestamps: Arc<[i64]> = match out.last().filter(|before| *before.timestamps == *times) {
                Some(before) => before.timestamps.clone(),
                None => times.into(),
            };
            let number = |p: &Point| match p {
                Point::Float(v) => *v,
                Point::Histogram(h) => h.sum,
            };
            let values = match s.plain {
                true => Column::Floats(s.values[from..to].iter().map(number).collect()),
                false => Column::Mixed(s.values[from..to].to_vec()),
            };
            out.push(Series { labels: s.labels.clone(), timestamps, values, starts: None });
        }
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(out)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let names = self.matching(select).flat_map(|s| s.labels.iter().map(|(n, _)| n.to_owned()));
        let all: std::collections::BTreeSet<String> = names.collect();
        Ok(all.into_iter().collect())
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let values = self.matching(select).filter_map(|s| s.labels.get(name).map(ToOwned::to_owned));
        let all: std::collections::BTreeSet<String> = values.collect();
        Ok(all.into_iter().collect())
    }
}
