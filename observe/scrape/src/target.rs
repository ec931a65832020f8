//! From what discovery found to what is scraped: labels, relabeling, address, URL. Pure.

use std::time::Duration;

use kernel::Labels;
use kernel::flag::parse_bool;

use crate::config::{Alertmanager, HistogramSettings, Job, TargetGroup, format_duration, parse_duration};
use crate::labelset::LabelBuilder;
use crate::relabel::{RelabelStep, relabel, relabel_steps};

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
/// How a target's histograms are read, instead of what its job says. Prometheus 3.16 sets them to that before relabeling, older ones and
/// this one leave them out.
const CUSTOM_BUCKETS: &str = "__convert_classic_histograms_to_nhcb__";
const KEEP_CLASSIC: &str = "__always_scrape_classic_histograms__";
const NATIVE: &str = "__scrape_native_histograms__";
/// The socket it is asked over, instead of its address.
const UNIX_SOCKET: &str = "__unix_socket__";
const PARAM_PREFIX: &str = "__param_";
const META_PREFIX: &str = "__meta_";
const RESERVED_PREFIX: &str = "__";
const ALERTS_PATH: &str = "__alerts_path__";
const ALERTS_API: &str = "/api/v2/alerts";

/// What is scraped.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Labels before relabeling.
    pub discovered: Labels,
    /// Labels after it, those with `__` among them.
    pub all_labels: Labels,
    /// The labels that its series get.
    pub labels: Labels,
    /// Where it is asked.
    pub url: String,
    /// How often.
    pub interval: Duration,
    /// How long it may take.
    pub timeout: Duration,
    /// How its histograms are read: what its labels say, else its job.
    pub histograms: HistogramSettings,
}

impl Target {
    /// Tells targets of a job apart: stays the same between runs.
    pub fn hash(&self) -> u64 {
        kernel::hash::fnv1a(self.all_labels.fingerprint().to_le_bytes().into_iter().chain(self.url.bytes()))
    }

    /// The socket it is asked over, where its labels name one.
    pub fn unix_socket(&self) -> Option<&std::path::Path> {
        self.all_labels.get(UNIX_SOCKET).filter(|path| !path.is_empty()).map(std::path::Path::new)
    }

    /// The name of its group in the store: two targets whose series would have the same labels share it.
    pub fn group_name(&self, job: &str) -> String {
        let instance = self.labels.get("instance").unwrap_or_default();
        format!("scrape/{job}/{instance}/{:016x}", self.labels.fingerprint())
    }
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Populated {
    /// It is scraped.
    Kept(Box<Target>),
    /// Relabeling dropped it; what it had been before.
    Dropped(Labels),
}

/// The labels that relabeling starts with.
pub fn discovered_labels(job: &Job, target: &Labels, group: &Labels) -> Labels {
    let mut builder = LabelBuilder::new(group);
    for (name, value) in target.iter() {
        builder.set(name, value);
    }
    for (name, value) in [
        ("job", job.name.clone()),
        (INTERVAL, format_duration(job.interval)),
        (TIMEOUT, format_duration(job.timeout)),
        (METRICS_PATH, job.metrics_path.clone()),
        (SCHEME, job.scheme.clone()),
    ] {
        if builder.get(name).is_empty() {
            builder.set(name, &value);
        }
    }
    for (name, values) in &job.params {
        let label = format!("{PARAM_PREFIX}{name}");
        if let Some(first) = values.first()
            && builder.get(&label).is_empty()
        {
            builder.set(&label, first);
        }
    }
    builder.labels()
}

/// Makes a target of what discovery found.
///
/// # Errors
/// It has no address, or something about it cannot be used: Prometheus's own words.
pub fn populate(job: &Job, target: &Labels, group: &Labels) -> Result<Populated, String> {
    let discovered = discovered_labels(job, target, group);
    let mut builder = LabelBuilder::new(&discovered);
    if !relabel(&mut builder, &job.relabel) {
        return Ok(Populated::Dropped(discovered));
    }
    let address = builder.get(ADDRESS).to_owned();
    if address.is_empty() {
        return Err("no address".to_owned());
    }
    if address.contains('/') {
        return Err(format!("{address:?} is not a valid hostname"));
    }
    let interval = time(builder.get(INTERVAL), "interval")?;
    let timeout = time(builder.get(TIMEOUT), "timeout")?;
    if timeout > interval {
        let (timeout, interval) = (builder.get(TIMEOUT), builder.get(INTERVAL));
        return Err(format!("scrape timeout cannot be greater than scrape interval ({timeout:?} > {interval:?})"));
    }
    let flag = |name, usual: bool, what| match builder.get(name) {
        "" => Ok(usual),
        text => parse_bool(text).map_err(|e| format!("error parsing {what}: {e}")),
    };
    let usual = job.histograms;
    let histograms = HistogramSettings {
        custom_buckets: flag(CUSTOM_BUCKETS, usual.custom_buckets, "convert classic histograms to nhcb")?,
        keep_classic: flag(KEEP_CLASSIC, usual.keep_classic, "always scrape classic histograms")?,
        native: flag(NATIVE, usual.native, "scrape native histograms")?,
        ..usual
    };
    builder.retain(|name| !name.starts_with(META_PREFIX));
    if builder.get("instance").is_empty() {
        builder.set("instance", &address);
    }
    let all_labels = builder.labels();
    let labels = all_labels.without(|name| name.starts_with(RESERVED_PREFIX));
    let url = url_of(job, &all_labels);
    Ok(Populated::Kept(Box::new(Target { discovered, all_labels, labels, url, interval, timeout, histograms })))
}

/// How relabeling came to a target's labels, rule by rule.
pub fn target_relabel_steps(job: &Job, discovered: &Labels) -> Vec<RelabelStep> {
    relabel_steps(discovered, &job.relabel)
}

/// Where alerts are sent: the Alertmanagers that were found, and those that relabeling dropped.
///
/// Labels before relabeling are the discovered ones with `__scheme__` and `__alerts_path__`.
pub fn alertmanager_urls(config: &Alertmanager, groups: &[TargetGroup]) -> (Vec<String>, Vec<String>) {
    let (mut active, mut dropped) = (Vec::new(), Vec::new());
    let prefix = config.path_prefix.trim_matches('/');
    let path = if prefix.is_empty() { ALERTS_API.to_owned() } else { format!("/{prefix}{ALERTS_API}") };
    for (group, target) in groups.iter().flat_map(|g| g.targets.iter().map(move |t| (g, t))) {
        let mut builder = LabelBuilder::new(&group.labels);
        target.iter().for_each(|(name, value)| builder.set(name, value));
        for (name, value) in [(SCHEME, config.scheme.as_str()), (ALERTS_PATH, path.as_str())] {
            if builder.get(name).is_empty() {
                builder.set(name, value);
            }
        }
        let url = |b: &LabelBuilder| format!("{}://{}{}", b.get(SCHEME), b.get(ADDRESS), b.get(ALERTS_PATH));
        let before = url(&builder);
        if !relabel(&mut builder, &config.relabel) {
            dropped.push(before);
        } else if !builder.get(ADDRESS).is_empty() && !builder.get(ADDRESS).contains('/') {
            active.push(url(&builder));
        }
    }
    (active, dropped)
}

fn time(text: &str, what: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|e| format!("error parsing scrape {what}: {e}"))?;
    if time.is_zero() { Err(format!("scrape {what} cannot be 0")) } else { Ok(time) }
}

/// The URL; parameters of the job come first in their order by name, `__param_…` replaces their first value.
fn url_of(job: &Job, labels: &Labels) -> String {
    let mut params = job.params.clone();
    for (label, value) in labels.iter() {
        let Some(name) = label.strip_prefix(PARAM_PREFIX) else { continue };
        match params.iter_mut().find(|(n, _)| n == name) {
            Some((_, values)) if !values.is_empty() => value.clone_into(&mut values[0]),
            Some((_, values)) => values.push(value.to_owned()),
            None => params.push((name.to_owned(), vec![value.to_owned()])),
        }
    }
    params.sort();
    let get = |name| labels.get(name).unwrap_or_default();
    let path = get(METRICS_PATH);
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let mut out = format!("{}://{}{slash}{}", get(SCHEME), get(ADDRESS), escape(path, is_path));
    let mut sign = '?';
    for (name, value) in params.iter().flat_map(|(n, values)| values.iter().map(move |v| (n, v))) {
        out.push_str(&format!("{sign}{}={}", query(name), query(value)));
        sign = '&';
    }
    out
}

fn query(text: &str) -> String {
    escape(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~')).replace("%20", "+")
}

const fn is_path(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@' | b'%')
}

fn escape(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if plain(b) { out.push(char::from(b)) } else { out.push_str(&format!("%{b:02X}")) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn job(keys: &str) -> Job {
        let text = format!("scrape_configs: [{{job_name: j, {keys}}}]");
        let config = Config::parse("f", &text, std::path::Path::new("")).unwrap();
        config.jobs[0].as_ref().clone()
    }

    fn kept(job: &Job, target: &[(&str, &str)]) -> Target {
        match populate(job, &Labels::new(target.iter().copied()), &Labels::new([("env", "prod")])) {
            Ok(Populated::Kept(target)) => *target,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn labels_address_and_instance() {
        let target = kept(&job(""), &[("__address__", "h:9100"), ("__meta_x", "y")]);
        assert_eq!(target.labels, Labels::new([("env", "prod"), ("instance", "h:9100"), ("job", "j")]));
        assert_eq!(target.url, "http://h:9100/metrics");
        assert_eq!(target.discovered.get("__scrape_interval__"), Some("1m"));
        assert_eq!(target.discovered.get("__meta_x"), Some("y"));
        assert_eq!(target.all_labels.get("__meta_x"), None);
        // Prometheus 3 adds no port.
        assert_eq!(kept(&job("scheme: https"), &[("__address__", "h")]).url, "https://h/metrics");
    }

    #[test]
    fn what_labels_say_goes_before_the_job() {
        let job = job("params: {module: [icmp, x], a: ['b c&']}, metrics_path: probe");
        let target = kept(
            &job,
            &[
                ("__address__", "h:1"),
                ("__param_module", "http_2xx"),
                ("__scheme__", "https"),
                ("__scrape_interval__", "90s"),
                ("job", "mine"),
                ("env", "dev"),
                ("instance", "i"),
            ],
        );
        assert_eq!(target.url, "https://h:1/probe?a=b+c%26&module=http_2xx&module=x");
        assert_eq!(target.interval, Duration::from_secs(90));
        assert_eq!(target.labels, Labels::new([("env", "dev"), ("instance", "i"), ("job", "mine")]));
    }

    #[test]
    fn histograms_and_the_socket_by_labels() {
        let job = job("scrape_native_histograms: true, always_scrape_classic_histograms: true");
        let address = ("__address__", "h:1");
        let target = kept(&job, &[address]);
        let forms = |native, keep_classic, custom_buckets| HistogramSettings {
            native,
            keep_classic,
            custom_buckets,
            ..job.histograms
        };
        assert_eq!((target.histograms, target.unix_socket()), (forms(true, true, false), None));
        assert_eq!(target.discovered.get("__scrape_native_histograms__"), None);
        let labels = [
            address,
            ("__scrape_native_histograms__", "F"),
            ("__always_scrape_classic_histograms__", "false"),
            ("__convert_classic_histograms_to_nhcb__", "1"),
            ("__unix_socket__", "/run/app.sock"),
        ];
        let target = kept(&job, &labels);
        assert_eq!(target.histograms, forms(false, false, true));
        assert_eq!(target.unix_socket(), Some(std::path::Path::new("/run/app.sock")));
        assert_eq!(target.labels, Labels::new([("env", "prod"), ("instance", "h:1"), ("job", "j")]));
        let wrong =
            populate(&job, &Labels::new([address, ("__scrape_native_histograms__", "yes")]), &Labels::default());
        let error = r#"error parsing scrape native histograms: strconv.ParseBool: parsing "yes": invalid syntax"#;
        assert_eq!(wrong, Err(error.to_owned()));
    }

    #[test]
    fn the_blackbox_pattern() {
        let job = job("metrics_path: /probe, relabel_configs: [
            {source_labels: [__address__], target_label: __param_target},
            {source_labels: [__param_target], target_label: instance},
            {target_label: __address__, replacement: 'blackbox:9115'}]");
        let target = kept(&job, &[("__address__", "http_host")]);
        assert_eq!(target.url, "http://blackbox:9115/probe?target=http_host");
        assert_eq!(target.labels.get("instance"), Some("http_host"));
        assert_eq!(target_relabel_steps(&job, &target.discovered).len(), 3);
    }

    #[test]
    fn alertmanagers() {
        let text = "alerting: {alertmanagers: [{scheme: https, path_prefix: /am/, static_configs: [{targets: ['a:9093', 'b:9093']}],
            relabel_configs: [{source_labels: [__address__], regex: 'b.*', action: drop}]}]}";
        let config = Config::parse("f", text, std::path::Path::new("")).unwrap();
        let manager = &config.alerting.alertmanagers[0];
        let crate::config::Discovery::Static(groups) = &manager.discovery[0] else { panic!("static") };
        let (active, dropped) = alertmanager_urls(manager, groups);
        assert_eq!((active.len(), dropped.len()), (1, 1));
        assert_eq!(active[0], "https://a:9093/am/api/v2/alerts");
        assert_eq!(dropped[0], "https://b:9093/am/api/v2/alerts");
    }

    #[test]
    fn dropped_and_refused() {
        let drop = job("relabel_configs: [{source_labels: [env], regex: prod, action: drop}]");
        let group = Labels::new([("env", "prod")]);
        let address = Labels::new([("__address__", "h")]);
        assert!(matches!(populate(&drop, &address, &group), Ok(Populated::Dropped(l)) if l.get("env") == Some("prod")));
        let fails = |pairs: &[(&str, &str)], part: &str| {
            let error = populate(&job(""), &Labels::new(pairs.iter().copied()), &group).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        fails(&[], "no address");
        fails(&[("__address__", "h/x")], "\"h/x\" is not a valid hostname");
        fails(&[("__address__", "h"), ("__scrape_interval__", "x")], "error parsing scrape interval: not a valid");
        fails(&[("__address__", "h"), ("__scrape_timeout__", "0")], "scrape timeout cannot be 0");
        fails(&[("__address__", "h"), ("__scrape_timeout__", "2m")], "(\"2m\" > \"1m\")");
    }
}
