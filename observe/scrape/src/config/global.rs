//! `global`: what holds for all jobs. Pure.

use std::time::Duration;

use kernel::Labels;

use super::fields::Fields;
use super::job::{JobDefaults, escaping, histograms, limits, names, protocols};
use super::{Context, Global, Node};

const USUAL_INTERVAL: Duration = Duration::from_secs(60);
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Global {
    fn default() -> Self {
        Self {
            scrape_interval: USUAL_INTERVAL,
            scrape_timeout: USUAL_TIMEOUT,
            evaluation_interval: USUAL_INTERVAL,
            rule_query_offset: Duration::ZERO,
            external_labels: Labels::default(),
            job: JobDefaults::default(),
        }
    }
}

/// Reads the section. `environment` gives what `${NAME}` in external labels stands for.
pub(super) fn global(ctx: &mut Context, node: Option<&Node>, environment: &dyn Fn(&str) -> Option<String>) -> Global {
    let Some(node) = node else { return Global::default() };
    let mut fields = Fields::open(ctx, node, "config.GlobalConfig");
    let scheme = names(ctx, &mut fields).unwrap_or_default();
    ctx.scheme = scheme;
    let scrape_interval = fields.duration(ctx, "scrape_interval").unwrap_or(USUAL_INTERVAL);
    let timeout = fields.duration(ctx, "scrape_timeout");
    if timeout.is_some_and(|t| t > scrape_interval) {
        ctx.error(fields.place("scrape_timeout"), "global scrape timeout greater than scrape interval");
    }
    let mut labels = Vec::new();
    for (name, value) in fields.texts(ctx, "external_labels") {
        if !scheme.allows_label(&name) {
            ctx.error(fields.place("external_labels"), format!("{name:?} is not a valid label name"));
        }
        labels.push((name, expand(&value, environment)));
    }
    let out = Global {
        scrape_interval,
        scrape_timeout: timeout.unwrap_or_else(|| USUAL_TIMEOUT.min(scrape_interval)),
        evaluation_interval: fields.duration(ctx, "evaluation_interval").unwrap_or(USUAL_INTERVAL),
        rule_query_offset: fields.duration(ctx, "rule_query_offset").unwrap_or_default(),
        external_labels: Labels::new(labels),
        job: JobDefaults {
            limits: limits(ctx, &mut fields, super::Limits::default()),
            protocols: protocols(ctx, &mut fields),
            histograms: histograms(ctx, &mut fields, super::HistogramSettings::default()),
            scheme,
            escaping: escaping(ctx, &mut fields),
            failure_log: fields.path(ctx, "scrape_failure_log_file"),
            extra_metrics: fields.bool(ctx, "extra_scrape_metrics").unwrap_or(false),
        },
    };
    if fields.get("query_log_file").is_some() {
        ctx.note(fields.place("query_log_file"), "queries are not logged to a file here: query_log_file has no effect");
    }
    fields.finish(ctx);
    out
}

/// Replaces `$NAME` and `${NAME}`, as Go's `os.Expand` does; `$$` is a dollar.
fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let word = behind.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let (name, used) = match behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None if behind.starts_with('$') => ("$", 1),
            None => (&behind[..word], word),
        };
        match name {
            "$" => out.push('$'),
            "" if used == 0 => out.push('$'),
            name => out.push_str(&environment(name).unwrap_or_default()),
        }
        rest = &behind[used..];
    }
    out + rest
}
