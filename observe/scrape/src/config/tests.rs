//! Configurations as people write them, right and wrong.

use super::*;
use std::path::Path;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse("prometheus.yml", text, Path::new("/etc/prometheus"))
        .map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// A job with these keys.
fn job(keys: &str) -> String {
    let keys: String = keys.lines().map(|l| format!("    {}\n", l)).collect();
    format!("scrape_configs:\n  - job_name: j\n{keys}")
}

#[test]
fn an_empty_file_is_a_configuration() {
    let config = parse("").unwrap();
    assert_eq!(config.global.scrape_interval, Duration::from_secs(60));
    assert_eq!((config.jobs.len(), config.storage.max_exemplars), (0, 100_000));
    assert_eq!(parse("global:\n").unwrap(), config);
}

#[test]
fn a_job_takes_from_global_what_it_does_not_say() {
    let config = parse(
        "global:
  scrape_interval: 30s
  scrape_timeout: 5s
  evaluation_interval: 20s
  sample_limit: 100
  body_size_limit: 1MB
  keep_dropped_targets: 7
  external_labels: {site: quito, cost: $$5}
  scrape_protocols: [OpenMetricsText1.0.0, PrometheusText0.0.4]
rule_files: ['rules/*.yml', /abs/one.yml]
storage:
  tsdb: {out_of_order_time_window: 30m, retention: {time: 15d, size: 10GB}}
  exemplars: {max_exemplars: 5}
scrape_configs:
  - job_name: a
    static_configs:
      - targets: ['h1:9100', 'h2:9100']
        labels: {env: prod}
  - job_name: b
    scrape_interval: 3s
    sample_limit: 9
    honor_labels: yes
    params: {'match[]': ['{job=\"x\"}', up]}
    fallback_scrape_protocol: PrometheusText0.0.4
    tls_config: {ca_file: ca.pem}
    scrape_native_histograms: true
",
    )
    .unwrap();
    let [a, b] = config.jobs.as_slice() else { panic!("two jobs") };
    assert_eq!((a.interval, a.timeout), (Duration::from_secs(30), Duration::from_secs(5)));
    assert_eq!((b.interval, b.timeout), (Duration::from_secs(3), Duration::from_secs(3)));
    assert_eq!((a.limits.samples, b.limits.samples, b.limits.body_bytes), (100, 9, 1 << 20));
    assert!(b.honor_labels && !a.honor_labels && a.honor_timestamps && a.http.follow_redirects);
    assert_eq!(b.params, [("match[]".to_owned(), vec!["{job=\"x\"}".to_owned(), "up".to_owned()])]);
    assert_eq!(b.http.tls.ca_file, Some("/etc/prometheus/ca.pem".into()));
    assert_eq!(b.protocols.len(), 2, "what global says goes before what native histograms would want");
    assert_eq!(config.rule_files, [PathBuf::from("/etc/prometheus/rules/*.yml"), "/abs/one.yml".into()]);
    assert_eq!(config.global.external_labels, Labels::new([("site", "quito"), ("cost", "$5")]));
    assert_eq!(config.storage.out_of_order_window, Duration::from_secs(1800));
    assert_eq!((config.storage.max_exemplars, config.storage.retention_bytes), (5, Some(10 << 30)));
    let Discovery::Static(groups) = &a.discovery[0] else { panic!("static") };
    assert_eq!(groups[0].targets[1], Labels::new([("__address__", "h2:9100")]));
    assert_eq!(groups[0].labels, Labels::new([("env", "prod")]));
}

#[test]
fn discovery_and_credentials() {
    let config = parse(&job("
basic_auth: {username: u, password_file: pw}
http_headers: {X-Tenant: {values: [a], secrets: [b]}}
proxy_url: http://proxy:3128
no_proxy: localhost, .internal
file_sd_configs: [{files: [targets/*.json], refresh_interval: 1m}]
http_sd_configs: [{url: 'https://sd.example/list', authorization: {credentials: t}}]
dns_sd_configs: [{names: [_a._tcp.example], type: srv}, {names: [b.example], type: A, port: 9100}]
docker_sd_configs: [{host: 'unix:///var/run/docker.sock', filters: [{name: label, values: [x=y]}]}]
kubernetes_sd_configs: [{role: pod, namespaces: {own_namespace: true, names: [a]}, selectors: [{role: pod, label: x=y}]}]
relabel_configs:
  - {source_labels: [__meta_x], regex: a, action: keep}
  - {target_label: job, replacement: ''}"))
    .unwrap();
    let job = &config.jobs[0];
    assert_eq!(job.discovery.len(), 6);
    assert_eq!(job.relabel.len(), 2);
    assert_eq!(job.http.basic_auth.as_ref().unwrap().password, Some(SecretValue::File("/etc/prometheus/pw".into())));
    assert_eq!(job.http.proxy.except, ["localhost", ".internal"]);
    assert!(!format!("{:?}", job.http).contains("Inline(Secret"), "secrets are never shown");
    let Discovery::Kubernetes(k) = &job.discovery[5] else { panic!("kubernetes") };
    assert_eq!((k.role, k.own_namespace, k.selectors.len()), (KubernetesRole::Pod, true, 1));
    assert!(config.notes.is_empty());
}

#[test]
fn anchors_merge_keys_and_quotes() {
    let config = parse("x: &d\n");
    assert!(config.unwrap_err().contains("line 1, column 1: field x not found in type config.Config"));
    let config =
        parse("scrape_configs:\n  - &a\n    job_name: a\n    scrape_interval: 7s\n  - <<: *a\n    job_name: b\n")
            .unwrap();
    assert_eq!(config.jobs[1].interval, Duration::from_secs(7));
    assert_eq!(config.jobs[1].name, "b");
}

#[test]
fn what_is_not_done_is_noted() {
    let config = parse(
        "global: {query_log_file: q.log}
remote_write: [{url: 'http://x/write', queue_config: {max_shards: 3}}]
remote_read: [{url: 'http://x/read', read_recent: true}]
tracing: {endpoint: 'x:4317'}
scrape_configs:
  - job_name: a
    ec2_sd_configs: [{region: x}]
alerting:
  alertmanagers: [{static_configs: [{targets: [am:9093]}], timeout: 3s}]
",
    )
    .unwrap();
    let notes: Vec<String> = config.notes.iter().map(ToString::to_string).collect();
    for part in [
        "line 1, column 10: queries are not logged",
        "line 2, column 16: remote_write to http://x/write is kept, but not used",
        "remote_read to http://x/read",
        "tracing has no effect",
        "line 7, column 5: ec2_sd_configs is not supported",
    ] {
        assert!(notes.iter().any(|n| n.contains(part)), "{part} in {notes:#?}");
    }
    assert_eq!(config.alerting.alertmanagers[0].timeout, Duration::from_secs(3));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let check = |text: &str, part: &str| {
        let error = parse(text).expect_err(text);
        assert!(error.contains(part), "{text}\n---\n{error}");
    };
    check(
        "scrape_configs:\n  - job_name: a\n    scrap_interval: 5s\n",
        "line 3, column 5: field scrap_interval not found in type config.ScrapeConfig",
    );
    check("global:\n  scrape_interval: 5\n", "line 2, column 20: not a valid duration string: \"5\"");
    check("global: {scrape_interval: 5s, scrape_timeout: 6s}\n", "global scrape timeout greater than scrape interval");
    check(
        &job("scrape_timeout: 2m"),
        "scrape timeout greater than scrape interval for scrape config with job name \"j\"",
    );
    check("scrape_configs:\n  - scheme: http\n", "job_name is empty");
    check(
        "scrape_configs:\n  - job_name: a\n  - job_name: a\n",
        "line 3, column 5: found multiple scrape configs with job name \"a\"",
    );
    check("scrape_configs:\n  -\n", "empty or null scrape config section");
    check("a: 1\na: 2\n", "line 2, column 1: key \"a\" already set in map");
    check("a: [\n", "this is not YAML");
    check(&job("relabel_configs: [{action: nope}]"), "unknown relabel action \"nope\"");
    check(&job("relabel_configs: [{regex: '(', target_label: a}]"), "error parsing regexp");
    check(&job("relabel_configs: [{action: hashmod, target_label: a}]"), "non-zero modulus");
    check(&job("static_configs: [{targets: ['http://x/metrics']}]"), "\"http://x/metrics\" is not a valid hostname");
    check(&job("static_configs: [{target: [x]}]"), "field target not found");
    check(&job("basic_auth: {username: a}\nbearer_token: x"), "at most one of basic_auth, oauth2, authorization");
    check(&job("authorization: {type: Basic}"), "use \"basic_auth\" instead");
    check(&job("oauth2: {client_id: a}"), "oauth2 token_url must be configured");
    check(&job("tls_config: {cert_file: x}"), "must be configured when a client cert is");
    check(&job("scrape_protocols: [Foo]"), "unknown scrape protocol Foo, supported: [OpenMetricsText0.0.1 ");
    check(&job("scrape_protocols: [PrometheusProto, PrometheusProto]"), "duplicated protocol");
    check(
        &job("metric_name_validation_scheme: legacy\nmetric_name_escaping_scheme: allow-utf-8"),
        "utf8 metric names requested",
    );
    check(&job("dns_sd_configs: [{names: [a], type: A}]"), "a port is required in DNS-SD configs");
    check(&job("file_sd_configs: [{files: [a.txt]}]"), "path name \"a.txt\" is not valid for file discovery");
    check(&job("kubernetes_sd_configs: [{role: cow}]"), "unknown Kubernetes SD role \"cow\"");
    check(&job("honor_labels: maybe"), "cannot unmarshal `maybe` of honor_labels into bool");
    check(&job("sample_limit: -1"), "into uint");
    check("rule_files: ['a/*/b.yml']\n", "invalid rule file path");
    check("remote_write: [{url: x, nope: 1}]\n", "field nope not found in type config.RemoteWriteConfig");
    let all = parse("global: {x: 1}\nalerting: {y: 1}\nscrape_configs: [{job_name: a, z: 1}]\n").unwrap_err();
    assert_eq!(all.lines().count(), 3, "all errors are said: {all}");
}

#[test]
fn further_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write(
        "main.yml",
        "global: {scrape_interval: 9s}\nscrape_config_files: ['more-*.yml']\nscrape_configs: [{job_name: a}]\n",
    );
    write("more-1.yml", "scrape_configs: [{job_name: b, tls_config: {ca_file: x}}]\n");
    write("more-2.yml", "");
    let config = Config::load(&dir.path().join("main.yml")).unwrap();
    assert_eq!(config.jobs.iter().map(|j| j.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.jobs[1].interval, Duration::from_secs(9));
    assert_eq!(config.jobs[1].http.tls.ca_file, Some(dir.path().join("x")));
    write("more-2.yml", "scrape_configs: [{job_name: a}]\nx: 1\n");
    let errors = Config::load(&dir.path().join("main.yml")).unwrap_err();
    assert!(errors[0].message.contains("first found in main config file"), "{errors:?}");
    assert_eq!(errors.len(), 2);
}

#[test]
fn aliases_do_not_explode() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..9 {
        text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(","));
    }
    assert!(parse(&text).unwrap_err().contains("aliases make this file too large"));
    assert!(parse(&"[".repeat(200)).is_err());
}

/// Keys of a job, right and wrong.
const JOBS: &[&str] = &[
    "honor_labels: true\nscrape_interval: 1h30m",
    "scrape_interval: 1.5h",
    "scrape_interval: 30m1h",
    "scrape_timeout: 90s",
    "metrics_path: /x\nparams: {a: [b, c]}",
    "params: {a: b}",
    "scheme: https\ntls_config: {insecure_skip_verify: true, server_name: x, min_version: TLS13}",
    "tls_config: {min_version: SSL3}",
    "basic_auth: {username: a, password: b}",
    "basic_auth: {username: a, password: b, password_file: c}",
    "authorization: {credentials: x}\nbearer_token: y",
    "oauth2: {client_id: a, client_secret: b, token_url: 'http://t'}",
    "oauth2: {token_url: 'http://t'}",
    "static_configs: [{targets: ['a:1', b], labels: {x: y}}]",
    "static_configs: [{targets: ['a/b']}]",
    "static_configs: [{targets: ['a/b']}]\nrelabel_configs: [{target_label: __address__, replacement: x}]",
    "static_configs: [{targets: a}]",
    "file_sd_configs: [{files: ['x/*.yml', y.json]}]",
    "file_sd_configs: [{files: ['x*/a.yml']}]",
    "file_sd_configs: [{}]",
    "http_sd_configs: [{url: 'http://x/y'}]",
    "http_sd_configs: [{url: 'ftp://x/y'}]",
    "dns_sd_configs: [{names: [a], type: AAAA, port: 1}]",
    "dns_sd_configs: [{names: [a], type: PTR}]",
    "docker_sd_configs: [{host: 'unix:///x'}]",
    "docker_sd_configs: [{}]",
    "relabel_configs: [{source_labels: [a, b], regex: '(.*);x', target_label: c, replacement: '${1}-x'}]",
    "relabel_configs: [{action: KEEP, source_labels: [a], regex: '[a'}]",
    "relabel_configs: [{action: labeldrop, regex: a, source_labels: [b]}]",
    "relabel_configs: [{action: lowercase, source_labels: [a], target_label: b, replacement: c}]",
    "relabel_configs: [{action: hashmod, source_labels: [a], target_label: b, modulus: 4}]",
    "relabel_configs: [null]",
    "metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: 5}]",
    "sample_limit: 10\nlabel_limit: 5\nbody_size_limit: 10MB",
    "sample_limit: ten",
    "body_size_limit: 10XB",
    "honor_labels: 1",
    "nope: 1",
    "job_name: again",
];

/// The same verdict as Debian's promtool, whose version knows fewer keys, and was built without Kubernetes.
#[test]
fn promtool_agrees() {
    let Ok(version) = std::process::Command::new("promtool").arg("--version").output() else {
        crate::serve::skipped("promtool is not installed");
        return;
    };
    assert!(version.status.success());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prometheus.yml");
    let mut all: Vec<String> = JOBS.iter().map(|keys| job(keys)).collect();
    all.extend(
        [
            "",
            "global: {scrape_interval: 5s, external_labels: {a: b}}",
            "global: {external_labels: {a: [b]}}",
            "global: {evaluation_interval: 0s, nope: 1}",
            "rule_files: [a.yml]\nglobal: [1]",
            "alerting: {alertmanagers: [{static_configs: [{targets: [x]}], api_version: v2}], alert_relabel_configs: [{action: drop, source_labels: [a]}]}",
            "alerting: {alertmanagers: [{api_version: v7}]}",
            "remote_write: [{url: 'http://x', name: a}]\nremote_read: [{url: 'http://x'}]",
            "remote_write: [{}]",
            "storage: {tsdb: {out_of_order_time_window: 10m}, exemplars: {max_exemplars: -1}}",
            "storage: {tsdb: {nope: 1}}",
            "tracing: {endpoint: x, client_type: grpc}",
            "scrape_configs: {a: b}",
            "scrape_configs: [{job_name: a}, {job_name: a}]",
            "a: &x 1\nb: *y",
        ]
        .map(str::to_owned),
    );
    let mut differ = String::new();
    for text in all {
        std::fs::write(&path, &text).unwrap();
        let theirs =
            std::process::Command::new("promtool").args(["check", "config", "--syntax-only"]).arg(&path).output();
        let theirs = theirs.unwrap();
        let ours = parse(&text).err();
        if ours.is_none() != theirs.status.success() {
            differ += &format!("{text}\n-- promtool: {}\n-- ours: {ours:?}\n", String::from_utf8_lossy(&theirs.stderr));
        }
    }
    assert_eq!(differ, "");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in proptest::collection::vec((0..4usize, proptest::sample::select(vec![
        "scrape_configs:", "- job_name: a", "job_name: b", "static_configs:", "- targets: [x]", "global:", "scrape_interval: 5s",
        "relabel_configs:", "- action: drop", "- {source_labels: [a], regex: '('}", "<<: *a", "&a", "- *a", "x: &a {b: c}", "tls_config: {ca: |", "? y",
        "labels: {a: b}", "- ", "'", "params: {a: [b]}", "storage: {exemplars: 3}", "rule_files: [", "]", "# c", "---",
    ])), 0..14)) {
        let text: String = lines.iter().map(|(indent, line)| format!("{}{line}\n", "  ".repeat(*indent))).collect();
        if let Err(errors) = Config::parse("f", &text, Path::new("/")) {
            proptest::prop_assert!(errors.iter().all(|e| e.line >= 1 && e.column >= 1), "{:?}", errors);
        }
    }
}
