//! Expressions with a few bytes wrong, thrown at the parser, and what is still one at the evaluator: any answer but a panic will do, and
//! what an answer may cost stays bounded. As long as `FARERO_FUZZ_SECONDS` says; some hundred expressions without it.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use decide_promql::{Limits, Query, evaluate_cancellable, evaluate_explained, parse, pretty, to_json};

use crate::expressions::Choices;
use crate::properties::READER;

/// What the language is written with.
const PIECES: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "@",
    "offset",
    "-",
    "+",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    "<",
    ">",
    "=~",
    "!~",
    "\"",
    "'",
    "`",
    "\\",
    "sum",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "and",
    "or",
    "unless",
    "rate",
    "1y",
    "1s",
    "0",
    "1e308",
    "NaN",
    "Inf",
    "0x1F",
    "1_000",
    "start()",
    "end()",
    "step()",
    "range()",
    "anchored",
    "smoothed",
    "fill(0)",
    "fill_left(1)",
    "info",
    "label_replace",
    "topk",
    "limitk",
    "limit_ratio",
    "quantile",
    "ñ",
    "\u{0}",
    "#",
    "\n",
    "histogram_quantile",
    "__name__",
    ".+",
    "(a+)+",
    "$1",
    "</",
    ">/",
    "{{schema:1}}",
    "max_of",
    "min_of",
    "[5m:1ms]",
];

struct Source(u64);

impl Source {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n.max(1) as u64) as usize
    }

    /// Pieces put in, taken out, doubled or moved.
    fn mutated(&mut self, text: &str) -> String {
        let mut all: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(3) {
            let (at, other) = (self.below(all.len() + 1), self.below(all.len() + 1));
            let (from, to) = (at.min(other), at.max(other).min(at.min(other) + 12));
            match self.below(4) {
                0 => drop(all.drain(from..to.min(all.len()))),
                1 => drop(all.splice(at..at, PIECES[self.below(PIECES.len())].chars())),
                2 => {
                    let part: Vec<char> = all[from..to.min(all.len())].to_vec();
                    drop(all.splice(other..other, part));
                }
                _ if at < all.len() => all[at] = char::from(self.below(128) as u8),
                _ => {}
            }
        }
        all.into_iter().collect()
    }
}

#[test]
fn mutated_expressions_are_answered_or_refused() {
    let reader = &*READER;
    let seconds: u64 = std::env::var("FARERO_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let (began, mut seed, mut source) = (Instant::now(), 0, Source(0x5eed ^ seconds));
    let limits = Limits { max_samples: 200_000, max_points: 200_000, ..Limits::default() };
    let (mut parsed, mut evaluated) = (0, 0);
    while seed < 400 || began.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        let whole = if seed % 2 == 0 { Choices::new(seed) } else { Choices::with_histograms(seed) }.vector(3);
        let text = source.mutated(&whole);
        let Ok(expr) = parse(&text) else { continue };
        parsed += 1;
        // What is printed means the same.
        let again = parse(&expr.to_string()).unwrap_or_else(|e| panic!("{text}\nprinted {expr}\n{e}"));
        assert_eq!(again.to_string(), expr.to_string(), "{text}");
        let _ = (pretty(&expr), to_json(&expr).to_string());
        let going = AtomicBool::new(false);
        let range = Query::range(&expr, 200_000, 400_000, 20_000);
        evaluated += usize::from(evaluate_cancellable(&range, reader, &limits, &going).is_ok());
        let _ = evaluate_explained(&Query::instant(&expr, 300_000), reader, &limits, &going, &|| 0);
    }
    assert!(parsed > 10 && evaluated > 5, "{parsed} were expressions, {evaluated} answered");
}
