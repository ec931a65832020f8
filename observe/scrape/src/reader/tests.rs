//! Bodies in a row, with what becomes of each series.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Labels;
use kernel::series::{Batch, Point};
use proptest::prelude::*;

use super::*;
use crate::exposition::parse_all;
use crate::memory::Memory;
use crate::relabel::{Action, NameScheme, RuleText};

/// A target that is scraped at 1, 2, 3 …
struct Story {
    reader: TargetReader,
    scratch: Scratch,
    memory: Memory,
    hashes: RandomState,
    settings: ReadSettings,
    rules: LineRules,
    format: Format,
    now: i64,
}

impl Story {
    fn new() -> Self {
        let rules = LineRules { target: Labels::new([("job", "j"), ("instance", "i")]), ..LineRules::default() };
        Self {
            reader: TargetReader::new("scrape/j/i".to_owned()),
            scratch: Scratch::default(),
            memory: Memory::default(),
            hashes: RandomState::default(),
            settings: ReadSettings { honor_timestamps: true, ..ReadSettings::default() },
            rules,
            format: Format::Text,
            now: 0,
        }
    }

    fn plain() -> Self {
        Self { rules: LineRules::default(), ..Self::new() }
    }

    fn scrape(&mut self, body: &str) -> Result<ReadCounts, ReadError> {
        self.scrape_bytes(body.as_bytes())
    }

    fn scrape_bytes(&mut self, body: &[u8]) -> Result<ReadCounts, ReadError> {
        self.now += 1;
        let input = Input {
            body,
            format: self.format,
            settings: &self.settings,
            rules: &self.rules,
            hashes: &self.hashes,
            latest_ms: self.now + 1_000_000,
        };
        let scratch = &mut self.scratch;
        let read = self.reader.read(&input, scratch).and_then(|_| self.reader.resolve(&self.memory, scratch));
        let mut batch = Batch::default();
        let track = self.settings.track_timestamps_staleness;
        match &read {
            Ok(_) => self.reader.emit(scratch, self.now, track, &self.hashes, &mut batch),
            Err(_) => self.reader.end_all(self.now, track, &mut batch),
        }
        self.memory.append(&batch).unwrap();
        read
    }

    fn is(&self, series: &str, samples: &[&str]) {
        assert_eq!(self.memory.samples(series), samples, "{series}");
    }
}

#[test]
fn a_series_from_its_first_scrape_to_its_end() {
    let mut story = Story::plain();
    let first = story.scrape("# TYPE a gauge\na 1\nb{c=\"d\"} 2\n").unwrap();
    assert_eq!((first.scraped, first.kept, first.added), (2, 2, 2));
    let second = story.scrape("# TYPE a gauge\na 5\nb{c=\"d\"} 2\n").unwrap();
    assert_eq!((second.scraped, second.added, second.moved), (2, 0, 0));
    story.scrape("# TYPE a gauge\na 6\n").unwrap();
    story.scrape("# TYPE a gauge\nb{c=\"d\"} 7\nnew 1\na 7\n").unwrap();
    story.is("a", &["1:1", "2:5", "3:6", "4:7"]);
    story.is(r#"b{c="d"}"#, &["1:2", "2:2", "3:stale", "4:7"]);
    story.is("new", &["4:1"]);
    assert_eq!(story.reader.family("a").unwrap().kind.as_str(), "gauge");
}

#[test]
fn a_failed_scrape_ends_all_series_once() {
    let mut story = Story::plain();
    story.scrape("a 1\nb 1\n").unwrap();
    story.scrape("a 2\nb !\n").unwrap_err();
    story.scrape("a 3\nb !\n").unwrap_err();
    let back = story.scrape("a 1\n").unwrap();
    assert_eq!(back.added, 0, "the places are still known");
    story.scrape("").unwrap();
    story.is("a", &["1:1", "2:stale", "4:1", "5:stale"]);
    story.is("b", &["1:1", "2:stale"]);
}

#[test]
fn the_first_of_two_counts() {
    let mut story = Story::plain();
    let counts = story.scrape("a{x=\"1\",y=\"2\"} 1\na{x=\"1\",y=\"2\"} 2\na{y=\"2\",x=\"1\"} 3\nb 1\n").unwrap();
    assert_eq!((counts.scraped, counts.kept, counts.duplicates, counts.added), (4, 4, 2, 2));
    story.scrape("a{x=\"1\",y=\"2\"} 4\na{x=\"1\",y=\"2\"} 5\na{y=\"2\",x=\"1\"} 6\nb 2\n").unwrap();
    // What was the third line is alone now.
    story.scrape("a{y=\"2\",x=\"1\"} 7\nb 3\n").unwrap();
    story.scrape("b 4\na{y=\"2\",x=\"1\"} 8\na{x=\"1\",y=\"2\"} 9\n").unwrap();
    story.is(r#"a{x="1", y="2"}"#, &["1:1", "2:4", "3:7", "4:8"]);
    story.is("b", &["1:1", "2:2", "3:3", "4:4"]);
}

#[test]
fn a_second_line_is_not_taken_for_one_when_the_first_is_gone() {
    let mut story = Story::plain();
    story.scrape("x 1\na{x=\"1\",y=\"2\"} 1\ny 1\na{y=\"2\",x=\"1\"} 2\n").unwrap();
    story.scrape("x 1\ny 1\na{y=\"2\",x=\"1\"} 3\n").unwrap();
    story.is(r#"a{x="1", y="2"}"#, &["1:1", "2:3"]);
}

#[test]
fn times_of_their_own() {
    let mut story = Story::plain();
    story.scrape("a 1 500\nb 1\n").unwrap();
    story.scrape("a 2 600\na 3 700\nb 2\n").unwrap();
    story.scrape("b 3\n").unwrap();
    story.is("a", &["500:1", "600:2", "700:3"]);
    story.is("b", &["1:1", "2:2", "3:3"]);
    assert_eq!(story.memory.groups(), ["scrape/j/i", "scrape/j/i/own-times"]);
    story.settings.track_timestamps_staleness = true;
    story.scrape("a 4 800\nb 4\n").unwrap();
    story.scrape("b 5\n").unwrap();
    story.is("a", &["500:1", "600:2", "700:3", "800:4", "5:stale"]);
    let far = story.scrape("a 4 9999999\n").unwrap();
    assert_eq!(far.out_of_bounds, 1);
    let mut deaf = Story::plain();
    deaf.settings.honor_timestamps = false;
    deaf.scrape("a 1 500\n").unwrap();
    deaf.is("a", &["1:1"]);
}

#[test]
fn labels_of_the_target_and_of_the_line() {
    let mut story = Story::new();
    story.scrape("a{job=\"mine\",exported_job=\"x\"} 1\n").unwrap();
    story.is(r#"a{exported_exported_job="mine", exported_job="x", instance="i", job="j"}"#, &["1:1"]);
    let mut honest = Story::new();
    honest.rules.honor_labels = true;
    honest.scrape("a{job=\"mine\",instance=\"\"} 1\n").unwrap();
    honest.is(r#"a{instance="i", job="mine"}"#, &["1:1"]);
}

#[test]
fn relabeling_drops_renames_and_fails() {
    let rule = |action, source: &str, regex: &str| RuleText {
        action,
        source_labels: if source.is_empty() { Vec::new() } else { vec![source.to_owned()] },
        regex: regex.to_owned(),
        ..RuleText::default()
    };
    let mut story = Story::plain();
    let rules = [
        rule(Action::Drop, "__name__", "go_.*"),
        RuleText {
            target_label: "__name__".into(),
            replacement: "new".into(),
            ..rule(Action::Replace, "__name__", "old")
        },
        rule(Action::LabelDrop, "", "secret"),
    ];
    story.rules.relabel = rules.into_iter().map(|r| r.compile(NameScheme::Utf8).unwrap()).collect();
    for _ in 0..2 {
        let counts = story.scrape("go_x 1\nold{secret=\"s\"} 2\n").unwrap();
        assert_eq!((counts.scraped, counts.kept), (2, 1));
    }
    story.is("new", &["1:2", "2:2"]);
    assert_eq!(story.memory.names(), ["new"]);
    let mut nameless = Story::plain();
    let rule = rule(Action::LabelDrop, "", "__name__").compile(NameScheme::Utf8).unwrap();
    nameless.rules.relabel = [rule].into();
    let error = nameless.scrape("a{b=\"c\"} 1\n").unwrap_err().to_string();
    assert!(error.contains("missing metric name"), "{error}");
}

#[test]
fn limits_fail_the_scrape() {
    let check = |change: &dyn Fn(&mut Story), part: &str| {
        let mut story = Story::plain();
        change(&mut story);
        let error = story.scrape("a{label=\"value\"} 1\nb 2\nc{other=\"o\"} 3\n").unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(story.memory.names().is_empty());
    };
    check(&|s| s.settings.sample_limit = 2, "sample limit exceeded");
    check(&|s| s.rules.label_limit = 1, "label_limit exceeded (metric: a, number of labels: 2, limit: 1)");
    check(&|s| s.rules.name_length_limit = 4, "label_name_length_limit exceeded (metric: a, label name: __name__");
    check(&|s| s.rules.value_length_limit = 4, "value: \"value\", length: 5, limit: 4)");
    // What is refused was scraped: `scrape_samples_scraped` counts it.
    for format in [Format::Text, Format::OpenMetrics] {
        let mut story = Story::plain();
        (story.rules.label_limit, story.format) = (2, format);
        assert!(story.scrape("a 1\nb{x=\"1\",y=\"2\"} 2\nc 3\n# EOF\n").is_err());
        assert_eq!((story.scratch.counts.scraped, story.scratch.counts.kept), (2, 1));
    }
    let twice = Story::plain().scrape("a{b=\"1\",b=\"2\"} 1\n").unwrap_err().to_string();
    assert_eq!(twice, "label name \"b\" is not unique: invalid sample");
    let mut legacy = Story::plain();
    legacy.rules.scheme = NameScheme::Legacy;
    assert!(legacy.scrape("{\"a.b\"} 1\n").unwrap_err().to_string().contains("invalid metric name"));
}

#[test]
fn open_metrics_with_exemplars_and_starts() {
    let mut story = Story::plain();
    story.format = Format::OpenMetrics;
    story.settings.parse.fold_created = true;
    let body = |v: u32, id: &str, end: &str| {
        format!("# TYPE c counter\nc_total{{a=\"b\"}} {v} # {{trace_id=\"{id}\"}} 0.5\nc_created{{a=\"b\"}} 7.5\n{end}")
    };
    story.scrape(&body(1, "x", "# EOF\n")).unwrap();
    let counts = story.scrape(&body(2, "x", "# EOF\n")).unwrap();
    assert_eq!((counts.scraped, counts.moved), (1, 0));
    story.scrape(&body(3, "y", "# EOF\n")).unwrap();
    story.is(r#"c_total{a="b"}"#, &["1:1 from 7500", "2:2 from 7500", "3:3 from 7500"]);
    let seen: Vec<_> = story.memory.exemplars().iter().map(|(_, e)| (e.labels.to_string(), e.t_ms)).collect();
    assert_eq!(seen, [(r#"{trace_id="x"}"#.to_owned(), 1), (r#"{trace_id="y"}"#.to_owned(), 3)]);
    for end in ["", "# EOF\nc_total 1\n", "# EOF\n# EOF\n"] {
        story.scrape(&body(4, "y", end)).unwrap_err();
    }
    assert_eq!(story.memory.names().len(), 1);
}

#[test]
fn starts_of_series_that_change_are_forgotten() {
    let mut story = Story::plain();
    story.format = Format::OpenMetrics;
    story.settings.parse.fold_created = true;
    for n in 0..1_200 {
        story
            .scrape(&format!("# TYPE c counter\nc_total{{n=\"{n}\"}} 1\nc_created{{n=\"{n}\"}} {n}.5\n# EOF\n"))
            .unwrap();
    }
    story.is(r#"c_total{n="1199"}"#, &["1200:1 from 1199500"]);
    story.is(r#"c_total{n="3"}"#, &["4:1 from 3500", "5:stale"]);
    let (columns, values) = story.reader.starts.sizes();
    assert!(columns < 1_010 && values < 1_010, "{columns} {values}");
}

#[test]
fn a_body_that_was_cut_goes_on_in_the_next() {
    let mut story = Story::plain();
    story.scrape("a 1\n# HELP b c").unwrap();
    story.scrape("a 1\n# HELP b cd\nb 2").unwrap();
    story.scrape("a 12\n# HELP b cd\nb 23\n").unwrap();
    story.is("b", &["2:2", "3:23"]);
    assert_eq!(story.reader.family("b").unwrap().help, "cd");
}

#[test]
fn classic_histograms_become_one_series() {
    let mut story = Story::plain();
    story.settings.parse.custom_buckets = true;
    for n in 1..3 {
        story.scrape(&format!("# TYPE h histogram\nh_bucket{{le=\"+Inf\"}} {n}\nh_count {n}\nh_sum 1\nx 1\n")).unwrap();
    }
    story.scrape("x 1\n").unwrap();
    story.is("h", &["1:h1", "2:h2", "3:stale"]);
    story.is("x", &["1:1", "2:1", "3:1"]);
}

/// Reads bodies in place and line by line: the same samples, the same ends.
fn check(bodies: &[String]) {
    let mut story = Story::plain();
    let mut want: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut alive: BTreeSet<String> = BTreeSet::new();
    for (i, body) in bodies.iter().enumerate() {
        let t = i + 1;
        let read = parse_all(body.as_bytes(), Format::Text, ParseOptions::default());
        assert_eq!(story.scrape(body).is_ok(), read.is_ok(), "{body}");
        let mut now = BTreeSet::new();
        for sample in read.map(|(samples, _)| samples).unwrap_or_default() {
            let name = sample.label_set().to_string();
            let Point::Float(v) = sample.value else { unreachable!() };
            let at = sample.timestamp_ms.unwrap_or(t as i64);
            let all = want.entry(name.clone()).or_default();
            if all.iter().all(|s| !s.starts_with(&format!("{at}:"))) {
                all.push(format!("{at}:{v}"));
            }
            if sample.timestamp_ms.is_none() {
                now.insert(name);
            }
        }
        for gone in alive.difference(&now) {
            want.entry(gone.clone()).or_default().push(format!("{t}:stale"));
        }
        alive = now;
    }
    for (name, samples) in &want {
        assert_eq!(&story.memory.samples(name), samples, "{name} in {bodies:#?}");
    }
    assert_eq!(story.memory.names().len(), want.len());
}

#[test]
fn lines_that_stay_move_come_and_go() {
    let bodies = [
        "# HELP a b\na 1\nb{c=\"d\"} 2\n# x\nc 3\n",
        "# HELP a b\na 1\nb{c=\"d\"} 2\n# x\nc 3\n",
        "# HELP a b\na 10\nb{c=\"d\"} -2\n# x\nc 3\n",
        "# HELP a changed\na 10\nb{c=\"d\"} -2\n# x\nc NaN\n",
        "b{c=\"d\"} -2\na 10\nnew 5\nc 3\n",
        "c 3\n",
        "",
        "bad\nc 3\n",
        "c 3\na 1",
        "a 12\nab 1\na_b{x=\"1\"} 2\n",
        "a 12\na_b{x=\"10\"} 2\n",
    ];
    check(&bodies.map(str::to_owned));
}

fn body() -> impl Strategy<Value = String> {
    let value =
        prop_oneof![Just("1".to_owned()), Just("12".to_owned()), Just("0.5".to_owned()), Just("1e300".to_owned())];
    let line = prop_oneof![
        8 => (0..12u8, value).prop_map(|(k, v)| format!("m{k}{{l=\"{}\"}} {v}", k / 2)),
        2 => (0..12u8).prop_map(|k| format!("m{k}{{ l=\"{}\" }} 3", k / 2)),
        1 => (0..3u8).prop_map(|k| format!("# HELP x{k} y")),
        1 => (0..3u8).prop_map(|k| format!("# TYPE x{k} gauge")),
        1 => Just(String::new()),
    ];
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n") + "\n")
}

proptest! {
    #[test]
    fn random_bodies(bodies in prop::collection::vec(body(), 1..8)) {
        check(&bodies);
    }

    #[test]
    fn bodies_that_change_a_little(lines in prop::collection::vec(0..30u8, 1..20), edits in prop::collection::vec((0..20usize, 0..3u8, 0..30u8), 0..12)) {
        let mut lines = lines;
        let mut bodies = Vec::new();
        for (at, what, line) in edits {
            bodies.push(lines.iter().enumerate().map(|(i, l)| format!("m{l}{{a=\"{l}\"}} {}\n", i % 7)).collect::<String>());
            let (n, at) = (lines.len(), at % (lines.len() + 1));
            match what {
                0 if at < n => drop(lines.remove(at)),
                1 => lines.insert(at, line),
                _ => lines.rotate_left(at.min(n)),
            }
        }
        check(&bodies);
    }
}
