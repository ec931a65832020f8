//! Tokens into a tree; unknown functions and undefined variables are found here. Pure.

use std::collections::BTreeMap;

use super::lex::{Piece, Tok, Token, pieces};
use super::{DEEPEST, Flavour, TemplateError, builtins, functions};

/// Variables that every rule's template has, as Prometheus sets them.
const VARIABLES: [&str; 5] = ["", "labels", "externalLabels", "externalURL", "value"];
/// Those that a plan's templates have besides.
const OF_PLANS: [&str; 2] = ["names", "reason"];

/// A template as a tree, with the templates it defines.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The template itself.
    pub body: Vec<Node>,
    /// What `define` and `block` define.
    pub defined: BTreeMap<String, Vec<Node>>,
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Stands for itself.
    Text(String),
    /// Prints its value, unless it sets a variable.
    Print(Pipeline),
    /// `if` and `with`: branches in order, then what else.
    Branch {
        /// Whether `.` becomes the value (`with`).
        with: bool,
        /// Conditions and what they lead to.
        branches: Vec<(Pipeline, Vec<Self>)>,
        /// When none holds.
        otherwise: Vec<Self>,
    },
    /// `range`.
    Range(Pipeline, Vec<Self>, Vec<Self>),
    /// `template`: name, what `.` becomes, the place of the name.
    Call(String, Option<Pipeline>, usize),
    /// `break`
    Break,
    /// `continue`
    Continue,
}

/// Commands whose values go into one another, and the variables that are set.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Variables set, by name.
    pub sets: Vec<String>,
    /// Whether they are new (`:=`).
    pub declares: bool,
    /// Commands.
    pub commands: Vec<Vec<Operand>>,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// One operand, and the fields asked of it.
#[derive(Clone, Debug)]
pub struct Operand {
    /// What it is.
    pub kind: Kind,
    /// `.a.b` after it.
    pub fields: Vec<String>,
    /// Where the first of these begins that Go takes apart: the first after a variable, the second of `.a.b`.
    pub chain: usize,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// What an operand is.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Var(String),
    Function(String),
    Inner(Box<Pipeline>),
}

/// Reads a template.
pub fn parse(text: &str, flavour: Flavour) -> Result<Tree, TemplateError> {
    let pieces = pieces(text)?;
    let mut parser = Parser {
        pieces: pieces.into_iter().peekable(),
        variables: variables(flavour).map(ToOwned::to_owned).collect(),
        flavour,
        defined: BTreeMap::new(),
        depth: 0,
        in_range: 0,
    };
    let (body, end) = parser.list()?;
    if let Some((word, start, end)) = end {
        let word = if word == "end" { "end" } else { "else" };
        let message = format!("`{word}` has no `if`, `range` or `with` before it");
        return Err(TemplateError::new(start, end - start, message).go(format!("unexpected {{{{{word}}}}}")));
    }
    Ok(Tree { body, defined: parser.defined })
}

fn variables(flavour: Flavour) -> impl Iterator<Item = &'static str> {
    let own = if flavour == Flavour::Plan { OF_PLANS.as_slice() } else { &[] };
    VARIABLES.iter().chain(own).copied()
}

/// How a list ended: `end` or `else`, and where.
type End = Option<(String, usize, usize)>;

struct Parser {
    flavour: Flavour,
    pieces: std::iter::Peekable<std::vec::IntoIter<Piece>>,
    variables: Vec<String>,
    defined: BTreeMap<String, Vec<Node>>,
    depth: usize,
    in_range: usize,
}

impl Parser {
    fn list(&mut self) -> Result<(Vec<Node>, End), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (tokens, start, end) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(tokens, start, end) => (tokens, start, end),
            };
            let word = match tokens.first().map(|t| &t.tok) {
                None => {
                    let error = TemplateError::new(start, end - start, "this action is empty");
                    return Err(error.go("missing value for command"));
                }
                Some(Tok::Word(word)) => word.clone(),
                Some(_) => String::new(),
            };
            let rest = Line::new(&tokens[1..], start, end);
            match word.as_str() {
                "end" | "else" => {
                    if word == "else" && !rest.tokens.is_empty() {
                        // `else if`, `else with`: the rest is read by the branch.
                        let again = Piece::Action(rest.tokens.to_vec(), start, end);
                        let following: Vec<Piece> = std::iter::once(again).chain(self.pieces.by_ref()).collect();
                        self.pieces = following.into_iter().peekable();
                        return Ok((nodes, Some(("else if".to_owned(), start, end))));
                    }
                    rest.done()?;
                    return Ok((nodes, Some((word, start, end))));
                }
                "if" | "with" => nodes.push(self.branch(&word, rest)?),
                "range" => nodes.push(self.range(rest)?),
                "define" | "block" | "template" => nodes.extend(self.named(&word, rest)?),
                "break" | "continue" => {
                    rest.done()?;
                    if self.in_range == 0 {
                        let message = format!("`{word}` stands outside of `range`");
                        let go = format!("{{{{{word}}}}} outside {{{{range}}}}");
                        return Err(TemplateError::new(start, end - start, message).go(go));
                    }
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                _ => {
                    let mut line = Line::new(&tokens, start, end);
                    nodes.push(Node::Print(self.pipeline(&mut line, false, "command")?));
                    line.done()?;
                }
            }
        }
        Ok((nodes, None))
    }

    /// A list in a scope of its own, up to its `end` or `else`.
    fn inner(&mut self, open: (usize, usize)) -> Result<(Vec<Node>, String), TemplateError> {
        self.deeper(open.0)?;
        let known = self.variables.len();
        let (nodes, end) = self.list()?;
        self.variables.truncate(known);
        self.depth -= 1;
        match end {
            Some((word, ..)) => Ok((nodes, word)),
            None => {
                let message = "this is not closed: write `{{ end }}` after it";
                Err(TemplateError::new(open.0, open.1 - open.0, message).go("unexpected EOF"))
            }
        }
    }

    fn deeper(&mut self, at: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(TemplateError::new(at, 2, "this is nested too deeply")) } else { Ok(()) }
    }

    fn branch(&mut self, word: &str, mut line: Line<'_>) -> Result<Node, TemplateError> {
        let open = (line.start, line.end);
        let outer = self.variables.len();
        let mut branches = Vec::new();
        let mut condition = self.pipeline(&mut line, false, word)?;
        line.done()?;
        let otherwise = loop {
            let (body, end) = self.inner(open)?;
            branches.push((condition, body));
            match end.as_str() {
                "else" => break self.last_branch(open)?,
                "else if" => {
                    let Some(Piece::Action(tokens, start, end)) = self.pieces.next() else { break Vec::new() };
                    if !matches!(tokens.first().map(|t| &t.tok), Some(Tok::Word(w)) if w == word) {
                        let message = format!("after `else` only `{word}` can follow here");
                        return Err(TemplateError::new(start, end - start, message));
                    }
                    let mut line = Line::new(&tokens[1..], start, end);
                    condition = self.pipeline(&mut line, false, word)?;
                    line.done()?;
                }
                _ => break Vec::new(),
            }
        };
        self.variables.truncate(outer);
        Ok(Node::Branch { with: word == "with", branches, otherwise })
    }

    /// What stands after a plain `else`.
    fn last_branch(&mut self, open: (usize, usize)) -> Result<Vec<Node>, TemplateError> {
        let (body, end) = self.inner(open)?;
        if end == "end" {
            return Ok(body);
        }
        Err(TemplateError::new(open.0, open.1 - open.0, "this has two `else`").go("expected end; found {{else}}"))
    }

    fn range(&mut self, mut line: Line<'_>) -> Result<Node, TemplateError> {
        let open = (line.start, line.end);
        let outer = self.variables.len();
        let over = self.pipeline(&mut line, true, "range")?;
        line.done()?;
        self.in_range += 1;
        let (body, end) = self.inner(open)?;
        self.in_range -= 1;
        let otherwise = match end.as_str() {
            "else" => self.last_branch(open)?,
            "else if" => return Err(TemplateError::new(open.0, open.1 - open.0, "`range` has a plain `else` only")),
            _ => Vec::new(),
        };
        self.variables.truncate(outer);
        Ok(Node::Range(over, body, otherwise))
    }

    fn named(&mut self, word: &str, mut line: Line<'_>) -> Result<Option<Node>, TemplateError> {
        let open = (line.start, line.end);
        let at = line.tokens.first().map_or(open.0, |t| t.start);
        let Some(Tok::Text(name)) = line.next().map(|t| t.tok.clone()) else {
            let message = format!("`{word}` needs the template's name as a text");
            return Err(TemplateError::new(open.0, open.1 - open.0, message));
        };
        let with =
            if line.tokens.is_empty() { None } else { Some(self.pipeline(&mut line, false, "template clause")?) };
        line.done()?;
        if word == "template" {
            return Ok(Some(Node::Call(name, with, at)));
        }
        let known = std::mem::replace(&mut self.variables, vec![String::new()]);
        let in_range = std::mem::take(&mut self.in_range);
        let (body, _) = self.inner(open)?;
        self.in_range = in_range;
        self.variables = known;
        self.defined.insert(name.clone(), body);
        Ok((word == "block").then_some(Node::Call(name, with, at)))
    }

    fn pipeline(&mut self, line: &mut Line<'_>, in_range: bool, of: &str) -> Result<Pipeline, TemplateError> {
        let start = line.tokens.first().map_or(line.start, |t| t.start);
        let (sets, declares) = self.sets(line, in_range)?;
        let mut commands = Vec::new();
        loop {
            let mut operands = Vec::new();
            while let Some(token) = line.tokens.first() {
                if matches!(token.tok, Tok::Sign('|' | ')')) {
                    break;
                }
                operands.push(self.operand(line)?);
            }
            // Go lets a pipe at the end pass.
            if operands.is_empty() && !commands.is_empty() && self.flavour == Flavour::Prometheus {
                break;
            }
            if operands.is_empty() {
                let message =
                    if commands.is_empty() { "a value is missing here" } else { "a function is missing after `|`" };
                let error = TemplateError::new(line.end.saturating_sub(2), 2, message);
                return Err(error.go(format!("missing value for {of}")));
            }
            let runs = operands
                .first()
                .is_some_and(|o: &Operand| matches!(o.kind, Kind::Function(_) | Kind::Var(_)) || !o.fields.is_empty());
            if !commands.is_empty() && !runs {
                let at = operands.first().map_or(start, |o: &Operand| o.start);
                let go = format!("non executable command in pipeline stage {}", commands.len() + 1);
                return Err(TemplateError::new(at, 1, "after `|` a function must stand").go(go));
            }
            commands.push(operands);
            if !line.next_if(&Tok::Sign('|')) {
                break;
            }
        }
        let end = line.taken;
        self.variables.extend(sets.iter().filter(|_| declares).cloned());
        Ok(Pipeline { sets, declares, commands, start, end })
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    fn sets(&mut self, line: &mut Line<'_>, in_range: bool) -> Result<(Vec<String>, bool), TemplateError> {
        let kinds: Vec<&Tok> = line.tokens.iter().take(4).map(|t| &t.tok).collect();
        let (names, taken, sign) = match kinds.as_slice() {
            [Tok::Var(a), sign @ (Tok::Declare | Tok::Sign('=')), ..] => (vec![a.clone()], 2, *sign),
            [Tok::Var(a), Tok::Sign(','), Tok::Var(b), sign @ (Tok::Declare | Tok::Sign('='))] if in_range => {
                (vec![a.clone(), b.clone()], 4, *sign)
            }
            _ => return Ok((Vec::new(), false)),
        };
        let declares = *sign == Tok::Declare;
        for (name, token) in names.iter().zip(line.tokens) {
            if !declares && !self.variables.contains(name) {
                return Err(undefined(name, token));
            }
        }
        line.tokens = &line.tokens[taken..];
        Ok((names, declares))
    }

    fn operand(&mut self, line: &mut Line<'_>) -> Result<Operand, TemplateError> {
        let Some(token) = line.next() else { return Err(TemplateError::new(line.start, 2, "a value is missing here")) };
        let (start, mut end) = (token.start, token.end);
        let mut fields = Vec::new();
        let mut chain = match line.tokens.first() {
            Some(Token { tok: Tok::Field(_), glued: true, start, .. }) => *start,
            _ => start,
        };
        let kind = match &token.tok {
            Tok::Dot => Kind::Dot,
            Tok::Field(name) => {
                fields.push(name.clone());
                Kind::Dot
            }
            Tok::Text(text) => Kind::Text(text.clone()),
            Tok::Int(n) => Kind::Int(*n),
            Tok::Float(n) => Kind::Float(*n),
            Tok::Var(name) if self.variables.contains(name) => Kind::Var(name.clone()),
            Tok::Var(name) => return Err(undefined(name, token)),
            Tok::Word(word) => word_kind(word, token, self.flavour)?,
            Tok::Sign('(') => {
                self.deeper(start)?;
                let inner = self.pipeline(line, false, "parenthesized pipeline")?;
                self.depth -= 1;
                if !line.next_if(&Tok::Sign(')')) {
                    return Err(
                        TemplateError::new(start, 1, "this parenthesis is not closed").go("unclosed left paren")
                    );
                }
                end = line.taken;
                // What follows a parenthesis may have moved it.
                if let Some(Token { tok: Tok::Field(_), glued: true, start, .. }) = line.tokens.first() {
                    chain = *start;
                }
                Kind::Inner(Box::new(inner))
            }
            Tok::Sign(c) => return Err(TemplateError::new(start, 1, format!("`{c}` does not belong here"))),
            Tok::Declare => return Err(TemplateError::new(start, 2, "`:=` needs a variable before it")),
        };
        while let Some(Token { tok: Tok::Field(name), glued: true, .. }) = line.tokens.first() {
            fields.push(name.clone());
            line.next();
            end = line.taken;
        }
        Ok(Operand { kind, fields, chain, start, end })
    }
}

fn word_kind(word: &str, token: &Token, flavour: Flavour) -> Result<Kind, TemplateError> {
    match word {
        "true" => Ok(Kind::Bool(true)),
        "false" => Ok(Kind::Bool(false)),
        "nil" => Ok(Kind::Nil),
        _ if builtins::NAMES.contains(&word) => Ok(Kind::Function(word.to_owned())),
        _ if functions::names(flavour).any(|name| name == word) => Ok(Kind::Function(word.to_owned())),
        _ => {
            let all = builtins::NAMES.into_iter().chain(functions::names(flavour));
            let meant = plan_syntax::suggest::nearest(word, all).map(|n| format!("; did you mean `{n}`?"));
            let message = format!("there is no function `{word}`{}", meant.unwrap_or_default());
            let error = TemplateError::new(token.start, token.end - token.start, message);
            Err(error.go(format!("function {word:?} not defined")))
        }
    }
}

fn undefined(name: &str, token: &Token) -> TemplateError {
    let message = format!(
        "there is no variable `${name}`; there are $labels, $names, $reason, $value, $externalLabels, $externalURL"
    );
    let error = TemplateError::new(token.start, token.end - token.start, message);
    error.go(format!("undefined variable \"${name}\""))
}

/// The tokens of an action that are left, and the action's place.
struct Line<'t> {
    tokens: &'t [Token],
    start: usize,
    end: usize,
    /// Where the last token that was taken ends.
    taken: usize,
}

impl<'t> Line<'t> {
    fn new(tokens: &'t [Token], start: usize, end: usize) -> Self {
        Self { tokens, start, end, taken: start }
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        self.taken = first.end;
        Some(first)
    }

    fn next_if(&mut self, tok: &Tok) -> bool {
        let found = self.tokens.first().is_some_and(|t| t.tok == *tok);
        found && self.next().is_some()
    }

    fn done(&self) -> Result<(), TemplateError> {
        match self.tokens.first() {
            None => Ok(()),
            Some(t) => Err(TemplateError::new(t.start, t.end - t.start, "this is too much here")),
        }
    }
}

impl Tree {
    /// Whether there is nothing to fill in.
    pub fn is_plain_text(&self) -> bool {
        matches!(self.body.as_slice(), [] | [Node::Text(_)]) && self.defined.is_empty()
    }
}
