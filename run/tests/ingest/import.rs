//! What other programs kept: blocks of a real Prometheus compared by their answers, files with mistakes.

use std::path::Path;
use std::sync::Arc;

use kernel::Clock as _;
use run::import::openmetrics::Files;
use run::import::prometheus::Blocks;
use run::import::remote::Remote;
use run::import::store::Folder;
use run::import::{Report, Source, load};
use run::metrics::{Metrics, MetricsConfig};
use run::{SystemClock, import};

use crate::prometheus::{Prometheus, answers, answers_of_folder, questions, same};

/// Imports a source into a data folder that no Farero uses.
fn into_folder(source: &mut dyn Source, data: &Path) -> Report {
    let survey = source.survey(&mut |_| {}).unwrap();
    assert_eq!(survey.mistakes, import::Mistakes::default());
    let mut target = Folder::open(data, survey.range_ms, SystemClock.now()).unwrap();
    load(source, survey, &mut target, &mut |_| {}).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_a_real_prometheus_answer_as_it_does() {
    let prometheus = Prometheus::start().await;
    prometheus.fill().await;
    let snapshot = prometheus.snapshot().await;
    let mut blocks = Blocks::open(std::slice::from_ref(&snapshot), Vec::new()).unwrap();
    assert!(blocks.notes.is_empty(), "a snapshot has no log: {:?}", blocks.notes);
    let survey = blocks.survey(&mut |_| {}).unwrap();
    let (from_ms, to_ms) = survey.range_ms.unwrap();
    let questions = questions(from_ms as f64 / 1e3, to_ms as f64 / 1e3);
    let wanted = answers(&prometheus.base(), &questions).await;
    assert!(wanted[0]["result"].as_array().unwrap().len() > 30, "{}", wanted[0]["result"].as_array().unwrap().len());
    assert!(wanted[0].to_string().contains("\"histograms\""), "native histograms are among them");

    // Into a folder.
    let folder = tempfile::tempdir().unwrap();
    let (data, of_blocks) = (folder.path().join("data"), snapshot.clone());
    let (report, again) = tokio::task::spawn_blocking(move || {
        let open = || Blocks::open(std::slice::from_ref(&of_blocks), Vec::new()).unwrap();
        (into_folder(&mut open(), &data), into_folder(&mut open(), &data))
    })
    .await
    .unwrap();
    assert!(report.samples > 10_000, "{report:?}");
    assert_eq!((report.written, report.refused, report.conflicts), (report.samples, 0, 0), "{report:?}");
    assert_eq!((again.known, again.written, again.conflicts), (report.samples, 0, 0), "{again:?}");
    same(&questions, &wanted, &answers_of_folder(&folder.path().join("data"), &questions).await);

    // Over remote-write, into an engine that runs.
    let config = MetricsConfig::new("127.0.0.1:0".parse().unwrap(), folder.path().join("remote"));
    let engine = Metrics::start(config, Arc::new(SystemClock)).await.unwrap();
    let (base, runtime) = (format!("http://{}", engine.address()), tokio::runtime::Handle::current());
    let url = base.clone();
    let report = tokio::task::spawn_blocking(move || {
        let mut blocks = Blocks::open(&[snapshot], Vec::new()).unwrap();
        let survey = blocks.survey(&mut |_| {}).unwrap();
        load(&mut blocks, survey, &mut Remote::new(&url, None, runtime), &mut |_| {}).unwrap()
    })
    .await
    .unwrap();
    assert_eq!((report.written, report.refused), (report.samples, 0), "{report:?}");
    same(&questions, &wanted, &answers(&base, &questions).await);
    engine.stop().await;
}

#[test]
fn files_with_mistakes_are_refused_whole_and_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let survey = |body: &[u8]| {
        let path = folder.path().join("a.txt");
        std::fs::write(&path, body).unwrap();
        let survey = Files::open(&[path], Vec::new()).unwrap().survey(&mut |_| {}).unwrap();
        survey.mistakes.texts.join("\n")
    };
    for (body, part) in [
        (&b""[..], "does not end with # EOF"),
        (b"a 1 1\n", "does not end with # EOF"),
        (b"a 1\n# EOF\n", ":1: a has no time"),
        (b"a{b=\"c} 1 1\n# EOF\n", ":1:"),
        (b"a{b=\"\xff\"} 1 1\n# EOF\n", ":1:"),
        (b"a 1 1\n# EOF\nb 1 1\n", ":3:"),
        (b"a one 1\n# EOF\n", ":1:"),
        (b"a 1 1e40\n# EOF\n", ":1: a has a time beyond the year 9999"),
        (b"a 1 1795000000000\n# EOF\n", ":1: a has a time beyond the year 9999"),
        (b"a 1 NaN\n# EOF\n", ":1:"),
        (b"a{b=\"1\",b=\"2\"} 1 1\n# EOF\n", ":1:"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", ":1:"),
    ] {
        let told = survey(body);
        assert!(told.contains(part), "{}: {told}", String::from_utf8_lossy(body));
    }
    assert_eq!(survey(b"# EOF\n"), "", "nothing is no mistake");
    let error = Files::open(&[folder.path().join("none.txt")], Vec::new()).map(drop).unwrap_err();
    assert!(format!("{error:#}").contains("none.txt"), "{error:#}");
}

#[test]
fn two_values_at_one_time_are_a_conflict_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "a 1 100\na 2 100\na 3 200\n# EOF\n").unwrap();
    let report = into_folder(&mut Files::open(&[path], Vec::new()).unwrap(), &folder.path().join("data"));
    assert_eq!((report.samples, report.written, report.refused + report.conflicts), (3, 2, 1), "{report:?}");
    assert!(report.refused == 0 || report.mistakes.texts.iter().any(|t| t.contains('a')), "{report:?}");
}
