//! What is scraped, and how the last time went. I/O: series.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use decide_promql::Value;
use kernel::series::Point;
use kernel::{Labels, Timestamp};
use web_prometheus::views::{Target, TargetHealth, Targets as View};
use web_prometheus::{Api, Asking, When};

use crate::limits::{DROPPED, TARGETS};
use crate::text::{Common, Targets};
use crate::{Body, Site, explore, explore_link};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    state: String,
    pool: String,
    text: String,
}

impl Filter {
    fn read(query: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "state" => filter.state = value.into_owned(),
                "pool" => filter.pool = value.into_owned(),
                "text" => filter.text = value.trim().to_owned(),
                _ => {}
            }
        }
        filter
    }

    fn passes(&self, target: &Target) -> bool {
        let is_state = self.state.is_empty() || self.state == word(target.health);
        let is_pool = self.pool.is_empty() || self.pool == target.scrape_pool;
        let wanted = self.text.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let labels = || target.labels.iter().chain(target.discovered_labels.iter());
        is_state
            && is_pool
            && (wanted.is_empty()
                || has(&target.scrape_url)
                || has(&target.last_error)
                || labels().any(|(n, v)| has(v) || has(n)))
    }
}

const fn word(health: TargetHealth) -> &'static str {
    match health {
        TargetHealth::Up => "up",
        TargetHealth::Down => "down",
        TargetHealth::Unknown => "unknown",
    }
}

/// A target as it is shown; texts are text, the rest safe HTML.
struct Row {
    url: String,
    state: &'static str,
    state_word: &'static str,
    labels: String,
    discovered: Option<String>,
    last: Option<String>,
    took: String,
    samples: Option<String>,
    every: String,
    error: String,
    link: String,
}

/// The targets of a job.
struct Pool {
    name: String,
    up: usize,
    all: usize,
    rows: Vec<Row>,
    dropped: u64,
    dropped_shown: Vec<String>,
}

#[derive(Template)]
#[template(path = "targets.html")]
struct Page {
    c: &'static Common,
    t: &'static Targets,
    pools: Vec<Pool>,
    names: Vec<(String, bool)>,
    states: [(&'static str, &'static str, bool); 4],
    text: String,
    any: bool,
    from_series: bool,
    cut: Option<(String, String)>,
    error: Option<String>,
    icons: String,
}

/// `GET /targets`
pub async fn page(site: &Site, api: &Api, query: &str) -> Body {
    let (c, t) = (&site.text().common, &site.text().targets);
    let filter = Filter::read(query);
    let mut found = api.targets();
    let at = site.now.as_millis();
    let asked = api.work(move |asking| Ok((numbers(asking, "scrape_samples_scraped", at), scraped(asking, at)))).await;
    let (samples, scraped, error) = match asked {
        Ok((samples, scraped)) => (samples, scraped, None),
        Err(error) => (HashMap::new(), Vec::new(), Some(site.said(error.message()).into_owned())),
    };
    // Where nobody tells what is scraped, the series that scrapes leave behind do.
    let from_series = found.active.is_empty() && found.dropped.is_empty() && !scraped.is_empty();
    if from_series {
        found.active = scraped;
    }
    let any = !found.active.is_empty() || !found.dropped.is_empty();
    let mut names: Vec<String> = found.active.iter().map(|a| a.scrape_pool.clone()).collect();
    names.extend(found.dropped.iter().map(|d| d.scrape_pool.clone()));
    names.sort_unstable();
    names.dedup();
    let state = |name, label| (name, label, filter.state == name);
    let matching = found.active.iter().filter(|a| filter.passes(a)).count();
    let pools = pools(site, &found, &filter, &samples);
    let page = Page {
        c,
        t,
        pools,
        names: names.into_iter().map(|n| (n.clone(), n == filter.pool)).collect(),
        states: [state("", c.all), state("up", t.up), state("down", t.down), state("unknown", t.unknown)],
        any,
        from_series,
        cut: (matching > TARGETS).then(|| (site.count(TARGETS as u64), site.count(matching as u64))),
        error,
        icons: (site.asset)("icons.svg"),
        text: filter.text,
    };
    site.body(c.targets, &page)
}

/// The newest value of a metric for each target, by the target's own labels.
fn numbers(asking: &Asking, metric: &str, at_ms: i64) -> HashMap<Labels, f64> {
    let Ok(expr) = decide_promql::parse(metric) else { return HashMap::new() };
    // What cannot be read is not shown; the page's own reading says why.
    let Ok(found) = asking.evaluate(&expr, When::At(at_ms)) else { return HashMap::new() };
    let Value::Vector(all) = found.value else { return HashMap::new() };
    let plain = |labels: &Labels| labels.without(|n| n == kernel::labels::METRIC_NAME);
    all.into_iter().filter_map(|s| Some((plain(&s.labels), s.float()?))).collect()
}

/// Targets as their series tell of them.
fn scraped(asking: &Asking, at_ms: i64) -> Vec<Target> {
    let up = numbers(asking, "up", at_ms);
    if up.is_empty() {
        return Vec::new();
    }
    let seen = times(asking, at_ms);
    let took = numbers(asking, "scrape_duration_seconds", at_ms);
    let mut all: Vec<Target> = up
        .into_iter()
        .map(|(labels, value)| {
            let get = |name: &str| labels.get(name).unwrap_or_default().to_owned();
            Target {
                scrape_pool: get("job"),
                scrape_url: get("instance"),
                health: if value == 1.0 { TargetHealth::Up } else { TargetHealth::Down },
                last_scrape: seen.get(&labels).copied(),
                last_scrape_duration: took
                    .get(&labels)
                    .and_then(|s| std::time::Duration::try_from_secs_f64(*s).ok())
                    .unwrap_or_default(),
                labels,
                ..Target::default()
            }
        })
        .collect();
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    all
}

/// When `up` was written last, by the target's labels.
fn times(asking: &Asking, at_ms: i64) -> HashMap<Labels, Timestamp> {
    let Ok(expr) = decide_promql::parse("timestamp(up)") else { return HashMap::new() };
    let Ok(found) = asking.evaluate(&expr, When::At(at_ms)) else { return HashMap::new() };
    let Value::Vector(all) = found.value else { return HashMap::new() };
    let time = |value: &Point| match value {
        Point::Float(v) => Some(Timestamp::from_millis((v * 1_000.0).round() as i64)),
        Point::Histogram(_) => None,
    };
    all.into_iter()
        .filter_map(|s| Some((s.labels.without(|n| n == kernel::labels::METRIC_NAME), time(&s.value)?)))
        .collect()
}

fn pools(site: &Site, found: &View, filter: &Filter, samples: &HashMap<Labels, f64>) -> Vec<Pool> {
    let mut pools: BTreeMap<&str, Pool> = BTreeMap::new();
    let fresh = |name: &str| Pool {
        name: name.to_owned(),
        up: 0,
        all: 0,
        rows: Vec::new(),
        dropped: found.dropped_counts.get(name).copied().unwrap_or(0),
        dropped_shown: Vec::new(),
    };
    for target in found.active.iter().filter(|t| filter.passes(t)).take(TARGETS) {
        let pool = pools.entry(&target.scrape_pool).or_insert_with(|| fresh(&target.scrape_pool));
        pool.all += 1;
        pool.up += usize::from(target.health == TargetHealth::Up);
        pool.rows.push(row(site, target, samples.get(&target.labels).copied()));
    }
    if filter.state.is_empty() && filter.text.is_empty() {
        for one in found.dropped.iter().filter(|d| filter.pool.is_empty() || d.scrape_pool == filter.pool) {
            let pool = pools.entry(&one.scrape_pool).or_insert_with(|| fresh(&one.scrape_pool));
            if pool.dropped_shown.len() < DROPPED {
                pool.dropped_shown.push(explore::labels_html(&one.discovered_labels));
            }
        }
    }
    let mut all: Vec<Pool> = pools.into_values().collect();
    // What does not answer comes first, within a job and among them.
    for pool in &mut all {
        pool.rows.sort_by_key(|r| r.state != "down");
    }
    all.sort_by_key(|p| p.rows.iter().all(|r| r.state != "down"));
    all
}

fn row(site: &Site, target: &Target, samples: Option<f64>) -> Row {
    let t = &site.text().targets;
    let (state, state_word) = match target.health {
        TargetHealth::Up => ("up", t.up),
        TargetHealth::Down => ("down", t.down),
        TargetHealth::Unknown => ("blind", t.unknown),
    };
    let quoted = |v: &str| v.replace('\\', "\\\\").replace('"', "\\\"");
    let only = target.labels.iter().filter(|(n, _)| matches!(*n, "job" | "instance"));
    let only: Vec<String> = only.map(|(n, v)| format!("{n}=\"{}\"", quoted(v))).collect();
    Row {
        url: target.scrape_url.clone(),
        state,
        state_word,
        labels: explore::labels_html(&target.labels),
        discovered: (!target.discovered_labels.is_empty()).then(|| explore::labels_html(&target.discovered_labels)),
        last: target.last_scrape.map(|at| site.ago(at)),
        took: site.took(target.last_scrape_duration),
        samples: samples.filter(|n| *n >= 0.0).map(|n| site.count(n as u64)),
        every: target.scrape_interval.clone(),
        error: target.last_error.clone(),
        link: explore_link(&format!("up{{{}}}", only.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_state_job_and_text() {
        let target = Target {
            labels: Labels::new([("job", "node"), ("instance", "db1:9100")]),
            scrape_pool: "node".into(),
            scrape_url: "http://db1:9100/metrics".into(),
            health: TargetHealth::Down,
            last_error: "connection refused".into(),
            ..Target::default()
        };
        let passes = |query: &str| Filter::read(query).passes(&target);
        assert!(passes("") && passes("state=down&pool=node&text=DB1") && passes("text=refused"));
        assert!(!passes("state=up") && !passes("pool=x") && !passes("text=db2"));
    }
}
