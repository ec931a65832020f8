//! What is taken and what is left out; values; labels; retention; limits; many callers; a full disk. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::{Rows, START, all, by_name, labels, one, open, options, points, row};
use kernel::series::{
    Appended, Batch, Cell, Matcher, Point, Rejected, Rejection, Row, Select, SeriesAdmin, SeriesError, SeriesReader,
    SeriesRef, SeriesWriter,
};
use kernel::{Labels, Timestamp};
use store_series::{Options, SeriesStore, limits};

#[test]
fn late_rows_and_duplicates_are_counted_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let group = store.group(&[labels("a", 0), labels("b", 0)]).unwrap();
    let counts = |a: Appended| (a.samples, a.out_of_order, a.duplicates);
    let append = |t, values: &[f64]| counts(store.append_rows(&[row(group, t, values)]).unwrap());
    assert_eq!(append(START, &[1.0, 2.0]), (2, 0, 0));
    assert_eq!(append(START, &[1.0, 2.0]), (0, 0, 2), "the same once more");
    let conflict = store.append_rows(&[row(group, START, &[1.0, 3.0])]).unwrap();
    assert_eq!(counts(conflict.clone()), (0, 1, 1), "another value at the same time");
    let rejected = Rejected { series: SeriesRef { group, column: 1 }, t_ms: START, why: Rejection::Conflict };
    assert_eq!(conflict.rejected, [rejected]);
    assert_eq!(append(START - 1, &[1.0, 2.0]), (0, 2, 0));
    for i in 1..=2 * limits::SPAN_ROWS as i64 {
        assert_eq!(append(START + i, &[1.0, i as f64]), (2, 0, 0));
    }
    let last = 2 * limits::SPAN_ROWS as i64;
    assert_eq!(append(START + last, &[1.0, last as f64]), (0, 0, 2), "a row that is open");
    assert_eq!(append(START + 5, &[1.0, 5.0]), (0, 2, 0), "in a span, which is not read for it");
    let twice = [row(group, START + 900, &[1.0, 1.0]), row(group, START + 900, &[1.0, 1.0])];
    assert_eq!(counts(store.append_rows(&twice).unwrap()), (2, 0, 2), "also within one call");
    let stats = store.stats();
    assert_eq!((stats.samples, stats.out_of_order, stats.duplicates), (2 * 242, 5, 7));
    store.cut().unwrap();
    drop(store);
    let store = open(folder.path());
    let late = store.append_rows(&[row(group, START, &[9.0, 9.0])]).unwrap();
    assert_eq!(counts(late), (0, 2, 0), "what blocks hold is remembered");
    let unknown = store.append_rows(&[row(kernel::series::GroupId(99), START, &[1.0])]).unwrap();
    assert_eq!((unknown.samples, unknown.unknown), (0, 1));
}

#[test]
fn logs_of_earlier_versions_are_read_and_gone_on_with() {
    // Written by Farero in November 2026, before series had habits, and killed.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("wal")).unwrap();
    std::fs::write(folder.path().join("catalog"), include_bytes!("earlier/catalog")).unwrap();
    std::fs::write(folder.path().join("wal/0000000001.wal"), include_bytes!("earlier/0000000001.wal")).unwrap();
    let value = |name: &str, n: i64| match name {
        "counter" => Some(10.5 + (n * 3) as f64),
        "roots" => Some((n as f64).sqrt()),
        "still" => Some(7.0),
        "later" => (n >= 3).then_some(-n as f64 / 4.0),
        _ => (n != 5).then_some((n * n * 1_000_003) as f64),
    };
    let names = ["counter", "roots", "still", "later", "holes"];
    let expected = |name: &str, rows: i64| -> Vec<(i64, u64)> {
        (0..rows).filter_map(|n| Some((START + n * 15_000, value(name, n)?.to_bits()))).collect()
    };
    let store = open(folder.path());
    names.iter().for_each(|name| assert_eq!(one(&store, name), expected(name, 8), "{name}"));
    let series = store.select(&all()).unwrap();
    let group = store.open_group("write///one").unwrap();
    assert_eq!(series.len(), names.len());
    let columns: Vec<Labels> =
        names.iter().map(|name| Labels::metric(name, [("instance", "one".to_owned())])).collect();
    let columns = store.columns(group, &columns).unwrap();
    for n in 8..20 {
        let mut batch = Batch::default();
        for (name, column) in names.iter().zip(&columns) {
            let point = Point::Float(value(name, n).unwrap());
            batch.push_cell(group, START + n * 15_000, Cell { column: *column, value: point, start_ms: 0 });
        }
        store.append(&batch).unwrap();
    }
    drop(store);
    let store = open(folder.path());
    names.iter().for_each(|name| assert_eq!(one(&store, name), expected(name, 20), "{name}"));
}

#[test]
fn late_samples_are_taken_within_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let window = Options { late_window: Duration::from_secs(60), ..options() };
    let (store, _) = SeriesStore::open(folder.path(), window).unwrap();
    let group = store.group(&[labels("a", 0), labels("b", 0)]).unwrap();
    let append = |t, values: Vec<Option<f64>>| store.append_rows(&[Row { group, t_ms: START + t, values }]).unwrap();
    append(100_000, vec![Some(1.0), None]);
    assert_eq!(append(50_000, vec![Some(2.0), None]).samples, 1);
    let old = append(30_000, vec![Some(3.0), Some(4.0)]);
    assert_eq!((old.samples, old.out_of_order), (1, 1), "the other series has no sample yet: any time will do");
    assert_eq!(old.rejected[0].why, Rejection::TooOld);
    assert_eq!(append(50_000, vec![Some(2.0), None]).duplicates, 1);
    assert_eq!(append(50_000, vec![Some(9.0), None]).rejected[0].why, Rejection::Conflict);
    let bits = |t: i64, v: f64| (START + t, v.to_bits());
    assert_eq!(one(&store, "a"), [bits(50_000, 2.0), bits(100_000, 1.0)]);
    assert_eq!(one(&store, "b"), [bits(30_000, 4.0)]);
}

#[test]
fn pieces_of_a_row_are_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let group = store.group(&(0..100).map(|n| labels("n", n)).collect::<Vec<_>>()).unwrap();
    for t in 0..300i64 {
        for piece in 0..4 {
            let values = (0..100).map(|n| (n % 4 == piece).then_some((n as i64 * t) as f64)).collect();
            let appended = store.append_rows(&[Row { group, t_ms: START + t * 1_000, values }]).unwrap();
            assert_eq!((appended.samples, appended.out_of_order), (25, 0));
        }
    }
    let check = |store: &SeriesStore| {
        let found = store.select(&by_name("n")).unwrap();
        assert_eq!(found.len(), 100);
        for s in &found {
            assert_eq!(s.timestamps.len(), 300);
        }
        assert!(found.iter().filter(|s| Arc::ptr_eq(&s.timestamps, &found[0].timestamps)).count() > 90);
    };
    check(&store);
    store.cut().unwrap();
    check(&store);
}

#[test]
fn values_come_back_bit_for_bit_wherever_they_are() {
    let special = [
        kernel::series::stale_nan(),
        f64::from_bits(0x7ff8_0000_dead_beef),
        f64::from_bits(0xfff0_0000_0000_0001),
        -0.0,
        0.0,
        f64::INFINITY,
        f64::MIN_POSITIVE / 2.0,
        0.1 + 0.2,
        9_007_199_254_740_993.0,
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let group = store.group(&[labels("v", 0)]).unwrap();
    for (i, v) in (0i64..).zip(special) {
        store.append_rows(&[row(group, START + i * 1_000, &[v])]).unwrap();
    }
    let wanted: Vec<_> = (0i64..).zip(special).map(|(i, v)| (START + i * 1_000, v.to_bits())).collect();
    assert_eq!(one(&store, "v"), wanted, "from memory");
    drop(store);
    store = open(folder.path());
    assert_eq!(one(&store, "v"), wanted, "from the log");
    store.cut().unwrap();
    assert_eq!(one(&store, "v"), wanted, "from a block");
}

#[test]
fn series_of_a_group_share_their_times_and_missing_values_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let group = store.group(&[labels("a", 0), labels("b", 0), labels("c", 0)]).unwrap();
    for i in 0..300i64 {
        let values = vec![Some(1.0), Some(i as f64), (i % 3 == 0).then_some(2.0)];
        store.append_rows(&[Row { group, t_ms: START + i * 1_000, values }]).unwrap();
    }
    let range = Select { start_ms: START + 100_000, end_ms: START + 200_000, ..all() };
    let found = store.select(&range).unwrap();
    assert_eq!(found.iter().map(|s| s.timestamps.len()).collect::<Vec<_>>(), [101, 101, 33]);
    assert!(Arc::ptr_eq(&found[0].timestamps, &found[1].timestamps));
    assert_eq!(points(&found[2])[0], (START + 102_000, 2f64.to_bits()));
    let nothing = Select { start_ms: START + 300_000, end_ms: START + 400_000, ..all() };
    assert_eq!(store.select(&nothing).unwrap(), []);
}

#[test]
fn labels_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for s in 0..3 {
        let group = store.group(&[labels("up", s), labels("down", s)]).unwrap();
        assert_eq!(store.group(&[labels("up", s), labels("down", s)]).unwrap(), group);
        store.append_rows(&[row(group, START + s as i64 * 1_000, &[1.0, 0.0])]).unwrap();
    }
    assert_eq!(store.label_names(&all()).unwrap(), ["__name__", "kind", "service"]);
    assert_eq!(store.label_values("service", &by_name("up")).unwrap(), ["s0", "s1", "s2"]);
    let late = Select { start_ms: START + 1_500, ..by_name("up") };
    assert_eq!(store.label_values("service", &late).unwrap(), ["s2"]);
    let regex = Matcher::new("service", kernel::series::MatchOp::Regex, "s[12]").unwrap();
    let some = Select { matchers: vec![Matcher::equal("__name__", "down"), regex], ..all() };
    let found: Vec<String> = store.select(&some).unwrap().iter().map(|s| s.labels.to_string()).collect();
    assert_eq!(found, [r#"down{kind="http", service="s1"}"#, r#"down{kind="http", service="s2"}"#]);
    assert_eq!(store.label_values("nothing", &all()).unwrap(), [""; 0]);
}

#[test]
fn upkeep_cuts_joins_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Options { retention: Duration::from_secs(3 * 86_400), rollups: Duration::ZERO, ..options() };
    let (store, _) = SeriesStore::open(folder.path(), kept).unwrap();
    let group = store.group(&[labels("up", 0), labels("n", 0)]).unwrap();
    let minutes = 5 * 24 * 60i64;
    let mut most = 0;
    for from in (0..minutes).step_by(20) {
        let at = |m: i64| START + m * 60_000;
        let rows: Vec<Row> = (from..from + 20).step_by(5).map(|m| row(group, at(m), &[1.0, m as f64])).collect();
        store.append_rows(&rows).unwrap();
        store.maintain(Timestamp::from_millis(at(from + 15))).unwrap();
        most = most.max(store.stats().blocks);
    }
    assert!(most <= 4 + 12 + 5, "{most} blocks");
    let found = one(&store, "n");
    let last = (minutes - 5) as f64;
    assert_eq!(found.last().unwrap().1, last.to_bits());
    assert!(found.windows(2).all(|w| w[1].0 - w[0].0 == 300_000), "no row is lost in between");
    let days = (found.last().unwrap().0 - found[0].0) as f64 / 86_400_000.0;
    assert!((3.0..=4.1).contains(&days), "{days} days are left");
    assert!(store.stats().block_bytes < 20_000, "{} bytes for {} rows", store.stats().block_bytes, found.len());
    drop(store);
    assert_eq!(one(&open(folder.path()), "n"), found);
}

#[test]
fn compacting_leaves_a_block_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let group = store.group(&[labels("up", 0), labels("n", 0)]).unwrap();
    for hour in 0..40i64 {
        let rows: Vec<Row> =
            (0..60).map(|m| row(group, START + hour * 3_600_000 + m * 60_000, &[1.0, (hour * m) as f64])).collect();
        store.append_rows(&rows).unwrap();
        if hour % 3 == 0 {
            store.cut().unwrap();
        }
    }
    let found = one(&store, "n");
    assert_eq!(found.len(), 2_400);
    store.compact().unwrap();
    let days: Vec<i64> = store.blocks().iter().map(|b| b.min_ms.midpoint(b.max_ms).div_euclid(86_400_000)).collect();
    assert!(days.windows(2).all(|d| d[0] < d[1]) && days.len() <= 3, "{:?}", store.blocks());
    assert_eq!(store.blocks().iter().map(|b| b.samples).sum::<u64>(), 4_800, "nothing is left in memory");
    store.compact().unwrap();
    assert_eq!(one(&store, "n"), found);
    drop(store);
    assert_eq!(one(&open(folder.path()), "n"), found);
}

#[test]
fn limits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let few = Options { series: 3, ..options() };
    let (store, _) = SeriesStore::open(folder.path(), few).unwrap();
    store.group(&[labels("a", 0), labels("a", 1)]).unwrap();
    let refused = |series: &[Labels]| store.group(series).unwrap_err().to_string();
    let over = refused(&[labels("a", 1), labels("a", 2), labels("a", 3)]);
    assert_eq!(
        over,
        "number of series is over the limit of 3: look for a label whose values never repeat, or raise the limit"
    );
    store.group(&[labels("a", 1), labels("a", 2)]).unwrap();
    let long = Labels::new([("__name__", "x".repeat(limits::LABEL_BYTES + 1))]);
    assert!(refused(&[long]).starts_with("length of a label is over the limit of 16384"));
    assert!(refused(&[labels("a", 0), labels("a", 0)]).contains("stands twice in one group"));
    assert!(refused(&[Labels::default()]).contains("without any label"));
    assert_eq!(store.stats().refused, 2);
    let group = store.group(&[labels("a", 0), labels("a", 1)]).unwrap();
    let far = store.append_rows(&[row(group, i64::MAX - 1, &[1.0, 1.0])]).unwrap();
    assert_eq!((far.samples, far.out_of_order), (0, 2), "not in milliseconds");
}

#[test]
fn many_callers_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SeriesStore::open(folder.path(), Options::default()).unwrap();
    let store = Arc::new(store);
    let callers: Vec<_> = (0..16)
        .map(|c| {
            let store = store.clone();
            std::thread::spawn(move || {
                let group = store.group(&[labels("n", c)]).unwrap();
                for i in 0..20 {
                    assert_eq!(store.append_rows(&[row(group, START + i, &[i as f64])]).unwrap().samples, 1);
                    let select = Select { matchers: vec![Matcher::equal("service", &format!("s{c}"))], ..all() };
                    assert_eq!(store.select(&select).unwrap()[0].values.len() as i64, i + 1, "what is taken is seen");
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|c| c.join().unwrap());
    let stats = store.stats();
    assert_eq!(stats.samples, 320);
    assert!(stats.commits <= 160, "{} commits for 320 calls", stats.commits);
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let error = SeriesStore::open(folder.path(), options()).err().unwrap().to_string();
    assert!(error.starts_with("another Farero is using"), "{error}");
}

const FULL: &str = "FARERO_FULL_FOLDER";

/// Runs where no file may grow beyond 64 KiB, until it lifts that limit itself.
#[test]
fn child_fills_the_disk() {
    let Ok(folder) = std::env::var(FULL) else { return };
    let store = open(folder.as_ref());
    let group = store.group(&(0..50).map(|s| labels("n", s)).collect::<Vec<_>>()).unwrap();
    let append = |n: i64| {
        let values: Vec<f64> = (0..50).map(|s| (n * 7919 + s) as f64 / 7.0).collect();
        store.append_rows(&[row(group, START + n * 1_000, &values)])
    };
    let full = (0i64..).find_map(|n| append(n).err().map(|e| (n, e)));
    let (n, error) = full.unwrap();
    assert!(matches!(&error, SeriesError::Storage(text) if text.contains("free some space")), "{error}");
    assert!(append(n).is_err(), "it fails each time");
    assert_eq!(
        store.select(&by_name("n")).unwrap()[0].values.len() as i64,
        n,
        "reads go on, and show only what is durable"
    );
    let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &std::process::id().to_string()]).status();
    assert!(lifted.unwrap().success());
    assert_eq!(append(n).unwrap().samples, 50, "it works again by itself");
    drop(store);
    assert_eq!(open(folder.as_ref()).select(&by_name("n")).unwrap()[0].values.len() as i64, n + 1);
}

#[test]
fn a_full_disk_is_loud_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on file sizes stands for the full disk: the kernel refuses the write in the same place.
    let script = r#"trap '' XFSZ; ulimit -S -f 64; exec "$0" --exact child_fills_the_disk --test-threads=1"#;
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FULL, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
