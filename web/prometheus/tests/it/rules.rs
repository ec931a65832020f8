//! Rules and alerts: shapes, filters, pages.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Labels, Timestamp};
use web_prometheus::views::{ActiveAlert, AlertState, Alerting, Rule, RuleGroup, RuleHealth};

use crate::server::{Served, Site};

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn group(name: &str, rules: Vec<Rule>) -> RuleGroup {
    let (file, interval) = ("rules.yml".to_owned(), Duration::from_secs(60));
    RuleGroup { name: name.to_owned(), file, interval, rules, ..RuleGroup::default() }
}

fn site() -> Site {
    let alert = ActiveAlert {
        labels: Labels::new([("alertname", "Down"), ("severity", "page")]),
        annotations: texts(&[("summary", "it is down")]),
        state: AlertState::Firing,
        active_at: Some(Timestamp::from_millis(1_770_121_830_120)),
        keep_firing_since: None,
        value: 1.0,
    };
    let down = Rule {
        name: "Down".into(),
        query: "up == 0".into(),
        labels: texts(&[("severity", "page")]),
        health: RuleHealth::Ok,
        evaluation_time: Duration::from_millis(250),
        last_evaluation: Some(Timestamp::from_secs(1_770_121_830)),
        alerting: Some(Alerting {
            hold: Duration::from_secs(300),
            annotations: texts(&[("summary", "{{ $labels.job }} is down")]),
            alerts: vec![alert],
            ..Alerting::default()
        }),
        ..Rule::default()
    };
    let rate = Rule {
        name: "job:up:sum".into(),
        query: "sum by (job) (up)".into(),
        health: RuleHealth::Failed,
        last_error: Some("too many".into()),
        ..Rule::default()
    };
    Site::new(Served {
        groups: vec![group("a", vec![down, rate.clone()]), group("b", vec![rate])],
        ..Served::default()
    })
}

const DOWN: &str = concat!(
    r#"{"state":"firing","name":"Down","query":"up == 0","duration":300,"keepFiringFor":0,"labels":{"severity":"page"},"#,
    r#""annotations":{"summary":"{{ $labels.job }} is down"},"alerts":[{"labels":{"alertname":"Down","severity":"page"},"#,
    r#""annotations":{"summary":"it is down"},"state":"firing","activeAt":"2026-02-03T12:30:30.12Z","value":"1e+00"}],"#,
    r#""health":"ok","evaluationTime":0.25,"lastEvaluation":"2026-02-03T12:30:30Z","type":"alerting"}"#,
);
const RATE: &str = concat!(
    r#"{"name":"job:up:sum","query":"sum by (job) (up)","labels":{},"health":"err","lastError":"too many","#,
    r#""evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}"#,
);

fn answer(groups: &[(&str, &[&str])], token: Option<&str>) -> String {
    let group = |(name, rules): &(&str, &[&str])| {
        format!(
            r#"{{"name":"{name}","file":"rules.yml","rules":[{}],"interval":60,"limit":0,"evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z"}}"#,
            rules.join(",")
        )
    };
    let groups: Vec<String> = groups.iter().map(group).collect();
    let token = token.map(|t| format!(r#","groupNextToken":"{t}""#)).unwrap_or_default();
    format!(r#"{{"status":"success","data":{{"groups":[{}]{token}}}}}"#, groups.join(","))
}

#[tokio::test]
async fn all_rules_and_some() {
    let site = site();
    let both: &[(&str, &[&str])] = &[("a", &[DOWN, RATE]), ("b", &[RATE])];
    site.check("/api/v1/rules", 200, &answer(both, None)).await;
    let alerts: &[(&str, &[&str])] = &[("a", &[DOWN])];
    for filter in ["type=alert", "rule_name[]=Down", "match[]={severity=%22page%22}"] {
        site.check(&format!("/api/v1/rules?{filter}"), 200, &answer(alerts, None)).await;
    }
    site.check("/api/v1/rules?type=record&rule_group[]=b", 200, &answer(&[("b", &[RATE])], None)).await;
    site.check("/api/v1/rules?file[]=other.yml", 200, &answer(&[], None)).await;
    let without = site.get("/api/v1/rules?type=alert&exclude_alerts=true").await;
    assert!(without.text().contains(r#""alerts":null"#), "{}", without.text());
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let site = site();
    let first = site.get("/api/v1/rules?group_limit=1").await;
    let found: serde_json::Value = serde_json::from_str(first.text()).unwrap();
    let next = found["data"]["groupNextToken"].as_str().unwrap().to_owned();
    assert_eq!(next.len(), 64);
    let last = answer(&[("b", &[RATE])], None);
    site.check(&format!("/api/v1/rules?group_limit=1&group_next_token={next}"), 200, &last).await;
    let error = |why: &str| format!(r#"{{"status":"error","errorType":"bad_data","error":{why:?}}}"#);
    let check = async |query: &str, why: &str| site.check(&format!("/api/v1/rules?{query}"), 400, &error(why)).await;
    check(
        "group_next_token=x",
        "invalid parameter \"group_next_token\": group_limit needs to be present in order to paginate over the groups",
    )
    .await;
    check("group_limit=0", "invalid parameter \"group_limit\": group_limit needs to be greater than 0").await;
    check(
        "group_limit=1&group_next_token=x",
        "invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule groups changed?",
    )
    .await;
    check("type=x", "invalid parameter \"type\": not supported value \"x\"").await;
    check(
        "exclude_alerts=x",
        "invalid parameter \"exclude_alerts\": error converting exclude_alerts: strconv.ParseBool: parsing \"x\": invalid syntax",
    )
    .await;
}

#[tokio::test]
async fn alerts_and_where_they_go() {
    let site = site();
    let expect = concat!(
        r#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"Down","severity":"page"},"#,
        r#""annotations":{"summary":"it is down"},"state":"firing","activeAt":"2026-02-03T12:30:30.12Z","value":"1e+00"}]}}"#,
    );
    site.check("/api/v1/alerts", 200, expect).await;
    let expect = r#"{"status":"success","data":{"activeAlertmanagers":[],"droppedAlertmanagers":[]}}"#;
    site.check("/api/v1/alertmanagers", 200, expect).await;
}
