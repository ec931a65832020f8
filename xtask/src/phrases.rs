//! Sentences of the sources that people read in either language: each must stand in a catalogue of `kernel/src/phrase/`. I/O.

use std::path::Path;

use anyhow::Result;

/// Where failures are worded. Texts that are written in both languages beside each other (findings, messages) are not here:
/// the compiler or their own tests see to those. Mistakes in templates (`decide/src/rules/template`) are told in Go's own
/// words, which people look up, and which promtool says too.
const SOURCES: &[&str] = &[
    "observe/src/probe",
    "observe/src/host",
    "act/src/notify/",
    "decide/src/deliver/attempt.rs",
    "decide/src/deliver/route.rs",
    "decide/src/health/composite.rs",
    "decide/src/health/heartbeat.rs",
    "decide/src/rules/file.rs",
    "decide/src/rules/query.rs",
    "decide/promql/src/syntax/",
    "kernel/src/duration.rs",
    "kernel/src/quantity.rs",
    "kernel/src/schedule/",
    "plan/model/src/load",
    "plan/model/src/schema.rs",
    "plan/model/src/verify",
    "plan/syntax/src/",
    "run/src/resolver.rs",
];

/// Files among them that hold other texts: paths of plans, expressions written out.
const OTHERS: &[&str] = &["tests", "any_text.rs", "promql/src/syntax/display.rs"];

/// Texts that are no sentences of this program, by how they begin: commands to other programs, markup.
const NOT_SENTENCES: &[&str] = &["SELECT ", "SHOW ", "SET ", "BEGIN ", "EHLO ", "Bearer ", "Basic ", "<"];

/// Texts that stay as they are, whole, by reason.
const EXEMPT: &[(&str, &[&str])] = &[
    (
        "another program's own words, looked for",
        &[
            "not been booted with systemd",
            "Failed to connect to bus",
            "unknown anchor",
            "end of stream",
            "quoted scalar",
            "flow mapping",
            "flow sequence",
            "misplaced bracket",
            "mapping values",
            "block mapping",
            "block collection",
            "simple key",
            "block sequence",
            "unexpected character",
        ],
    ),
    (
        "stands beside the same in the other language",
        &["Abrir en Farero", "Open in Farero", "y {} más", "and {} more", "texto listo para {}: {}", "se esperaba"],
    ),
    (
        "for programmers",
        &[
            "the schema uses `{}`, which the plan's checker does not understand: extend plan_syntax::shape",
            "the fields of Check say what each kind is; one is made per check, at start",
            "the names say it",
        ],
    ),
    (
        "help in the schema, for editors",
        &[
            "A parameter's value: ${param:NAME}.",
            "A duration: number and unit, largest unit first, such as 30s, 5m, 1h30m, 7d.",
            "A percentage with its sign, such as 90%.",
        ],
    ),
    ("a word of plans or templates", &["else if", "watchdog every"]),
    (
        "a part of sentences that a catalogue has whole",
        &[
            " or ",
            " inside braces",
            " inside brackets",
            "unexpected character{}: {}",
            "; did you mean {}?",
            "; did you mean `{}`?",
            "there is no function `{}`{}",
            "expected at least {}",
            "expected at most {}",
            "{} argument(s) in call to {}, got {}",
            "{}; down: {}",
            "{} to {}",
            "{}: {}, status {}",
        ],
    ),
];

pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in crate::files(root, &[".rs"])? {
        let name = crate::relative(root, &path);
        if SOURCES.iter().any(|s| name.starts_with(s)) && !OTHERS.iter().any(|o| name.contains(o)) {
            let text = std::fs::read_to_string(&path)?;
            out.extend(unknown(&text, &kernel::phrase::knows).into_iter().map(|(line, sentence)| {
                format!("{name}:{line}: `{sentence}` has no Spanish: add both to a catalogue in kernel/src/phrase/")
            }));
        }
    }
    Ok(out)
}

/// Sentences that are not known, with their lines.
fn unknown(source: &str, knows: &dyn Fn(&str) -> bool) -> Vec<(usize, String)> {
    let code = source.split("#[cfg(test)]\nmod").next().unwrap_or_default();
    let all = literals(code).into_iter().map(|(line, text)| (line, template(&text), text));
    let unknown = all.filter(|(_, sentence, text)| is_sentence(sentence) && !knows(sentence) && !knows(text));
    unknown.map(|(line, sentence, _)| (line, sentence)).collect()
}

/// Small words beside each other, and not one of the exceptions.
fn is_sentence(text: &str) -> bool {
    let word = |w: &&str| w.len() > 1 && w.chars().all(|c| c.is_lowercase() || ",:;'`?".contains(c));
    let words: Vec<&str> = text.split(' ').collect();
    let is_path = words.iter().any(|w| matches!(*w, "*" | "#"));
    let speaks = words.windows(2).any(|pair| pair.iter().all(word)) || words.len() > 2 && words.iter().any(word);
    let is_other = NOT_SENTENCES.iter().any(|n| text.starts_with(n));
    speaks && !is_path && !is_other && !EXEMPT.iter().any(|(_, texts)| texts.contains(&text))
}

/// A format string with its places as `{}`, places beside each other (`{host}:{port}`) as one, and doubled braces as
/// single ones.
fn template(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        let place = rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|(inside, _)| inside);
        match place.filter(|inside| is_place(inside)) {
            Some(inside) => {
                taken = inside.len() + 2;
                let joined = ["{}", "{}:", "{}/"].iter().find(|end| out.ends_with(*end));
                match joined {
                    Some(end) => out.truncate(out.len() - (end.len() - 2)),
                    None => out.push_str("{}"),
                }
            }
            None => {
                taken += usize::from(matches!(c, '{' | '}') && rest[1..].starts_with(c));
                out.push(c);
            }
        }
        rest = &rest[taken..];
    }
    out
}

/// What stands in a place: nothing, a name or a number, and a form such as `:.0`.
fn is_place(inside: &str) -> bool {
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    name.chars().all(|c| c.is_alphanumeric() || c == '_') && form.chars().all(|c| "0123456789.?#<>^+x".contains(c))
}

/// The string literals of code outside of comments, with their lines, as the program has them.
fn literals(code: &str) -> Vec<(usize, String)> {
    let (mut out, mut line) = (Vec::new(), 1);
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '\n' => line += 1,
            '/' if rest.starts_with("//") => taken = rest.find('\n').unwrap_or(rest.len()),
            '\'' if rest[1..].starts_with('\\') => taken = 2 + rest[2..].find('\'').map_or(0, |at| at.max(1) + 1),
            '\'' if rest.chars().nth(2) == Some('\'') => taken = 2 + rest.chars().nth(1).map_or(1, char::len_utf8),
            '"' => {
                let (text, length) = literal(&rest[1..]);
                out.push((line, text));
                taken = length + 2;
                line += rest[..taken.min(rest.len())].matches('\n').count();
            }
            _ => {}
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// A literal after its first quote: its text, and how long it is in the source.
fn literal(source: &str) -> (String, usize) {
    let (mut text, mut escaped, mut joining) = (String::new(), false, false);
    for (at, c) in source.char_indices() {
        match c {
            _ if escaped => {
                escaped = false;
                match c {
                    '\n' => joining = true,
                    'n' => text.push('\n'),
                    c => text.push(c),
                }
            }
            ' ' | '\n' if joining => {}
            '\\' => (escaped, joining) = (true, false),
            '"' => return (text, at),
            c => {
                joining = false;
                text.push(c);
            }
        }
    }
    (text, source.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pln_12_a_sentence_without_spanish_is_found_with_its_line() {
        let source = "// \"not in a comment at all\"\nlet c = '\"';\nfail(format!(\"the cow {name} is not \\\n    in {:?}\", x));\nsql(\"SELECT of all cows\");\n\
                      name(\"two\");\nf(\"`{{ end }}` closes nothing\")\n#[cfg(test)]\nmod tests { f(\"only for this test\") }";
        let found = unknown(source, &|s| s == "`{ end }` closes nothing");
        assert_eq!(found, [(3, "the cow {} is not in {}".to_owned())]);
        assert_eq!(
            template("{used} of {max}{memory}{error} ({:.0} %) `${{param}}`"),
            "{} of {}{} ({} %) `${param}`".replace("{}{}", "{}")
        );
    }
}
