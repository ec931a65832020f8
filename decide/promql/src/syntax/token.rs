//! The words of PromQL. Pure.

use super::span::Span;

/// What a token is; names carry no text, it is read from the source by the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name without colon, keywords included.
    Name,
    /// A name with a colon in it: only a metric can have it.
    MetricName,
    Number,
    Duration,
    Text,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    /// `=`
    Assign,
    /// `==`
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    MatchRegex,
    NotRegex,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    /// `</`
    TrimUpper,
    /// `>/`
    TrimLower,
    End,
}

/// A word and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

impl Token {
    /// How a message names it.
    pub(crate) fn describe(self, source: &str) -> String {
        let text = source.get(self.span.range()).unwrap_or_default();
        match self.kind {
            Kind::End => "end of input".to_owned(),
            Kind::Name | Kind::MetricName if is_keyword(text) => format!("keyword {text:?}"),
            Kind::Name | Kind::MetricName => format!("identifier {text:?}"),
            Kind::Number => format!("number {text:?}"),
            Kind::Duration => format!("duration {text:?}"),
            Kind::Text => format!("string {text}"),
            Kind::LeftParen => "left parenthesis \"(\"".to_owned(),
            Kind::RightParen => "right parenthesis \")\"".to_owned(),
            Kind::LeftBrace => "left brace \"{\"".to_owned(),
            Kind::RightBrace => "right brace \"}\"".to_owned(),
            Kind::LeftBracket => "left bracket \"[\"".to_owned(),
            Kind::RightBracket => "right bracket \"]\"".to_owned(),
            _ => format!("{text:?}"),
        }
    }
}

/// Words that mean something by themselves, in lower case.
const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "unless",
    "atan2",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "fill",
    "fill_left",
    "fill_right",
    "anchored",
    "smoothed",
    "inf",
    "nan",
];

/// Words that can be no metric name when they stand alone.
const NO_METRIC: &[&str] = &["atan2", "on", "ignoring", "group_left", "group_right", "bool", "inf", "nan"];

pub(crate) fn is_keyword(text: &str) -> bool {
    KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(text))
}

pub(crate) fn may_name_metric(text: &str) -> bool {
    !NO_METRIC.iter().any(|k| k.eq_ignore_ascii_case(text))
}
