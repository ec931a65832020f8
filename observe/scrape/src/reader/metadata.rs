//! What a target says of its metric families. Pure.

use std::collections::HashMap;

use crate::exposition::{Comment, Entry, Format, Metadata, comment};

/// A family is forgotten when it was missing in so many bodies whose comments changed.
const KEPT_SCANS: u32 = 10;

/// Metadata by metric family.
#[derive(Clone, Debug, Default)]
pub struct MetadataStore {
    families: HashMap<String, (Metadata, u32)>,
    scans: u32,
}

impl MetadataStore {
    /// A family's metadata.
    pub fn get(&self, family: &str) -> Option<&Metadata> {
        self.families.get(family).map(|(metadata, _)| metadata)
    }

    /// All families, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Metadata)> {
        self.families.iter().map(|(name, (metadata, _))| (name.as_str(), metadata))
    }

    /// How many families.
    pub fn len(&self) -> usize {
        self.families.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }

    /// Goes through the comments of a body that was read without errors.
    pub(super) fn scan(&mut self, body: &[u8], format: Format) {
        self.begin();
        let mut rest = body;
        while !rest.is_empty() {
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
            if rest[..line].trim_ascii_start().starts_with(b"#")
                && let Ok(Some((said, _))) = comment(rest, format)
            {
                self.take(match said {
                    Comment::Help(name, text) => Entry::Help(name, text),
                    Comment::Type(name, kind) => Entry::Type(name, kind),
                    Comment::Unit(name, unit) => Entry::Unit(name, unit),
                    Comment::Plain(text) => Entry::Comment(text),
                    Comment::End => Entry::Comment(""),
                });
            }
            rest = &rest[line..];
        }
        self.end();
    }

    pub(super) fn begin(&mut self) {
        self.scans = self.scans.wrapping_add(1);
    }

    pub(super) fn take(&mut self, entry: Entry<'_>) {
        let (name, change): (_, &dyn Fn(&mut Metadata)) = match &entry {
            Entry::Help(name, text) => (name, &|m| {
                if m.help != *text {
                    m.help = text.to_string();
                }
            }),
            Entry::Type(name, kind) => (name, &|m| m.kind = *kind),
            Entry::Unit(name, unit) => (name, &|m| m.unit = unit.to_string()),
            Entry::Comment(_) | Entry::Sample(_) => return,
        };
        if !self.families.contains_key(name.as_ref()) {
            self.families.insert(name.to_string(), (Metadata::default(), self.scans));
        }
        if let Some((metadata, seen)) = self.families.get_mut(name.as_ref()) {
            *seen = self.scans;
            change(metadata);
        }
    }

    pub(super) fn end(&mut self) {
        let now = self.scans;
        self.families.retain(|_, (_, seen)| now.wrapping_sub(*seen) <= KEPT_SCANS);
    }
}
