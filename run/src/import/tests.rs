//! Imports into real stores: exact, repeated, in the wrong order.

use std::ops::ControlFlow;
use std::path::Path;

use kernel::Timestamp;
use kernel::series::{MatchOp, Matcher, Point, Select, SeriesReader as _, stale_nan};
use store_series::{Options, SeriesStore};

use super::openmetrics::Files;
use super::store::Folder;
use super::{Mistakes, Report, Source as _, load};

/// Everything in a data folder, as text: labels, time, bits.
fn dump(data: &Path) -> Vec<String> {
    let (store, report) = SeriesStore::open(&data.join("series"), Options::default()).unwrap();
    assert!(report.damage.is_empty());
    let all = vec![Matcher::new("__name__", MatchOp::NotEqual, "").unwrap()];
    let mut out = Vec::new();
    let select = Select { matchers: all, start_ms: i64::MIN, end_ms: i64::MAX };
    store
        .visit(&select, &mut |series| {
            for (at, t) in series.timestamps.iter().enumerate() {
                let Some(Point::Float(v)) = series.values.get(at) else { panic!("no number") };
                let labels: Vec<String> = series.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
                out.push(format!("{} {t} {:x}", labels.join(","), v.to_bits()));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    out.sort();
    out
}

fn import(data: &Path, texts: &[&str], labels: &[(&str, &str)]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let path = folder.path().join(format!("{at}.txt"));
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let mut files = Files::open(&paths, labels).unwrap();
    let survey = files.survey(&mut |_| {}).unwrap();
    assert_eq!(survey.mistakes, Mistakes::default());
    let mut target = Folder::open(data, survey.range_ms, Timestamp::from_millis(0)).unwrap();
    load(&mut files, survey, &mut target, &mut |_| {}).unwrap()
}

#[test]
fn openmetrics_files_come_in_exactly_and_once() {
    let folder = tempfile::tempdir().unwrap();
    // Series after series, as a backfill is written, the times of one of them falling; the same line twice.
    let text = "# TYPE a counter\na_total{job=\"x\"} 1 0\na_total{job=\"x\"} 2 3600 # {trace_id=\"t\"} 1.5 3599\n\
        a_total{job=\"x\"} NaN 7200\n# TYPE b gauge\nb{job=\"x\"} -0 7200.5\nb{job=\"x\"} +Inf 10\nb{job=\"x\"} +Inf 10\n\
        # EOF\n";
    let report = import(folder.path(), &[text], &[("system", "s")]);
    assert_eq!((report.samples, report.refused, report.conflicts, report.series), (6, 0, 0, 2), "{report:?}");
    assert_eq!((report.exemplars, report.range_ms), (1, Some((0, 7_200_500))));
    let line = |name: &str, t: i64, v: f64| format!("__name__={name},job=x,system=s {t} {:x}", v.to_bits());
    let nan = f64::from_bits(0x7ff8_0000_0000_0001);
    let expect = vec![
        line("a_total", 0, 1.0),
        line("a_total", 3_600_000, 2.0),
        line("a_total", 7_200_000, nan),
        line("b", 10_000, f64::INFINITY),
        line("b", 7_200_500, -0.0),
    ];
    assert_eq!(dump(folder.path()), expect);
    let again = import(folder.path(), &[text], &[("system", "s")]);
    assert_eq!((again.known, again.written, again.conflicts), (6, 0, 0), "{again:?}");
    assert_eq!(dump(folder.path()), expect);

    // Older samples, one between, and one in conflict: what is there stays.
    let late = "a_total{job=\"x\"} 0.5 -100\na_total{job=\"x\"} 1.5 1800\na_total{job=\"x\"} 99 3600\n# EOF\n";
    let report = import(folder.path(), &[late], &[("system", "s")]);
    assert_eq!((report.written, report.conflicts), (2, 1), "{report:?}");
    let mut expect = expect;
    expect.extend([line("a_total", -100_000, 0.5), line("a_total", 1_800_000, 1.5)]);
    expect.sort();
    assert_eq!(dump(folder.path()), expect);
}

#[test]
fn an_import_that_was_broken_off_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |range: std::ops::Range<i64>| {
        range.map(|i| format!("m{{n=\"{}\"}} {i} {}\n", i % 7, i * 15)).collect::<String>()
    };
    let whole = format!("{}# EOF\n", lines(0..20_000));
    import(folder.path(), &[&format!("{}# EOF\n", lines(0..9_000))], &[]);
    let report = import(folder.path(), &[&whole], &[]);
    assert_eq!((report.known, report.written, report.refused), (9_000, 11_000, 0), "{report:?}");
    assert_eq!(dump(folder.path()).len(), 20_000);
    assert_eq!(import(folder.path(), &[&whole], &[]).known, 20_000);
}

#[test]
fn mistakes_are_named_by_their_lines_across_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let mut text = String::from("# TYPE a counter\n");
    for i in 0..60_000 {
        let line = match i {
            50_000 => "a_total{x=\"y\"} 1\n".to_owned(),
            55_000 => "a_total{x=} 1 2\n".to_owned(),
            _ => format!("a_total{{x=\"{i}\",y=\"zzzzzzzzzzzzzzzz\"}} 1 {i}\n"),
        };
        text.push_str(&line);
    }
    std::fs::write(&path, &text).unwrap();
    let survey = Files::open(std::slice::from_ref(&path), Vec::new()).unwrap().survey(&mut |_| {}).unwrap();
    let found: Vec<String> =
        survey.mistakes.texts.iter().map(|t| t.trim_start_matches(&path.display().to_string()).to_owned()).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with(":50002: a_total has no time"), "{found:?}");
    assert!(found[1].starts_with(":55002:11: "), "{found:?}");
    assert!(found[2].contains("does not end with # EOF"), "{found:?}");
    assert_eq!(survey.samples, 59_998);
}

#[test]
fn staleness_markers_are_values_like_others() {
    // OpenMetrics cannot write them; blocks can.
    assert!(kernel::series::is_stale(stale_nan()));
    let folder = tempfile::tempdir().unwrap();
    let mut target = Folder::open(folder.path(), Some((5, 5)), Timestamp::from_millis(0)).unwrap();
    let mut source = One(stale_nan());
    let survey = source.survey(&mut |_| {}).unwrap();
    let report = load(&mut source, survey, &mut target, &mut |_| {}).unwrap();
    drop(target);
    assert_eq!(report.written, 1);
    assert_eq!(dump(folder.path()), ["__name__=one 5 7ff0000000000002"]);
}

/// A source of one sample.
struct One(f64);

impl super::Source for One {
    fn survey(&mut self, _: &mut dyn FnMut(u64)) -> anyhow::Result<super::Survey> {
        let mut survey = super::Survey::default();
        survey.count(5, 1);
        Ok(survey)
    }

    fn stretch(
        &mut self,
        _: (i64, i64),
        _: &mut Mistakes,
        take: &mut dyn FnMut(super::Taken) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let labels = kernel::Labels::metric::<&str, &str>("one", []);
        take(super::Taken { labels, t_ms: 5, value: Point::Float(self.0), exemplars: Vec::new() })
    }
}
