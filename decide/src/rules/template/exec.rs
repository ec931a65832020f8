//! Filling a template in. Pure.

use super::parse::{Kind, Node, Operand, Pipeline, Tree};
use super::value::{Value, Wrong};
use super::{DEEPEST, Flavour, LONGEST_OUTPUT, MOST_STEPS, Scope, TemplateError, builtins, functions, root, time};

/// Fills a template in.
pub fn run(tree: &Tree, scope: &Scope<'_>, flavour: Flavour) -> Result<String, TemplateError> {
    let dot = root(scope, flavour);
    let variables = vec![
        (String::new(), dot.clone()),
        ("labels".to_owned(), Value::Labels(scope.labels.clone())),
        ("reason".to_owned(), Value::Text(scope.reason.to_owned())),
        ("names".to_owned(), Value::Labels(scope.names.clone())),
        ("externalLabels".to_owned(), Value::Labels(scope.external_labels.clone())),
        ("externalURL".to_owned(), Value::Text(scope.external_url.to_owned())),
        ("value".to_owned(), scope.value.into()),
    ];
    let mut run = Run { tree, scope, flavour, variables, out: String::new(), steps: 0, depth: 0 };
    run.list(&tree.body, &dot)?;
    Ok(run.out)
}

/// How a list ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    tree: &'a Tree,
    scope: &'a Scope<'a>,
    flavour: Flavour,
    variables: Vec<(String, Value)>,
    out: String,
    steps: usize,
    depth: usize,
}

impl Run<'_> {
    fn step(&mut self, at: usize) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(TemplateError::new(at, 1, format!("this takes more than {MOST_STEPS} steps")));
        }
        if self.out.len() > LONGEST_OUTPUT {
            return Err(TemplateError::new(at, 1, format!("this makes more than {LONGEST_OUTPUT} bytes")));
        }
        Ok(())
    }

    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let mut flow = Flow::On;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::On {
                break;
            }
        }
        self.variables.truncate(known);
        Ok(flow)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.sets.is_empty() {
                    self.out.push_str(&value.print());
                }
            }
            Node::Branch { with, branches, otherwise } => return self.branch(*with, branches, otherwise, dot),
            Node::Range(over, body, otherwise) => return self.range(over, body, otherwise, dot),
            Node::Call(name, with, at) => self.call_template(name, with.as_ref(), *at, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn branch(
        &mut self,
        with: bool,
        branches: &[(Pipeline, Vec<Node>)],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let mut flow = None;
        for (condition, body) in branches {
            let value = self.pipeline(condition, dot)?;
            if value.truth() {
                flow = Some(self.list(body, if with { &value } else { dot })?);
                break;
            }
        }
        let flow = match flow {
            Some(flow) => flow,
            None => self.list(otherwise, dot)?,
        };
        self.variables.truncate(known);
        Ok(flow)
    }

    fn range(
        &mut self,
        over: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let value = self.pipeline(over, dot)?;
        self.variables.truncate(known);
        let items: Vec<(Value, Value)> = match value {
            Value::List(list) => list.into_iter().enumerate().map(|(i, v)| (Value::Int(i as i64), v)).collect(),
            Value::Map(map) => map.into_iter().map(|(k, v)| (Value::Text(k), v)).collect(),
            Value::Labels(l) => l.iter().map(|(k, v)| (Value::Text(k.into()), Value::Text(v.into()))).collect(),
            Value::Nil => Vec::new(),
            Value::Int(n) => (0..n.min(MOST_STEPS as i64)).map(|i| (Value::Int(i), Value::Int(i))).collect(),
            other => {
                let message = format!("`range` goes over lists and maps, not over {}", other.kind());
                let error = TemplateError::new(over.start, over.end.saturating_sub(over.start), message);
                return Err(error.go(format!("range can't iterate over {}", other.format())));
            }
        };
        if items.is_empty() {
            return self.list(otherwise, dot);
        }
        for (key, value) in items {
            self.step(over.start)?;
            match over.sets.as_slice() {
                [one] => self.set(one, over.declares, value.clone()),
                [first, second] => {
                    self.set(first, over.declares, key);
                    self.set(second, over.declares, value.clone());
                }
                _ => {}
            }
            let flow = self.list(body, &value)?;
            self.variables.truncate(known);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn call_template(
        &mut self,
        name: &str,
        with: Option<&Pipeline>,
        at: usize,
        dot: &Value,
    ) -> Result<(), TemplateError> {
        let dot = match with {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        self.call_with(name, dot, at)
    }

    fn call_with(&mut self, name: &str, dot: Value, at: usize) -> Result<(), TemplateError> {
        let Some(body) = self.tree.defined.get(name) else {
            let message = format!("there is no template `{name}`; define it in the same text");
            let error = TemplateError::new(at, name.len() + 2, message);
            return Err(error.go(format!("template {name:?} not defined")));
        };
        self.step(at)?;
        if self.depth >= DEEPEST {
            return Err(TemplateError::new(at, 2, format!("template `{name}` calls itself without an end")));
        }
        let outer = std::mem::replace(&mut self.variables, vec![(String::new(), dot.clone())]);
        self.depth += 1;
        let flow = self.list(body, &dot);
        self.depth -= 1;
        self.variables = outer;
        flow.map(|_| ())
    }

    fn set(&mut self, name: &str, declares: bool, value: Value) {
        let known = self.variables.iter_mut().rev().find(|(n, _)| n == name);
        match known {
            Some((_, old)) if !declares => *old = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        self.step(pipeline.start)?;
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        if let [name] = pipeline.sets.as_slice() {
            // In `range` the loop sets the variable to each item; to set it here too does no harm.
            self.set(name, pipeline.declares, value.clone());
        }
        Ok(value)
    }

    fn command(&mut self, operands: &[Operand], dot: &Value, piped: Option<Value>) -> Result<Value, TemplateError> {
        let Some((first, rest)) = operands.split_first() else { return Ok(Value::Nil) };
        let Kind::Function(name) = &first.kind else { return self.value(first, rest, dot, piped) };
        if matches!(name.as_str(), "and" | "or") {
            return self.and_or(name == "or", rest, dot, piped, first);
        }
        let mut args = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            args.push(self.operand(operand, dot)?);
        }
        args.extend(piped);
        let value = match builtins::call(name, &args, self.flavour) {
            Some(result) => result,
            None if name == "tmpl" => self.text_of_template(&args, first.start, dot),
            None => functions::call(name, &args, self.scope),
        };
        let value = value.map_err(|wrong| {
            let error = TemplateError::new(first.start, first.end - first.start, format!("{name}: {}", wrong.message));
            let words = wrong.go.unwrap_or(wrong.message);
            let error = error.node(first.start, operands.last().map_or(first.end, |o| o.end));
            error.go(format!("error calling {name}: {words}"))
        })?;
        fields(value, first)
    }

    /// What is no function: a value, or a method of one with its arguments.
    fn value(
        &mut self,
        first: &Operand,
        rest: &[Operand],
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        if matches!(first.kind, Kind::Nil) && self.flavour == Flavour::Prometheus {
            let error = TemplateError::new(first.start, 3, "`nil` alone says nothing");
            return Err(error.go("nil is not a command"));
        }
        if rest.is_empty() && piped.is_none() {
            return self.operand(first, dot);
        }
        let Some((method, before)) = first.fields.split_last() else {
            let value = self.operand(first, dot)?;
            let message = format!("{} is not a function and takes no arguments", value.kind());
            let error = TemplateError::new(first.start, first.end - first.start, message);
            return Err(error.go(format!("can't give argument to non-function {}", value.format())));
        };
        let of = Operand { fields: before.to_vec(), ..first.clone() };
        let of = self.operand(&of, dot)?;
        let mut args = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            args.push(self.operand(operand, dot)?);
        }
        args.extend(piped);
        time::method(&of, method, &args).map_err(|wrong| error_at(wrong, first))
    }

    /// `tmpl`: a template by its name, as a text.
    fn text_of_template(&mut self, args: &[Value], at: usize, dot: &Value) -> Result<Value, Wrong> {
        let name = args.first().ok_or("takes the name of a template")?.text()?.to_owned();
        let before = std::mem::take(&mut self.out);
        let with = args.get(1).cloned().unwrap_or_else(|| dot.clone());
        let done = self.call_with(&name, with, at);
        let made = std::mem::replace(&mut self.out, before);
        done.map_err(|e| Wrong::from(e.message))?;
        Ok(Value::Text(made))
    }

    /// `and` and `or` look at no more arguments than they need.
    fn and_or(
        &mut self,
        or: bool,
        rest: &[Operand],
        dot: &Value,
        piped: Option<Value>,
        at: &Operand,
    ) -> Result<Value, TemplateError> {
        let mut last = None;
        for operand in rest {
            let value = self.operand(operand, dot)?;
            if value.truth() == or {
                return Ok(value);
            }
            last = Some(value);
        }
        piped
            .or(last)
            .ok_or_else(|| TemplateError::new(at.start, at.end - at.start, "this needs at least one argument"))
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, TemplateError> {
        let value = match &operand.kind {
            Kind::Dot => dot.clone(),
            Kind::Nil => Value::Nil,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Int(n) => Value::Int(*n),
            Kind::Float(n) => Value::Float(*n),
            Kind::Text(text) => Value::Text(text.clone()),
            Kind::Var(name) => {
                let found = self.variables.iter().rev().find(|(n, _)| n == name);
                found.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Kind::Function(_) => return self.command(std::slice::from_ref(operand), dot, None),
            Kind::Inner(inner) => {
                let known = self.variables.len();
                let value = self.pipeline(inner, dot)?;
                self.variables.truncate(known);
                value
            }
        };
        fields(value, operand)
    }
}

fn fields(mut value: Value, operand: &Operand) -> Result<Value, TemplateError> {
    for name in &operand.fields {
        value = value.field(name).map_err(|wrong| error_at(wrong, operand))?;
    }
    Ok(value)
}

/// What is wrong with an operand. Go counts its columns from the field, and shows all of it.
fn error_at(wrong: Wrong, operand: &Operand) -> TemplateError {
    let (start, end) = (operand.start, operand.end);
    let mut error = TemplateError::new(start, end.saturating_sub(start), wrong.message).node(start, end);
    error.column = operand.chain;
    match wrong.go {
        Some(words) => error.go(words),
        None => error,
    }
}
