//! Expressions and texts with Grafana's variables in them. Pure.

use plan_model::dashboard::PanelQuery;
use plan_model::dashboard::expand::{BUILT_IN, FORMS, mentions};
use serde_json::Value;

use crate::{Fate, Taker, json};

/// Kinds of data sources whose queries are PromQL.
const PROMETHEUS: [&str; 4] =
    ["prometheus", "grafana-amazonprometheus-datasource", "victoriametrics-metrics-datasource", "datasource"];

impl Taker<'_> {
    /// The older form `[[name]]` in the newer one, and names that a plan does not allow replaced.
    pub(crate) fn rewritten(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("[[") {
            let name = rest[at + 2..].split("]]").next().unwrap_or_default();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
            let closed = rest[at + 2 + name.len()..].starts_with("]]");
            out.push_str(&rest[..at]);
            match is_name && closed {
                true => out.push_str(&format!("${{{name}}}")),
                false => out.push_str("[["),
            }
            rest = if is_name && closed { &rest[at + 4 + name.len()..] } else { &rest[at + 2..] };
        }
        out.push_str(rest);
        let (mut named, mut at) = (String::new(), 0);
        for mention in mentions(&out) {
            let Some((_, new)) = self.renamed.iter().find(|(old, _)| old == mention.name) else { continue };
            named.push_str(&out[at..mention.range.start]);
            let form = mention.form.map_or_else(String::new, |f| format!(":{f}"));
            named.push_str(&format!("${{{new}{form}}}"));
            at = mention.range.end;
        }
        named.push_str(&out[at..]);
        named
    }

    /// The first variable of a text that the dashboard does not have.
    pub(crate) fn unknown(&self, text: &str) -> Option<String> {
        let known = |name: &str| self.dashboard.variables.contains_key(name) || BUILT_IN.contains(&name);
        let bad = mentions(text).into_iter().find(|m| !known(m.name) || m.form.is_some_and(|f| !FORMS.contains(&f)));
        bad.map(|m| text[m.range].to_owned())
    }

    /// A title or text for people; what stands for nothing stays a word.
    pub(crate) fn for_people(&mut self, text: &str, path: &str) -> String {
        let mut text = self.rewritten(text);
        while let Some(name) = self.unknown(&text) {
            self.note(Fate::Changed, path, format!("there is no variable `{name}`"));
            let word = name.trim_matches(|c| "${}".contains(c)).replace(':', " ");
            text = text.replacen(&name, &word, 1);
        }
        text
    }

    /// Whether a query is PromQL, by its data source or its panel's.
    pub(crate) fn is_promql(&mut self, target: &Value, panel: &Value, path: &str) -> bool {
        for (of, from) in [(target, path.to_owned()), (panel, "datasource".to_owned())] {
            let kind = of.pointer("/datasource/type").and_then(Value::as_str);
            let name = of.get("datasource").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            let foreign =
                ["loki", "elastic", "influx", "graphite", "cloudwatch", "tempo", "jaeger", "mysql", "postgres"];
            let by_name = foreign.iter().find(|f| name.contains(*f)).map(|f| (*f).to_owned());
            let by_kind = kind.filter(|k| !PROMETHEUS.contains(k) && !k.is_empty()).map(str::to_owned);
            if let Some(kind) = by_kind.or(by_name) {
                self.note(Fate::NotTaken, from, format!("its data source is `{kind}`: dashboards ask PromQL only"));
                return false;
            }
            if kind.is_some() {
                return true;
            }
        }
        true
    }

    /// The queries of a panel that can be asked.
    pub(crate) fn queries(&mut self, panel: &Value) -> Vec<PanelQuery> {
        let mut out = Vec::new();
        for (index, target) in json::list(panel, "targets").iter().enumerate() {
            let path = format!("targets[{index}]");
            if !self.is_promql(target, panel, &path) {
                continue;
            }
            let Some(expr) = json::text(target, "expr").map(str::trim).filter(|e| !e.is_empty()) else {
                if target.as_object().is_some_and(|t| !t.is_empty()) {
                    self.note(Fate::NotTaken, path, "there is no PromQL in it");
                }
                continue;
            };
            let query = self.rewritten(expr);
            if let Some(name) = self.unknown(&query) {
                self.note(Fate::NotTaken, format!("{path}.expr"), format!("there is no variable `{name}`"));
                continue;
            }
            if let Err(why) = (self.check)(&query, &self.dashboard) {
                self.note(Fate::NotTaken, format!("{path}.expr"), format!("it is no PromQL: {why}"));
                continue;
            }
            out.push(self.query(target, query, &path));
        }
        let most = plan_model::dashboard::MOST_QUERIES;
        if out.len() > most {
            self.note(Fate::NotTaken, "targets", format!("a panel has {most} queries at most"));
            out.truncate(most);
        }
        out
    }

    fn query(&mut self, target: &Value, query: String, path: &str) -> PanelQuery {
        let legend = json::text(target, "legendFormat").filter(|l| !l.is_empty() && *l != "__auto");
        let legend = legend.map(|l| self.for_people(l, &format!("{path}.legendFormat")));
        let interval = json::text(target, "interval").filter(|i| !i.is_empty() && !i.contains('$'));
        let interval = interval.and_then(|i| i.trim_start_matches(['>', '=']).trim().parse().ok());
        let instant = target.get("instant").and_then(Value::as_bool).filter(|_| !json::is_set(target, "range"));
        PanelQuery { query, legend, instant: instant.filter(|i| *i), hidden: json::is_set(target, "hide"), interval }
    }
}
