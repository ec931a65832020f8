//! Takes known secrets out of texts: evidence, errors, logs, messages. Pure.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::forms::{Run, all};
use super::{REDACTED, SHORTEST_REDACTED, Secret};

/// A redactor looks for at most this many secrets; a plan has tens. Those beyond, the shortest, are not looked for.
pub const MOST_SECRETS: usize = 5_000;

/// Takes known secrets out of texts, in every form that they usually take: plain, percent-encoded, in JSON, in HTML, in
/// base64 (`Authorization: Basic …` holds user and password so), in hexadecimal. One pass over a text, however many
/// secrets there are. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Finder>>);

struct Finder {
    secrets: Vec<Secret>,
    automaton: AhoCorasick,
    /// How far a find of each pattern reaches.
    runs: Vec<Run>,
}

impl Redactor {
    /// Of these secrets; those that are too short to be told from ordinary words are left out.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut secrets: Vec<Secret> =
            secrets.into_iter().filter(|s| s.expose().trim().len() >= SHORTEST_REDACTED).collect();
        secrets.sort_by(|a, b| b.expose().len().cmp(&a.expose().len()).then_with(|| a.expose().cmp(b.expose())));
        secrets.dedup();
        secrets.truncate(MOST_SECRETS);
        let forms: Vec<_> = secrets.iter().flat_map(|s| all(s.expose())).collect();
        if forms.is_empty() {
            return Self(None);
        }
        // Small rather than fast: a redactor belongs to every check that knows a secret of its own.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms.iter().map(|f| f.text.as_bytes()));
        let runs = forms.iter().map(|f| f.run).collect();
        // The library refuses only more patterns than fit into its numbers, which MOST_SECRETS keeps far away.
        Self(automaton.ok().map(|automaton| Arc::new(Finder { secrets, automaton, runs })))
    }

    /// A redactor of those secrets that this one does not know; both together know all.
    #[must_use]
    pub fn beside(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self::new(secrets.into_iter().filter(|s| self.redact(s.expose()) != REDACTED))
    }

    /// A redactor of this one's secrets and these.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self::new(self.secrets().iter().cloned().chain(secrets))
    }

    /// What it looks for.
    pub fn secrets(&self) -> &[Secret] {
        self.0.as_ref().map_or(&[], |f| &f.secrets)
    }

    /// Whether a text holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|f| f.automaton.is_match(text))
    }

    /// The text with every known secret replaced by [`REDACTED`].
    pub fn redact(&self, text: &str) -> String {
        self.redacted(text).into_owned()
    }

    /// As [`Redactor::redact`], without a copy where there is nothing to take out.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = self.0.as_ref() else { return Cow::Borrowed(text) };
        let mut found = finder.places(text.as_bytes()).peekable();
        if found.peek().is_none() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut kept_to) = (String::with_capacity(text.len()), 0);
        for place in found {
            if place.end <= kept_to {
                continue;
            }
            if place.start >= kept_to {
                out.push_str(text.get(kept_to..place.start).unwrap_or_default());
                out.push_str(REDACTED);
            }
            kept_to = place.end;
        }
        out.push_str(text.get(kept_to..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// As [`Redactor::redacted`], of bytes that need not be text.
    pub fn redacted_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        match std::str::from_utf8(bytes) {
            Ok(text) => match self.redacted(text) {
                Cow::Borrowed(_) => Cow::Borrowed(bytes),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            Err(_) if self.0.as_ref().is_some_and(|f| f.automaton.is_match(bytes)) => {
                Cow::Owned(self.redact(&String::from_utf8_lossy(bytes)).into_bytes())
            }
            Err(_) => Cow::Borrowed(bytes),
        }
    }
}

impl Finder {
    fn places<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        self.automaton.find_iter(text).map(|found| {
            let run = self.runs.get(found.pattern().as_usize()).copied().unwrap_or(Run::Exact);
            match run {
                Run::Exact => found.range(),
                Run::Base64 => {
                    let code = |b: &u8| b.is_ascii_alphanumeric() || b"+/-_".contains(b);
                    let before = text[..found.start()].iter().rev().take_while(|b| code(b)).count();
                    let after = text[found.end()..].iter().take_while(|b| code(b)).count();
                    let padding = text[found.end() + after..].iter().take(2).take_while(|b| **b == b'=').count();
                    found.start() - before..found.end() + after + padding
                }
            }
        })
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor of {}", self.secrets().len())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn of(secrets: &[&str]) -> Redactor {
        Redactor::new(secrets.iter().map(|s| Secret::new((*s).to_owned())))
    }

    fn check(secrets: &[&str], text: &str, expect: &str) {
        assert_eq!(of(secrets).redact(text), expect, "{text}");
    }

    #[test]
    fn sec_12_the_longest_secret_is_taken_out_whole() {
        check(
            &["hunter22", "hunter22-and-more", "a"],
            "say hunter22-and-more, hunter22, a",
            "say [redacted], [redacted], a",
        );
        check(&["hunter22"], "hunter22hunter22", "[redacted][redacted]");
        check(&["hunter22"], "hunter22", "[redacted]");
        check(&[], "hunter22", "hunter22");
        check(&["   "], "a   b", "a   b");
    }

    #[test]
    fn sec_12_secrets_are_found_in_every_usual_form() {
        let secret = "p@ss \"wörd\"<&'/+1";
        let redactor = of(&[secret]);
        let quoted = serde_json::to_string(secret).unwrap();
        let nested = serde_json::to_string(&serde_json::json!({ "inner": quoted }).to_string()).unwrap();
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("ana:{secret}")));
        let forms = [
            secret.to_owned(),
            quoted,
            "x=p%40ss%20%22w%C3%B6rd%22%3C%26%27%2F%2B1".to_owned(),
            "x=p%40ss+%22w%C3%B6rd%22%3C%26%27%2F%2B1".to_owned(),
            "x=p%40ss%20%22w%c3%b6rd%22%3c%26%27%2f%2b1".to_owned(),
            "p@ss &#34;wörd&#34;&#60;&#38;&#39;/+1".to_owned(),
            "p@ss &quot;wörd&quot;&lt;&amp;&#x27;/+1".to_owned(),
            secret.bytes().map(|b| format!("{b:02x}")).collect(),
            basic.clone(),
        ];
        for form in forms {
            let shown = redactor.redact(&format!("before {form} after"));
            assert!(
                shown.contains(REDACTED) && shown.starts_with("before ") && shown.ends_with(" after"),
                "{form}: {shown}"
            );
            assert!(!shown.contains("ss") && !shown.contains("40ss"), "{form}: {shown}");
        }
        assert!(!redactor.redact(&nested).contains("ss"), "{nested}");
        // What stands around a base64 text stays, what belongs to it goes: its edges hold bits of the secret.
        assert_eq!(redactor.redact(&format!("{basic}; next")), "Basic [redacted]; next");
    }

    #[test]
    fn what_is_known_already_needs_no_second_redactor() {
        let known = of(&["hunter22"]);
        let more = known.beside([Secret::new("hunter22".into()), Secret::new("another-one".into())]);
        assert_eq!(more.secrets().len(), 1);
        assert_eq!(known.with(more.secrets().to_vec()).secrets().len(), 2);
        assert!(known.beside([Secret::new("hunter22".into())]).secrets().is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_lose_their_secrets_too() {
        let redactor = of(&["hunter22"]);
        assert_eq!(&*redactor.redacted_bytes(b"\xff\xfe"), b"\xff\xfe");
        let shown = redactor.redacted_bytes(b"\xffhunter22\n");
        assert!(String::from_utf8_lossy(&shown).ends_with("[redacted]\n"), "{shown:?}");
    }
}
