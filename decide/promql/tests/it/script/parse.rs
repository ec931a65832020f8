//! A script's commands.

use kernel::Labels;

use super::load::Load;
use decide_promql::notation::{self, NotationError, number, quoted};
use kernel::series::Point;

/// A line of a script that does something.
#[derive(Debug)]
pub(crate) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// An expectation on messages: nothing, an exact text, or a regular expression.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Any,
    Exact(String),
    Regex(String),
}

#[derive(Debug, Default)]
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) expr: String,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// `None` for an instant query.
    pub(crate) step_ms: Option<i64>,
    pub(crate) ordered: bool,
    pub(crate) fail: Option<Text>,
    pub(crate) warn: Vec<Text>,
    pub(crate) info: Vec<Text>,
    pub(crate) no_warn: bool,
    pub(crate) no_info: bool,
    pub(crate) string: Option<String>,
    pub(crate) scalar: Option<f64>,
    /// `expect range vector from … to … step …`
    pub(crate) range_vector: Option<(i64, i64, i64)>,
    pub(crate) series: Vec<(Labels, Vec<Option<Point>>)>,
}

pub(crate) fn parse_script(text: &str) -> Vec<(usize, Result<Command, String>)> {
    let trimmed = text.lines().map(str::trim).map(|l| if l.starts_with('#') { "" } else { l });
    let lines: Vec<&str> = trimmed.collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let number = at + 1;
        at += 1;
        if line.is_empty() {
            continue;
        }
        let first = at;
        while at < lines.len() && !lines[at].is_empty() && line != "clear" {
            at += 1;
        }
        commands.push((number, command(line, number, &lines[first..at])));
    }
    commands
}

fn command(line: &str, number: usize, body: &[&str]) -> Result<Command, String> {
    match line.split_whitespace().next().unwrap_or_default() {
        "clear" => Ok(Command::Clear),
        word if word.starts_with("load") => {
            let step = line.split_whitespace().nth(1).ok_or("load without a step")?;
            Load::parse(duration_ms(step)?, word == "load_with_nhcb", body).map(Command::Load)
        }
        word if word.starts_with("eval") => eval(line, number, body).map(|e| Command::Eval(Box::new(e))),
        _ => Err(format!("unknown command: {line}")),
    }
}

fn text(e: NotationError) -> String {
    e.to_string()
}

fn duration_ms(t: &str) -> Result<i64, String> {
    notation::duration_ms(t).map_err(text)
}

fn word<'t>(text: &mut &'t str) -> &'t str {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    *text = rest.trim_start();
    first
}

fn eval(line: &str, number: usize, body: &[&str]) -> Result<Eval, String> {
    let mut rest = line;
    let mut eval = Eval { line: number, ..Eval::default() };
    match word(&mut rest) {
        "eval_fail" => eval.fail = Some(Text::Any),
        "eval_warn" => eval.warn.push(Text::Any),
        "eval_info" => eval.info.push(Text::Any),
        "eval_ordered" => eval.ordered = true,
        _ => {}
    }
    if word(&mut rest) == "range" {
        let mut times = [0; 3];
        for (i, name) in ["from", "to", "step"].into_iter().enumerate() {
            if word(&mut rest) != name {
                return Err(format!("expected {name:?} in {line}"));
            }
            times[i] = duration_ms(word(&mut rest))?;
        }
        (eval.start_ms, eval.end_ms, eval.step_ms) = (times[0], times[1], Some(times[2]));
    } else if let Some(after) = rest.strip_prefix("at ") {
        rest = after.trim_start();
        eval.start_ms = duration_ms(word(&mut rest))?;
        eval.end_ms = eval.start_ms;
    }
    eval.expr = rest.to_owned();
    for line in body {
        expectation(&mut eval, line)?;
    }
    Ok(eval)
}

fn expectation(eval: &mut Eval, line: &str) -> Result<(), String> {
    if let Some(text) = line.strip_prefix("expected_fail_message") {
        eval.fail = Some(Text::Exact(text.trim().to_owned()));
    } else if let Some(text) = line.strip_prefix("expected_fail_regexp") {
        eval.fail = Some(Text::Regex(text.trim().to_owned()));
    } else if let Some(rest) = line.strip_prefix("expect range vector") {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let time = |i: usize| duration_ms(words.get(i).copied().unwrap_or_default());
        eval.range_vector = Some((time(1)?, time(3)?, time(5)?));
    } else if let Some(rest) = line.strip_prefix("expect string") {
        eval.string = Some(quoted(rest.trim()).map_err(text)?.0);
    } else if let Some(rest) = line.strip_prefix("expect ") {
        let mut rest = rest.trim();
        let kind = word(&mut rest);
        let text = match (rest.strip_prefix("msg:"), rest.strip_prefix("regex:")) {
            (Some(t), _) => Text::Exact(t.trim().to_owned()),
            (_, Some(t)) => Text::Regex(t.trim().to_owned()),
            _ => Text::Any,
        };
        match kind {
            "ordered" => eval.ordered = true,
            "fail" => eval.fail = Some(text),
            "warn" => eval.warn.push(text),
            "info" => eval.info.push(text),
            "no_warn" => eval.no_warn = true,
            "no_info" => eval.no_info = true,
            _ => return Err(format!("unknown expectation: {line}")),
        }
    } else if let Some(v) = number(line) {
        eval.scalar = Some(v);
    } else {
        eval.series.push(notation::series(line).map_err(text)?);
    }
    Ok(())
}
