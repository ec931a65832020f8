//! The labels of a data point: its attributes, and those of its resource and scope. Pure.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::OtlpOptions;
use super::model::{Attribute, ResourceMetrics, ScopeMetrics};
use super::names::{LabelRules, label_name};

pub(crate) const SERVICE_NAME: &str = "service.name";
pub(crate) const SERVICE_NAMESPACE: &str = "service.namespace";
pub(crate) const SERVICE_INSTANCE: &str = "service.instance.id";

/// Names and values, no name twice, no value empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelSet<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> LabelSet<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| &**v)
    }

    /// Sets a label; an empty value takes it out.
    pub(crate) fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        let at = self.pairs.iter().position(|(n, _)| *n == name);
        match at {
            Some(at) if value.is_empty() => drop(self.pairs.swap_remove(at)),
            Some(at) => {
                if let Some(pair) = self.pairs.get_mut(at) {
                    pair.1 = value;
                }
            }
            None if value.is_empty() => {}
            None => self.pairs.push((name, value)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (&**n, &**v))
    }
}

/// Translates names of labels; each is translated once in a request.
#[derive(Debug)]
pub(crate) struct Namer<'a> {
    rules: LabelRules,
    known: HashMap<&'a str, Cow<'a, str>>,
}

impl<'a> Namer<'a> {
    pub(crate) fn new(options: &OtlpOptions) -> Self {
        let rules = LabelRules {
            escape: options.translation.escapes(),
            key_before_underscore: options.key_before_underscore,
            keep_underscores: options.keep_underscores,
        };
        Self { rules, known: HashMap::new() }
    }

    fn name(&mut self, name: &'a str) -> Result<Cow<'a, str>, String> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let translated = label_name(name, self.rules)?;
        self.known.insert(name, translated.clone());
        Ok(translated)
    }

    /// The labels of attributes. Several that become one name are joined by `;`, sorted by their names before.
    pub(crate) fn attributes(&mut self, all: &'a [Attribute<'a>], ignore: &[&str]) -> Result<LabelSet<'a>, String> {
        let mut sorted: Vec<&Attribute<'a>> = all.iter().filter(|(name, _)| !ignore.contains(&&**name)).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut out = LabelSet::default();
        for (name, value) in sorted {
            if !self.rules.escape {
                out.set(Cow::Borrowed(name), Cow::Borrowed(value));
                continue;
            }
            let name = self.name(name)?;
            match out.get(&name).map(|known| format!("{known};{value}")) {
                Some(both) => out.set(name, Cow::Owned(both)),
                None => out.set(name, Cow::Borrowed(value)),
            }
        }
        Ok(out)
    }
}

/// What all data points of a resource have in common.
#[derive(Debug, Default)]
pub(crate) struct ResourceLabels<'a> {
    job: Cow<'a, str>,
    instance: Cow<'a, str>,
    promoted: LabelSet<'a>,
}

impl<'a> ResourceLabels<'a> {
    pub(crate) fn new(
        of: &'a ResourceMetrics<'a>,
        options: &OtlpOptions,
        namer: &mut Namer<'a>,
    ) -> Result<Self, String> {
        let find = |name: &str| of.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| &**value);
        let job = match (find(SERVICE_NAMESPACE), find(SERVICE_NAME)) {
            (Some(namespace), Some(name)) => Cow::Owned(format!("{namespace}/{name}")),
            (None, Some(name)) => Cow::Borrowed(name),
            _ => Cow::Borrowed(""),
        };
        let mut promoted = LabelSet::default();
        for (name, value) in of.attributes.iter().filter(|(name, _)| options.promotes(name)) {
            promoted.set(namer.name(name)?, Cow::Borrowed(value));
        }
        Ok(Self { job, instance: Cow::Borrowed(find(SERVICE_INSTANCE).unwrap_or_default()), promoted })
    }

    /// Adds them to those of a data point.
    pub(crate) fn add_to(&self, labels: &mut LabelSet<'a>, promote: bool) {
        for (name, value) in self.promoted.pairs.iter().filter(|_| promote) {
            if labels.get(name).is_none() {
                labels.set(name.clone(), value.clone());
            }
        }
        for (name, value) in [("job", &self.job), ("instance", &self.instance)] {
            if !value.is_empty() {
                labels.set(Cow::Borrowed(name), value.clone());
            }
        }
    }
}

/// The labels that a scope adds to its data points.
pub(crate) fn scope_labels<'a>(
    of: &'a ScopeMetrics<'a>,
    options: &OtlpOptions,
    namer: &mut Namer<'a>,
) -> Result<LabelSet<'a>, String> {
    let mut out = LabelSet::default();
    if !options.scope_labels || of.name.is_empty() {
        return Ok(out);
    }
    for (name, value) in &of.attributes {
        let name = label_name(&format!("otel_scope_{name}"), namer.rules)?.into_owned();
        out.set(Cow::Owned(name), Cow::Borrowed(value));
    }
    out.set(Cow::Borrowed("otel_scope_name"), Cow::Borrowed(&of.name));
    out.set(Cow::Borrowed("otel_scope_version"), Cow::Borrowed(&of.version));
    out.set(Cow::Borrowed("otel_scope_schema_url"), Cow::Borrowed(&of.schema_url));
    Ok(out)
}
