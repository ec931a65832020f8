//! What the program says of failures, in the reader's language: English sentences with holes beside Spanish ones. Pure.
//!
//! Whoever meets a failure words it in English: evidence of checks, tries of deliveries, reasons for what cannot be used,
//! errors of plans and rules. That is what is stored and what the API and the log give, so that a text means the same
//! wherever it is compared. Where people read it (pages, messages, the command line), [`in_language`] puts the sentence
//! of the catalogue in its place. Whatever stands in a hole is looked up again, so sentences nest; what is in no
//! catalogue stays as it is: the words of other programs, of servers and of people.
//!
//! A catalogue is a text: a line in English, below it the same in Spanish, indented; `{}` are holes, as many in one as in
//! the other, in the same order. `cargo xtask tidy` finds sentences of the sources that no catalogue knows.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Language;

/// The catalogues, by what speaks.
const CATALOGUES: [&str; 5] = [
    include_str!("phrase/probes.txt"),
    include_str!("phrase/deliveries.txt"),
    include_str!("phrase/plans.txt"),
    include_str!("phrase/rules.txt"),
    include_str!("phrase/dashboards.txt"),
];

/// Longer texts are other people's; looking for sentences in them would cost more than it gives.
const LONGEST_BYTES: usize = 4_096;

/// Sentences nest this deep; the deepest known (brokers with their reasons, as the cause of a check's failure) has five.
const DEEPEST: usize = 6;

/// A text is given up after so many looks into the catalogue, so that a hostile one costs no more than a long one;
/// a cluster of ten brokers, each with its reason, needs about a hundred.
const MOST_LOOKS: u32 = 300;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(&CATALOGUES));

/// A text of the program in a language; what no catalogue knows stays as it is.
pub fn in_language(text: &str, language: Language) -> Cow<'_, str> {
    let spoken = match language {
        Language::En => None,
        Language::Es if text.len() > LONGEST_BYTES => None,
        Language::Es => Search { catalogue: &CATALOGUE, looks: Cell::new(0) }.say(text, 0),
    };
    spoken.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether a sentence, its holes written `{}`, stands in a catalogue; by itself, or with one hole before or after it.
pub fn knows(sentence: &str) -> bool {
    let sentence = sentence.strip_prefix("{}: ").unwrap_or(sentence);
    let variants = [
        sentence.to_owned(),
        format!("{{}}{sentence}"),
        format!("{{}} {sentence}"),
        format!("{sentence}{{}}"),
        format!("{sentence}: {{}}"),
    ];
    variants.iter().any(|s| CATALOGUE.whole.contains_key(s.as_str()) || CATALOGUE.templates.contains_key(s.as_str()))
}

/// One sentence with holes.
#[derive(Debug)]
struct Phrase {
    /// What stands between the holes; one piece more than there are holes.
    en: Vec<&'static str>,
    es: Vec<&'static str>,
    /// It has the joint of lists in itself: its holes may have it too.
    joined: bool,
}

#[derive(Debug, Default)]
struct Catalogue {
    whole: HashMap<&'static str, &'static str>,
    /// Sentences with holes, the longest first: the most telling one wins.
    phrases: Vec<Phrase>,
    /// Which of them may begin with a byte.
    by_first: HashMap<u8, Vec<usize>>,
    /// Those that begin with a hole.
    open: Vec<usize>,
    templates: HashMap<&'static str, &'static str>,
}

/// What joins the items of a list of reasons.
const JOINT: &str = "; ";

impl Catalogue {
    fn read(texts: &[&'static str]) -> Self {
        let mut all = Self::default();
        for (en, es) in texts.iter().flat_map(|text| pairs(text)) {
            let phrase =
                Phrase { en: en.split("{}").collect(), es: es.split("{}").collect(), joined: en.contains(JOINT) };
            if phrase.en.len() == 1 {
                all.whole.insert(en, es);
            } else if phrase.en.len() == phrase.es.len() {
                all.templates.insert(en, es);
                all.phrases.push(phrase);
            }
        }
        all.phrases.sort_by_key(|p| std::cmp::Reverse(p.en.iter().map(|piece| piece.len()).sum::<usize>()));
        let first = |p: &Phrase| p.en.first().and_then(|piece| piece.bytes().next());
        all.open = (0..all.phrases.len()).filter(|i| first(&all.phrases[*i]).is_none()).collect();
        for byte in all.phrases.iter().filter_map(first) {
            let fits = |i: &usize| first(&all.phrases[*i]).is_none_or(|b| b == byte);
            all.by_first.entry(byte).or_insert_with(|| (0..all.phrases.len()).filter(fits).collect());
        }
        all
    }
}

/// The search for what a text says in Spanish.
struct Search<'c> {
    catalogue: &'c Catalogue,
    /// Looks into the catalogue so far.
    looks: Cell<u32>,
}

impl Search<'_> {
    /// The Spanish of a text; `None` when nothing of it is known.
    fn say(&self, text: &str, depth: usize) -> Option<String> {
        self.looks.set(self.looks.get() + 1);
        if depth > DEEPEST || text.is_empty() || self.looks.get() > MOST_LOOKS {
            return None;
        }
        if let Some(es) = self.catalogue.whole.get(text) {
            return Some((*es).to_owned());
        }
        self.say_phrase(text, false, depth)
            .or_else(|| self.say_parts(text, depth))
            .or_else(|| self.say_phrase(text, true, depth))
            .or_else(|| self.say_cause(text, depth))
            .or_else(|| self.say_choice(text, depth))
    }

    /// As one sentence with holes; `across`: a hole may hold the joint of a list.
    fn say_phrase(&self, text: &str, across: bool, depth: usize) -> Option<String> {
        let all = self.catalogue;
        let candidates = text.bytes().next().and_then(|b| all.by_first.get(&b)).unwrap_or(&all.open);
        let found = candidates.iter().map(|i| &all.phrases[*i]);
        let (phrase, holes) = found.into_iter().find_map(|p| Some((p, p.holes(text, across || p.joined)?)))?;
        let mut out = String::with_capacity(text.len() + text.len() / 4);
        for (i, piece) in phrase.es.iter().enumerate() {
            if let Some(hole) = i.checked_sub(1).and_then(|i| holes.get(i)) {
                out.push_str(&self.say(hole, depth + 1).unwrap_or_else(|| (*hole).to_owned()));
            }
            out.push_str(piece);
        }
        Some(out)
    }

    /// As a list, item by item; a joint between backticks belongs to what is quoted there.
    fn say_parts(&self, text: &str, depth: usize) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(JOINT) {
            match parts.last_mut().filter(|last| last.matches('`').count() % 2 == 1) {
                Some(last) => *last = format!("{last}{JOINT}{part}"),
                None => parts.push(part.to_owned()),
            }
        }
        let said: Vec<Option<String>> =
            if parts.len() > 1 { parts.iter().map(|p| self.say(p, depth + 1)).collect() } else { Vec::new() };
        said.iter().any(Option::is_some).then(|| {
            let each = parts.into_iter().zip(said).map(|(part, said)| said.unwrap_or(part));
            each.collect::<Vec<_>>().join(JOINT)
        })
    }

    /// As what was done, a colon, and why it failed; one of the two may be another program's words.
    fn say_cause(&self, text: &str, depth: usize) -> Option<String> {
        let (what, why) = text.split_once(": ")?;
        let (what_es, why_es) = (self.say(what, depth + 1), self.say(why, depth + 1));
        (what_es.is_some() || why_es.is_some())
            .then(|| format!("{}: {}", what_es.as_deref().unwrap_or(what), why_es.as_deref().unwrap_or(why)))
    }

    /// As `a, b or c`, where each is known or a value in one word.
    fn say_choice(&self, text: &str, depth: usize) -> Option<String> {
        for (en, es) in [(" or ", " o "), (" and ", " y ")] {
            let Some((before, last)) = text.rsplit_once(en) else { continue };
            let item = |part: &str| match self.say(part, depth + 1) {
                None if part.starts_with('`') && part.ends_with('`') => Some(part.to_owned()),
                None if part.contains(' ') || part.chars().all(char::is_alphabetic) => None,
                said => Some(said.unwrap_or_else(|| part.to_owned())),
            };
            let listed = |text: &str| text.split(", ").map(item).collect::<Option<Vec<_>>>().map(|all| all.join(", "));
            if let (Some(before), Some(last)) = (item(before).or_else(|| listed(before)), item(last)) {
                return Some(format!("{before}{es}{last}"));
            }
        }
        None
    }
}

impl Phrase {
    /// What a text has where the sentence has holes; none is empty.
    fn holes<'t>(&self, text: &'t str, across: bool) -> Option<Vec<&'t str>> {
        let (first, rest) = self.en.split_first()?;
        let (last, middle) = rest.split_last()?;
        let mut open = text.strip_prefix(first)?.strip_suffix(last)?;
        let mut holes = Vec::with_capacity(rest.len());
        for piece in middle {
            let at = open.char_indices().skip(1).map(|(at, _)| at).find(|at| open[*at..].starts_with(piece))?;
            holes.push(&open[..at]);
            open = &open[at + piece.len()..];
        }
        holes.push(open);
        holes.iter().all(|h| !h.is_empty() && (across || !h.contains(JOINT))).then_some(holes)
    }
}

/// The sentences of a catalogue: English and Spanish.
fn pairs(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    std::iter::from_fn(move || Some((lines.next()?, lines.next()?.trim_start())))
}

#[cfg(test)]
mod tests;
