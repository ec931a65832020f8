//! Rule groups over the real series store, and their alerts at Debian's Alertmanager. I/O: files, a process, HTTP on loopback.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use kernel::Timestamp;
use kernel::series::{Batch, Cell, Histogram, Matcher, Point, Select, is_stale};
use store_series::{Options, SeriesStore};
use web_prometheus::views::{AlertState, RuleHealth};

use super::*;
use crate::SystemClock;
use crate::metrics::notify::{Alertmanager, Dressing};

/// Whatever a test waits for must come within this time; the machine may do much else.
const PATIENCE: StdDuration = StdDuration::from_secs(60);

/// A store with one target, and rules over it.
struct World {
    folder: tempfile::TempDir,
    store: Arc<SeriesStore>,
    notifier: Arc<Notifier>,
    manager: RuleManager,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = SeriesStore::open(&folder.path().join("series"), Options::default()).unwrap();
        let (store, notifier) = (Arc::new(store), Arc::<Notifier>::default());
        let manager = Self::manager(&store, &notifier);
        Self { folder, store, notifier, manager }
    }

    fn manager(store: &Arc<SeriesStore>, notifier: &Arc<Notifier>) -> RuleManager {
        RuleManager::new(store.clone(), store.clone(), Arc::new(SystemClock), notifier.clone())
    }

    fn put(&self, name: &str, value: f64) {
        let group = self.store.open_group("test").unwrap();
        let column = self.store.columns(group, &[Labels::metric(name, [("job", "a")])]).unwrap()[0];
        let mut batch = Batch::default();
        batch.push(group, SystemClock.now().as_millis(), column, value);
        assert_eq!(self.store.append(&batch).unwrap().samples, 1);
    }

    async fn load(&self, rules: &str) -> Result<(), Vec<String>> {
        std::fs::write(self.folder.path().join("a.rules.yml"), rules).unwrap();
        let settings = Settings {
            rule_files: vec!["*.rules.yml".into()],
            folder: self.folder.path().to_owned(),
            resend_delay: StdDuration::from_secs(1),
            ..Settings::default()
        };
        self.manager.load(settings).await
    }

    fn values(&self, name: &str) -> Vec<f64> {
        let now = SystemClock.now();
        let select = Select {
            matchers: vec![Matcher::equal("__name__", name)],
            start_ms: (now - StdDuration::from_secs(600)).as_millis(),
            end_ms: now.as_millis(),
        };
        let series = self.store.select(&select).unwrap();
        series.iter().flat_map(|s| s.values.floats().unwrap().to_vec()).collect()
    }
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        tokio::time::sleep(StdDuration::from_millis(20)).await;
    }
}

fn rules(expr: &str) -> String {
    format!(
        "groups:\n- name: g\n  interval: 200ms\n  rules:\n  - {{record: twice, expr: up * 2}}\n  \
         - {{alert: Down, expr: {expr}, labels: {{severity: page}}, annotations: {{summary: 'is {{{{ $value }}}}'}}}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_groups_record_and_alert_and_go_on_after_a_reload() {
    let world = World::new();
    world.put("up", 0.0);
    world.load(&rules("up == 0")).await.unwrap();
    until("the alert", || world.manager.alerts().iter().any(|a| a.state == AlertState::Firing)).await;
    until("the series of alerts", || world.values("ALERTS").contains(&1.0)).await;
    assert!(world.values("twice").contains(&0.0));
    let shown = &world.manager.groups()[0];
    assert!(shown.view.file.ends_with("/a.rules.yml") && shown.view.interval == StdDuration::from_millis(200));
    assert_eq!(shown.view.rules[0].health, RuleHealth::Ok);
    let since = world.manager.alerts()[0].active_at;

    let wrong = world.load("groups: [{name: g, rules: [{record: x}]}]").await.unwrap_err();
    assert!(wrong[0].ends_with("group \"g\", rule 1, \"x\": field 'expr' must be set in rule"), "{wrong:?}");
    assert_eq!(world.manager.alerts().len(), 1, "the old rules stay");

    world.load(&rules("up < 1").replace("{record: twice, expr: up * 2}", "{record: other, expr: up}")).await.unwrap();
    until("the renamed series", || !world.values("other").is_empty()).await;
    assert_eq!(world.manager.alerts()[0].active_at, since, "the alert goes on");
    until("the end of the old series", || world.values("twice").last().is_some_and(|v| is_stale(*v))).await;

    world.load("groups: []").await.unwrap();
    assert!(world.manager.alerts().is_empty() && world.manager.groups().is_empty());
    until("the end of the group's series", || world.values("ALERTS").last().is_some_and(|v| is_stale(*v))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_recorded_histograms_stay_histograms() {
    let world = World::new();
    let group = world.store.open_group("test").unwrap();
    let column = world.store.columns(group, &[Labels::metric("lat", [("job", "a")])]).unwrap()[0];
    let spans = vec![kernel::series::BucketSpan { offset: 0, length: 2 }];
    let histogram = Histogram {
        count: 3.0,
        sum: 4.0,
        positive_spans: spans,
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let cell = Cell { column, value: Point::Histogram(Arc::new(histogram)), start_ms: 0 };
    let mut batch = Batch::default();
    batch.push_cell(group, SystemClock.now().as_millis(), cell);
    world.store.append(&batch).unwrap();
    world.load("groups:\n- name: g\n  interval: 200ms\n  rules: [{record: all, expr: sum(lat)}]\n").await.unwrap();
    let recorded = || {
        let now = SystemClock.now();
        let matchers = vec![Matcher::equal("__name__", "all")];
        let select = Select { matchers, start_ms: (now - PATIENCE).as_millis(), end_ms: now.as_millis() };
        world.store.select(&select).unwrap().first().and_then(|s| s.values.get(0))
    };
    until("the recorded histogram", || recorded().is_some()).await;
    let Some(Point::Histogram(all)) = recorded() else { panic!("{:?}", recorded()) };
    assert_eq!((all.count, all.sum, &all.positive_buckets[..]), (3.0, 4.0, &[1.0, 2.0][..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn alr_03_for_is_restored_after_a_restart() {
    let world = World::new();
    world.put("up", 0.0);
    let text = "groups:\n- name: g\n  interval: 200ms\n  rules:\n  - {alert: Down, expr: up == 0, for: 1h}\n";
    world.load(text).await.unwrap();
    // Before `for` is restored nothing is written of an alert: that is after the second evaluation.
    until("some of the series", || world.values("ALERTS_FOR_STATE").len() > 4).await;
    let since = world.values("ALERTS_FOR_STATE")[0];
    world.manager.stop().await;
    tokio::time::sleep(StdDuration::from_millis(2_500)).await;
    let again = World::manager(&world.store, &world.notifier);
    let world = World { manager: again, ..world };
    world.put("up", 0.0);
    world.load(text).await.unwrap();
    let samples = world.values("ALERTS_FOR_STATE").len();
    until("more of the series", || world.values("ALERTS_FOR_STATE").len() > samples).await;
    let active_at = world.manager.alerts()[0].active_at.unwrap().as_secs_f64();
    let now = SystemClock.now().as_secs_f64();
    assert!(active_at > since && active_at < now - 0.3, "{since} {active_at} {now}: the time between does not count");
}

/// An Alertmanager that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn alertmanager(folder: &Path, port: u16) -> Process {
    let config = folder.join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let child = Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Process(child.expect("Debian's prometheus-alertmanager is needed: apt-get install prometheus-alertmanager"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The Alertmanager's alerts with their labels and when they end.
async fn told(port: u16) -> Vec<(Labels, Timestamp)> {
    let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let Ok(answer) = act::http_client().unwrap().get(url).send().await else { return Vec::new() };
    let all: serde_json::Value = answer.json().await.unwrap_or_default();
    let one = |a: &serde_json::Value| {
        let labels = serde_json::from_value(a["labels"].clone()).ok()?;
        Some((labels, Timestamp::parse(a["endsAt"].as_str()?).ok()?))
    };
    all.as_array().into_iter().flatten().filter_map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alr_23_alerts_reach_an_alertmanager_and_end_there() {
    let world = World::new();
    let port = free_port();
    let _process = alertmanager(world.folder.path(), port);
    let url = act::alertmanager::address("http", &format!("127.0.0.1:{port}"), "").unwrap();
    let client = act::http_client().unwrap().clone();
    let timeout = StdDuration::from_secs(10);
    world.notifier.set_managers(vec![Alertmanager { url, timeout, client, relabel: None }]);
    let external_labels = Labels::new([("site", "lima")]);
    world.notifier.dress(Dressing { external_labels, external_url: "http://x.example".into(), relabel: None });
    let sending = tokio::spawn(world.notifier.clone().run());
    world.put("up", 0.0);
    world.load(&rules("up == 0")).await.unwrap();
    let began = Instant::now();
    let expect = Labels::new([("alertname", "Down"), ("job", "a"), ("severity", "page"), ("site", "lima")]);
    let firing = loop {
        if let Some((labels, until)) = told(port).await.into_iter().next() {
            assert_eq!(labels, expect);
            break until;
        }
        assert!(began.elapsed() < PATIENCE, "the alert did not reach the Alertmanager");
        tokio::time::sleep(StdDuration::from_millis(50)).await;
    };
    assert!(firing > SystemClock.now(), "it goes on for now");
    let (_, sent) = world.notifier.managers()[0].clone();
    assert!(sent.alerts.get() > 0);
    world.put("up", 1.0);
    // What is over is no longer listed.
    loop {
        if told(port).await.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE * 2, "the end did not reach the Alertmanager");
        tokio::time::sleep(StdDuration::from_millis(50)).await;
    }
    sending.abort();
}

#[test]
fn a_rule_that_gave_nothing_for_long_is_recorded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SeriesStore::open(folder.path(), Options::default()).unwrap();
    let hour = 3_600_000;
    let series = |name: &str| vec![Labels::metric(name, [("a", "b")])];
    let mut recorder = write::Recorder::default();
    recorder.end("rules/seldom", series("seldom"), hour, &store).unwrap();
    // Another one goes on for hours: what is idle meanwhile goes into a block, and its group is forgotten.
    write::Recorder::default().end("rules/often", series("often"), 4 * hour, &store).unwrap();
    store.maintain(Timestamp::from_millis(4 * hour)).unwrap();
    assert_eq!(store.stats().groups, 1, "the other one's");
    for name in ["new", "seldom"] {
        recorder.end("rules/seldom", series(name), 4 * hour + 1, &store).unwrap();
        assert_eq!(
            store
                .select(&Select {
                    matchers: vec![Matcher::equal("__name__", name)],
                    start_ms: 4 * hour,
                    end_ms: 5 * hour
                })
                .unwrap()
                .len(),
            1
        );
    }
}
