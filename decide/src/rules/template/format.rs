//! Go's `fmt`: numbers and `printf` (package fmt and strconv.FormatFloat of Go 1.22). Pure.

use super::value::Value;

/// Widest field and longest precision; a template that asks for more is cut to it.
pub const WIDEST: usize = 1_000;

/// A number as Go prints it: `e`, `f` or `g`; the shortest digits that read back where no precision is given.
pub fn float(v: f64, verb: char, precision: Option<usize>) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match verb {
        'e' => exponent(v, precision),
        'f' => precision.map_or_else(|| format!("{v}"), |p| format!("{v:.p$}")),
        _ => general(v, precision),
    }
}

fn exponent(v: f64, precision: Option<usize>) -> String {
    let text = precision.map_or_else(|| format!("{v:e}"), |p| format!("{v:.p$e}"));
    let (digits, exp) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exp) = exp.strip_prefix('-').map_or(('+', exp), |e| ('-', e));
    format!("{digits}e{sign}{exp:0>2}")
}

fn general(v: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|p| p.max(1));
    // Digits and exponent, without zeros at the end.
    let text = precision.map_or_else(|| format!("{v:e}"), |p| format!("{v:.0$e}", p - 1));
    let (mantissa, exp) = text.split_once('e').unwrap_or((&text, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
    let significant = digits.trim_end_matches('0').len().max(1);
    let bound = match precision {
        None => SHORTEST_BOUND,
        Some(p) if p > significant && significant as i32 > exp => significant as i32,
        Some(p) => p as i32,
    };
    if exp < -4 || exp >= bound {
        return exponent(v, Some(significant - 1));
    }
    let decimals = usize::try_from(significant as i32 - 1 - exp).unwrap_or(0);
    format!("{v:.decimals$}")
}

/// From this exponent on `%g` and `%v` print an exponent where no precision is given (strconv/ftoa.go).
const SHORTEST_BOUND: i32 = 6;

/// `printf`.
pub fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args_left = args.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '0' | '#')) {
            spec.flag(flag);
        }
        spec.width = digits(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match args_left.next() {
                Some(value) => out.push_str(&spec.put(verb, value)),
                None => out.push_str(&format!("%!{verb}(MISSING)")),
            },
        }
    }
    let extra: Vec<String> = args_left.map(|v| format!("{}={}", v.go_type(), v.format())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut n = None;
    while let Some(d) = chars.next_if(char::is_ascii_digit) {
        let digit = d.to_digit(10).unwrap_or(0) as usize;
        n = Some((n.unwrap_or(0) * 10 + digit).min(WIDEST));
    }
    n
}

#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    fn flag(&mut self, flag: char) {
        match flag {
            '-' => self.minus = true,
            '+' => self.plus = true,
            ' ' => self.space = true,
            '0' => self.zero = true,
            _ => {}
        }
    }

    fn put(&self, verb: char, value: &Value) -> String {
        let numeric = |text: String| self.pad(self.signed(text), self.zero && !self.minus);
        let cut = |text: String| match self.precision {
            Some(p) => text.chars().take(p).collect(),
            None => text,
        };
        match (verb, value) {
            ('v', Value::Float(f)) => numeric(float(*f, 'g', self.precision)),
            ('e' | 'f' | 'g', Value::Float(f)) => {
                let default = if verb == 'g' { None } else { Some(6) };
                numeric(float(*f, verb, self.precision.or(default)))
            }
            ('F', Value::Float(f)) => numeric(float(*f, 'f', Some(self.precision.unwrap_or(6)))),
            ('E' | 'G', Value::Float(f)) => {
                let verb = verb.to_ascii_lowercase();
                let default = if verb == 'g' { None } else { Some(6) };
                numeric(float(*f, verb, self.precision.or(default)).replace('e', "E"))
            }
            ('T', value) => self.pad(cut(value.go_type()), false),
            ('v' | 'd', Value::Int(n)) => numeric(self.digits(*n)),
            ('U', Value::Int(n)) => self.pad(format!("U+{n:04X}"), false),
            ('x', Value::Int(n)) => numeric(format!("{n:x}")),
            ('X', Value::Int(n)) => numeric(format!("{n:X}")),
            ('o', Value::Int(n)) => numeric(format!("{n:o}")),
            ('b', Value::Int(n)) => numeric(format!("{n:b}")),
            ('c', Value::Int(n)) => {
                self.pad(u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(), false)
            }
            ('s' | 'v', Value::Text(t)) => self.pad(cut(t.clone()), false),
            ('q', Value::Text(t)) => self.pad(format!("{:?}", cut(t.clone())), false),
            ('x', Value::Text(t)) => self.pad(t.bytes().map(|b| format!("{b:02x}")).collect(), false),
            ('t' | 'v', Value::Bool(b)) => self.pad(b.to_string(), false),
            ('v', Value::Nil) => "<nil>".to_owned(),
            ('v', other) => self.pad(other.format(), false),
            (
                's',
                other @ (Value::Labels(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Sample(..)
                | Value::Time(_)
                | Value::Duration(_)
                | Value::Histogram(_)),
            ) => self.pad(cut(other.format()), false),
            (verb, other) => format!("%!{verb}({}={})", other.go_type(), self.put('v', other)),
        }
    }

    /// A whole number with at least as many digits as the precision says.
    fn digits(&self, n: i64) -> String {
        let sign = if n < 0 { "-" } else { "" };
        format!("{sign}{:0>width$}", n.unsigned_abs(), width = self.precision.unwrap_or(0).min(WIDEST))
    }

    fn signed(&self, text: String) -> String {
        match text.starts_with(['+', '-']) || text == "NaN" {
            true => text,
            false if self.plus => format!("+{text}"),
            false if self.space => format!(" {text}"),
            false => text,
        }
    }

    fn pad(&self, text: String, zero: bool) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.minus {
            return text + &" ".repeat(missing);
        }
        if zero && !text.ends_with(|c: char| c.is_alphabetic()) {
            let sign = usize::from(text.starts_with(['+', '-', ' ']));
            return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
        }
        " ".repeat(missing) + &text
    }
}
