//! The keys of a section, each asked for by name; what nobody asked for is an error. Pure.

use std::path::PathBuf;
use std::time::Duration;

use kernel::secret::Secret;

use super::scalars::{parse_duration, parse_size};
use super::{Context, Node, Rules, Value};
use crate::relabel::{Action, RuleText};

/// A section that is being read.
pub(crate) struct Fields<'n> {
    pub(super) node: &'n Node,
    entries: &'n [(Node, Node)],
    used: Vec<bool>,
    what: &'static str,
}

impl<'n> Fields<'n> {
    /// Opens a section; an empty one has no keys. What is no section is an error, and reads as empty.
    pub(crate) fn open(ctx: &mut Context, node: &'n Node, what: &'static str) -> Self {
        let entries: &[_] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Text(..) | Value::List(_) => {
                ctx.error(node, format!("a section with keys is expected here ({what})"));
                &[]
            }
        };
        Self { node, entries, used: vec![false; entries.len()], what }
    }

    /// The value of a key, if it is there and not empty.
    pub(crate) fn get(&mut self, key: &str) -> Option<&'n Node> {
        let at = self.entries.iter().position(|(k, _)| k.text() == Some(key))?;
        self.used[at] = true;
        Some(&self.entries[at].1).filter(|node| !node.is_null())
    }

    /// Whether a key is there, even if empty.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(k, _)| k.text() == Some(key))
    }

    /// Where a key stands, or the section.
    pub(crate) fn place(&self, key: &str) -> &'n Node {
        self.entries.iter().find(|(k, _)| k.text() == Some(key)).map_or(self.node, |(k, _)| k)
    }

    /// Keys that nobody asked for.
    pub(crate) fn finish(self, ctx: &mut Context) {
        for ((key, _), used) in self.entries.iter().zip(&self.used) {
            if !used {
                let name = key.text().unwrap_or_default();
                ctx.error(key, format!("field {name} not found in type {}", self.what));
            }
        }
    }

    /// Keys that are known, but whose values do not matter here.
    pub(crate) fn known(&mut self, keys: &[&str]) {
        for key in keys {
            self.get(key);
        }
    }

    fn scalar<T>(&mut self, ctx: &mut Context, key: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let node = self.get(key)?;
        let value = node.text().and_then(&read);
        if value.is_none() {
            let said = node.text().map_or_else(|| "a section or list".to_owned(), |t| format!("`{t}`"));
            ctx.error(node, format!("cannot unmarshal {said} of {key} into {wanted}"));
        }
        value
    }

    pub(crate) fn string(&mut self, ctx: &mut Context, key: &str) -> Option<String> {
        self.scalar(ctx, key, "string", |t| Some(t.to_owned()))
    }

    pub(crate) fn secret(&mut self, ctx: &mut Context, key: &str) -> Option<Secret> {
        self.string(ctx, key).filter(|s| !s.is_empty()).map(Secret::new)
    }

    /// A path, below the file's folder when it is relative.
    pub(crate) fn path(&mut self, ctx: &mut Context, key: &str) -> Option<PathBuf> {
        let text = self.string(ctx, key).filter(|s| !s.is_empty())?;
        Some(ctx.path(&text))
    }

    pub(crate) fn bool(&mut self, ctx: &mut Context, key: &str) -> Option<bool> {
        self.scalar(ctx, key, "bool", |t| match t {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => Some(false),
            _ => None,
        })
    }

    pub(crate) fn uint(&mut self, ctx: &mut Context, key: &str) -> Option<u64> {
        self.scalar(ctx, key, "uint", |t| t.replace('_', "").parse().ok())
    }

    pub(crate) fn float(&mut self, ctx: &mut Context, key: &str) -> Option<f64> {
        self.scalar(ctx, key, "float64", |t| t.parse().ok())
    }

    pub(crate) fn size(&mut self, ctx: &mut Context, key: &str) -> Option<u64> {
        self.scalar(ctx, key, "a size such as 10MB", parse_size)
    }

    /// A duration; 0 is as if it were not there.
    pub(crate) fn duration(&mut self, ctx: &mut Context, key: &str) -> Option<Duration> {
        let node = self.get(key)?;
        match parse_duration(node.text().unwrap_or_default()) {
            Ok(duration) => Some(duration).filter(|d| !d.is_zero()),
            Err(message) => {
                ctx.error(node, message);
                None
            }
        }
    }

    /// The items of a list.
    pub(crate) fn list(&mut self, ctx: &mut Context, key: &str) -> &'n [Node] {
        let Some(node) = self.get(key) else { return &[] };
        match &node.value {
            Value::List(all) => all,
            _ => {
                ctx.error(node, format!("{key} must be a list"));
                &[]
            }
        }
    }

    pub(crate) fn strings(&mut self, ctx: &mut Context, key: &str) -> Vec<String> {
        let mut out = Vec::new();
        for node in self.list(ctx, key) {
            match node.text() {
                Some(text) => out.push(text.to_owned()),
                None => ctx.error(node, format!("{key} must be a list of texts")),
            }
        }
        out
    }

    /// Keys and texts.
    pub(crate) fn texts(&mut self, ctx: &mut Context, key: &str) -> Vec<(String, String)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::Map(entries) = &node.value else {
            ctx.error(node, format!("{key} must be a section of texts"));
            return Vec::new();
        };
        let mut out = Vec::new();
        for (name, value) in entries {
            let text = if value.is_null() { Some("") } else { value.text() };
            match (name.text(), text) {
                (Some(name), Some(text)) => out.push((name.to_owned(), text.to_owned())),
                _ => ctx.error(value, format!("{key} must be a section of texts")),
            }
        }
        out
    }

    /// Relabeling rules.
    pub(crate) fn rules(&mut self, ctx: &mut Context, key: &str, kind: &str) -> Rules {
        let mut out = Vec::new();
        for node in self.list(ctx, key) {
            if node.is_null() {
                ctx.error(node, format!("empty or null {kind} relabeling rule"));
                continue;
            }
            let errors = ctx.errors.len();
            let text = rule(ctx, node);
            if ctx.errors.len() > errors {
                continue;
            }
            match text.compile(ctx.scheme) {
                Ok(rule) => out.push(rule),
                Err(message) => ctx.error(node, message),
            }
        }
        out.into()
    }
}

fn rule(ctx: &mut Context, node: &Node) -> RuleText {
    let mut fields = Fields::open(ctx, node, "relabel.Config");
    let mut out = RuleText { source_labels: fields.strings(ctx, "source_labels"), ..RuleText::default() };
    if let Some(action) = fields.string(ctx, "action") {
        match Action::named(&action) {
            Some(action) => out.action = action,
            None => ctx.error(fields.place("action"), format!("unknown relabel action {action:?}")),
        }
    }
    let text = |ctx: &mut Context, fields: &mut Fields<'_>, key: &str, usual: &mut String| {
        if let Some(text) = fields.string(ctx, key) {
            *usual = text;
        }
    };
    text(ctx, &mut fields, "separator", &mut out.separator);
    text(ctx, &mut fields, "regex", &mut out.regex);
    text(ctx, &mut fields, "target_label", &mut out.target_label);
    text(ctx, &mut fields, "replacement", &mut out.replacement);
    out.modulus = fields.uint(ctx, "modulus").unwrap_or(0);
    fields.finish(ctx);
    out
}
