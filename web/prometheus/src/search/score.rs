//! How well a text matches what somebody typed, from 0 to 1. Pure.
//!
//! *Subsequence*: all letters of the term in their order, runs of letters squared, gaps as parts of the text taken off, what is left behind
//! the last letter taken off by half; divided by the square of the term's length. *Jaro-Winkler*: W. E. Winkler, "String Comparator Metrics
//! and Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage" (1990).

/// How texts are compared that do not simply hold the term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Subsequence,
    JaroWinkler,
}

/// What is below an exact match is at most this.
const INEXACT: f64 = 0.999;
/// Each letter that both begin with, up to [`PREFIX`] of them, closes so much of the gap to 1 (Winkler's).
const PREFIX_SCALE: f64 = 0.1;
const PREFIX: usize = 4;
/// A term that stands at the very end of a text still has so much.
const AT_THE_END: f64 = 0.1;

/// Terms, of which one is enough.
#[derive(Debug)]
pub(super) struct Wanted {
    terms: Vec<Vec<char>>,
    threshold: f64,
    algorithm: Algorithm,
    is_exact: bool,
}

impl Wanted {
    /// `threshold` from 0 to 1; without `is_exact` capitals and small letters are the same.
    pub(super) fn new(terms: &[&str], threshold: f64, algorithm: Algorithm, is_exact: bool) -> Self {
        let folded =
            |term: &&str| if is_exact { term.chars().collect() } else { term.to_lowercase().chars().collect() };
        let terms = terms.iter().filter(|t| !t.is_empty()).map(folded).collect();
        Self { terms, threshold, algorithm, is_exact }
    }

    /// How well a text matches; `None`: not at all. Everything matches no term.
    pub(super) fn score(&self, text: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let text: Vec<char> =
            if self.is_exact { text.chars().collect() } else { text.to_lowercase().chars().collect() };
        self.terms.iter().filter_map(|term| self.of_term(term, &text)).max_by(f64::total_cmp)
    }

    fn of_term(&self, term: &[char], text: &[char]) -> Option<f64> {
        match self.algorithm {
            Algorithm::Subsequence if text.starts_with(term) => Some(1.0),
            Algorithm::Subsequence => Some(subsequence(term, text)).filter(|s| *s > 0.0 && *s >= self.threshold),
            Algorithm::JaroWinkler => {
                let fuzzy = || Some(jaro_winkler(term, text)).filter(|s| self.threshold > 0.0 && *s >= self.threshold);
                inside(term, text).or_else(fuzzy)
            }
        }
    }
}

/// 1 where the text begins with the term, less the further behind it stands; `None` when it does not.
fn inside(term: &[char], text: &[char]) -> Option<f64> {
    let at = text.windows(term.len()).position(|w| w == term)?;
    let last = text.len() - term.len();
    Some(if at == 0 { 1.0 } else { 1.0 - (1.0 - AT_THE_END) * at as f64 / last as f64 })
}

fn subsequence(term: &[char], text: &[char]) -> f64 {
    if term == text {
        return 1.0;
    }
    let Some(first) = term.first().filter(|_| term.len() <= text.len()) else { return 0.0 };
    let mut best = 0.0f64;
    for start in (0..=text.len() - term.len()).filter(|at| text.get(*at) == Some(first)) {
        // Where the rest is missing here, it is missing behind here too.
        let Some(raw) = from(start, term, text) else { break };
        best = best.max(raw);
    }
    best / (term.len() * term.len()) as f64 * INEXACT
}

/// Takes each next letter at its next place.
fn from(start: usize, term: &[char], text: &[char]) -> Option<f64> {
    let part = 1.0 / text.len() as f64;
    let (mut score, mut at, mut done, mut behind) = (0.0, start, 0, 0);
    while done < term.len() {
        at += text.get(at..)?.iter().position(|c| *c == term[done])?;
        let run = text[at..].iter().zip(&term[done..]).take_while(|(a, b)| a == b).count();
        score += (run * run) as f64 - (at - behind) as f64 * part;
        (at, done) = (at + run, done + run);
        behind = at;
    }
    Some(score - (text.len() - behind) as f64 * part * 0.5)
}

fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let reach = (long.len() / 2).saturating_sub(1);
    let mut taken = vec![false; long.len()];
    let mut matched = Vec::new();
    for (i, letter) in short.iter().enumerate() {
        let range = i.saturating_sub(reach)..(i + reach + 1).min(long.len());
        if let Some(at) = range.clone().find(|at| !taken[*at] && long[*at] == *letter) {
            taken[at] = true;
            matched.push(*letter);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = taken.iter().zip(long).filter(|(taken, _)| **taken).map(|(_, letter)| letter);
    let moved = matched.iter().zip(others).filter(|(a, b)| a != b).count() as f64 / 2.0;
    let m = matched.len() as f64;
    let jaro = (m / short.len() as f64 + m / long.len() as f64 + (m - moved) / m) / 3.0;
    let prefix = short.iter().zip(long).take(PREFIX).take_while(|(a, b)| a == b).count();
    jaro + prefix as f64 * PREFIX_SCALE * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(term: &str, text: &str, algorithm: Algorithm, threshold: f64) -> Option<f64> {
        Wanted::new(&[term], threshold, algorithm, true).score(text)
    }

    fn near(found: Option<f64>, expect: f64) {
        assert!(found.is_some_and(|f| (f - expect).abs() < 1e-9), "{found:?} for {expect}");
    }

    #[test]
    fn letters_in_their_order_match_runs_best() {
        let check = |term: &str, text: &str, expect: f64| near(of(term, text, Algorithm::Subsequence, 0.0), expect);
        check("up", "up", 1.0);
        check("up", "up_total", 1.0);
        // One run of two behind one letter, two letters left: 4 - 1/5 - 2/5/2, over 4.
        check("bc", "abcde", (4.0 - 0.2 - 0.2) / 4.0 * INEXACT);
        // Two runs of one with a letter between and none behind.
        check("ac", "xabc", (1.0 - 0.25 + 1.0 - 0.25) / 4.0 * INEXACT);
        assert_eq!(of("cb", "abc", Algorithm::Subsequence, 0.0), None);
        assert_eq!(of("ac", "xabc", Algorithm::Subsequence, 0.9), None);
        assert_eq!(of("abcd", "abc", Algorithm::Subsequence, 0.0), None);
    }

    #[test]
    fn published_pairs_of_jaro_and_winkler() {
        let check = |a: &str, b: &str, expect: f64| {
            let chars = |t: &str| t.chars().collect::<Vec<char>>();
            let found = jaro_winkler(&chars(a), &chars(b));
            assert!((found - expect).abs() < 5e-4, "{a} {b}: {found}");
            assert!((found - jaro_winkler(&chars(b), &chars(a))).abs() < 1e-12);
        };
        check("MARTHA", "MARHTA", 0.9611);
        check("DWAYNE", "DUANE", 0.84);
        check("DIXON", "DICKSONX", 0.8133);
        check("abc", "xyz", 0.0);
    }

    #[test]
    fn terms_inside_count_by_where_they_stand() {
        near(of("http", "http_requests", Algorithm::JaroWinkler, 0.0), 1.0);
        near(of("ts", "requests", Algorithm::JaroWinkler, 0.0), AT_THE_END);
        assert_eq!(of("htpp", "http", Algorithm::JaroWinkler, 0.0), None);
        assert!(of("htpp", "http", Algorithm::JaroWinkler, 0.8).is_some());
    }

    #[test]
    fn one_of_several_terms_is_enough_and_capitals_may_not_matter() {
        let wanted = Wanted::new(&["", "GO", "up"], 0.0, Algorithm::Subsequence, false);
        assert_eq!((wanted.score("go_threads"), wanted.score("UP"), wanted.score("x")), (Some(1.0), Some(1.0), None));
        assert_eq!(Wanted::new(&[], 0.0, Algorithm::Subsequence, true).score("x"), Some(1.0));
    }
}
