//! What is taken and what is left out; values; labels; retention; limits; many callers; a full disk. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::{START, all, by_name, labels, one, open, options, points, row};
use kernel::series::{Appended, Matcher, Row, Select, SeriesError, SeriesReader, SeriesWriter};
use kernel::{Labels, Timestamp};
use store_series::{Options, SeriesStore, limits};

#[test]
fn late_rows_and_duplicates_are_counted_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let group = store.group(&[labels("a", 0), labels("b", 0)]).unwrap();
    let append = |t, values: &[f64]| store.append(&[row(group, t, values)]).unwrap();
    let taken = |samples, out_of_order, duplicates| Appended { samples, out_of_order, duplicates };
    assert_eq!(append(START, &[1.0, 2.0]), taken(2, 0, 0));
    assert_eq!(append(START, &[1.0, 2.0]), taken(0, 0, 2), "the same once more");
    assert_eq!(append(START, &[1.0, 3.0]), taken(0, 2, 0), "another value at the same time");
    assert_eq!(append(START - 1, &[1.0, 2.0]), taken(0, 2, 0));
    for i in 1..=limits::SPAN_ROWS as i64 {
        append(START + i, &[1.0, i as f64]);
    }
    assert_eq!(append(START + 5, &[1.0, 5.0]), taken(0, 0, 2), "also when its span is sealed");
    let twice = [row(group, START + 900, &[1.0, 1.0]), row(group, START + 900, &[1.0, 1.0])];
    assert_eq!(store.append(&twice).unwrap(), taken(2, 0, 2), "also within one call");
    let stats = store.stats();
    assert_eq!((stats.samples, stats.out_of_order, stats.duplicates), (2 * 130, 4, 6));
    store.cut().unwrap();
    drop(store);
    let store = open(folder.path());
    let late = store.append(&[row(group, START, &[9.0, 9.0])]).unwrap();
    assert_eq!(late, taken(0, 2, 0), "what blocks hold is remembered");
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
        store.append(&[row(group, START + i * 1_000, &[v])]).unwrap();
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
        store.append(&[Row { group, t_ms: START + i * 1_000, values }]).unwrap();
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
        store.append(&[row(group, START + s as i64 * 1_000, &[1.0, 0.0])]).unwrap();
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
    let kept = Options { retention: Duration::from_secs(3 * 86_400), ..options() };
    let (store, _) = SeriesStore::open(folder.path(), kept).unwrap();
    let group = store.group(&[labels("up", 0), labels("n", 0)]).unwrap();
    let minutes = 5 * 24 * 60i64;
    let mut most = 0;
    for from in (0..minutes).step_by(20) {
        let at = |m: i64| START + m * 60_000;
        let rows: Vec<Row> = (from..from + 20).step_by(5).map(|m| row(group, at(m), &[1.0, m as f64])).collect();
        store.append(&rows).unwrap();
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
    assert!(refused(&[long]).starts_with("length of a label is over the limit of 2048"));
    assert!(refused(&[labels("a", 0), labels("a", 0)]).contains("stands twice in one group"));
    assert!(refused(&[Labels::default()]).contains("without any label"));
    assert_eq!(store.stats().refused, 2);
    let wrong = |row: Row| store.append(&[row]).unwrap_err().to_string();
    assert!(wrong(row(kernel::series::GroupId(99), START, &[])).contains("there is no group 99"));
    let group = store.group(&[labels("a", 0), labels("a", 1)]).unwrap();
    assert!(wrong(row(group, START, &[1.0])).contains("has 1 values for 2 series"));
    assert!(wrong(row(group, i64::MAX - 1, &[1.0, 1.0])).contains("not in milliseconds"));
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
                    assert_eq!(store.append(&[row(group, START + i, &[i as f64])]).unwrap().samples, 1);
                    let select = Select { matchers: vec![Matcher::equal("service", &format!("s{c}"))], ..all() };
                    assert_eq!(store.select(&select).unwrap()[0].values.len() as i64, i + 1, "what is taken is seen");
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|c| c.join().unwrap());
    let stats = store.stats();
    assert_eq!(stats.samples, 320);
    assert!(stats.commits <= 60, "{} commits for 320 calls", stats.commits);
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
        store.append(&[row(group, START + n * 1_000, &values)])
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
