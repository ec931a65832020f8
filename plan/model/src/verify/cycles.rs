//! Chains that come back to their beginning: dependencies, fallbacks, composites. Pure.

use std::collections::HashMap;

use super::Verifier;
use crate::CheckKind;

/// A graph by names, with the path in the plan at which each edge stands.
type Graph = HashMap<String, Vec<(String, String)>>;

impl Verifier<'_> {
    pub(super) fn cycles(&mut self) {
        let plan = self.plan;
        let mut depends = Graph::new();
        for (section, map) in [("services", &plan.services), ("hosts", &plan.hosts)] {
            for (name, component) in map {
                let edge = |(i, to): (usize, &String)| (to.clone(), format!("{section}.{name}.depends_on[{i}]"));
                let edges = component.depends_on.iter().enumerate().filter(|(_, to)| *to != name).map(edge).collect();
                depends.insert(name.clone(), edges);
            }
        }
        let order = plan.components().map(|(name, _)| name.to_owned()).collect();
        self.report_cycles(&depends, order, "dependency-cycle", "depends on itself by way of others");

        let mut fallbacks = Graph::new();
        for (name, channel) in &plan.channels {
            let edge = channel.fallback.iter().map(|to| (to.clone(), format!("channels.{name}.fallback")));
            fallbacks.insert(name.clone(), edge.collect());
        }
        let order = plan.channels.keys().cloned().collect();
        self.report_cycles(&fallbacks, order, "fallback-cycle", "falls back to itself by way of others");
        self.composite_cycles();
    }

    fn composite_cycles(&mut self) {
        let (mut graph, mut order) = (Graph::new(), Vec::new());
        for (component, name, check) in self.plan.checks() {
            let Some(CheckKind::Composite(composite)) = check.kinds().pop() else { continue };
            let id = format!("{component}/{name}");
            let base = self.check_path(component, name);
            let mut edges = Vec::new();
            for (index, member) in composite.of.iter().enumerate() {
                for target in self.members(member) {
                    edges.push((target, format!("{base}.composite.of[{index}]")));
                }
            }
            order.push(id.clone());
            graph.insert(id, edges);
        }
        self.report_cycles(&graph, order, "composite-cycle", "is a part of itself");
    }

    /// The composites that a member of a composite stands for.
    fn members(&self, member: &str) -> Vec<String> {
        let (component, check) = member.split_once('/').map_or((member, None), |(c, n)| (c, Some(n)));
        let all = self.plan.component(component).into_iter().flat_map(|c| c.all_checks());
        all.filter(|(name, spec)| check.is_none_or(|c| c == *name) && spec.composite.is_some())
            .map(|(name, _)| format!("{component}/{name}"))
            .collect()
    }

    fn report_cycles(&mut self, graph: &Graph, order: Vec<String>, code: &'static str, what: &str) {
        for cycle in cycles(graph, &order) {
            let names: Vec<&str> = cycle.iter().map(|(name, _)| name.as_str()).collect();
            let (first, path) = (names[0], cycle[0].1.clone());
            let chain = names.join(" → ");
            self.error(code, format_args!("{path}"), format!("`{first}` {what}: {chain} → {first}")).help =
                Some("take one of these links out".to_owned());
        }
    }
}

/// Every cycle that a depth-first walk meets, each once: names with the path of the edge that leaves them. Every edge is
/// walked once.
fn cycles(graph: &Graph, order: &[String]) -> Vec<Vec<(String, String)>> {
    #[derive(PartialEq)]
    enum Mark {
        Open,
        Done,
    }
    let mut marks: HashMap<&str, Mark> = HashMap::new();
    let mut found = Vec::new();
    for start in order {
        if marks.contains_key(start.as_str()) {
            continue;
        }
        // Each entry: the node and how many of its edges are done.
        let mut stack: Vec<(&str, usize)> = vec![(start, 0)];
        marks.insert(start, Mark::Open);
        while let Some((node, done)) = stack.last_mut() {
            let Some((next, _)) = graph.get(*node).and_then(|edges| edges.get(*done)) else {
                marks.insert(node, Mark::Done);
                stack.pop();
                continue;
            };
            *done += 1;
            match marks.get(next.as_str()) {
                None if graph.contains_key(next) => {
                    marks.insert(next, Mark::Open);
                    stack.push((next, 0));
                }
                Some(Mark::Open) => {
                    let from = stack.iter().position(|(n, _)| n == next).unwrap_or(0);
                    let edge = |(n, done): &(&str, usize)| {
                        let path = graph.get(*n).and_then(|e| e.get(done.saturating_sub(1))).map(|e| e.1.clone());
                        ((*n).to_owned(), path.unwrap_or_default())
                    };
                    found.push(stack[from..].iter().map(edge).collect());
                }
                _ => {}
            }
        }
    }
    found
}
