//! What the actions of a template print, as far as the checker of rules looks at it. Pure.

use super::parse::{Kind, Node, Pipeline, Tree};

/// What an action prints, as far as the checker of rules looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// First byte of the action.
    pub start: usize,
    /// Byte after the action's last.
    pub end: usize,
    /// Whether it prints the sample's value.
    pub value: bool,
    /// Names of the functions it goes through.
    pub functions: Vec<String>,
    /// Text constants in it, such as the form given to `printf`.
    pub texts: Vec<String>,
    /// The text right after the action.
    pub next: String,
}

impl Tree {
    /// What its actions print.
    pub fn printed(&self) -> Vec<Printed> {
        let mut out = Vec::new();
        printed(&self.body, &mut out);
        self.defined.values().for_each(|body| printed(body, &mut out));
        out
    }
}

fn printed(nodes: &[Node], out: &mut Vec<Printed>) {
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Print(pipeline) if pipeline.sets.is_empty() => {
                let next = match nodes.get(i + 1) {
                    Some(Node::Text(text)) => text.clone(),
                    _ => String::new(),
                };
                let Pipeline { start, end, .. } = *pipeline;
                let mut one = Printed { start, end, value: false, functions: Vec::new(), texts: Vec::new(), next };
                one.look(pipeline);
                out.push(one);
            }
            Node::Branch { branches, otherwise, .. } => {
                branches.iter().for_each(|(_, body)| printed(body, out));
                printed(otherwise, out);
            }
            Node::Range(_, body, otherwise) => {
                printed(body, out);
                printed(otherwise, out);
            }
            _ => {}
        }
    }
}

impl Printed {
    fn look(&mut self, pipeline: &Pipeline) {
        for operand in pipeline.commands.iter().flatten() {
            let is_field_value =
                matches!(operand.kind, Kind::Dot) && operand.fields.first().is_some_and(|f| f == "Value");
            match &operand.kind {
                Kind::Var(name) if name == "value" => self.value = true,
                _ if is_field_value => self.value = true,
                Kind::Function(name) => self.functions.push(name.clone()),
                Kind::Text(text) => self.texts.push(text.clone()),
                Kind::Inner(inner) => self.look(inner),
                _ => {}
            }
        }
    }
}
