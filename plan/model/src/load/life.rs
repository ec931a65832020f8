//! Items that do not count yet are taken out of the plan and listed with their reasons (PLN-10, PLN-14). Pure.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::Date;
use plan_syntax::{Diagnostic, Node, Value};

use super::Loaded;
use crate::inactive::{Inactive, ItemKind, Reason};
use crate::{Life, Plan};

/// Parts of a plan that can be left out alone, deepest first by their nature: an open value takes out the nearest of
/// these around it. `*` stands for a name, `#` for the number of a list's item, `C` for services or hosts, `K` for a
/// component's check.
const ITEMS: &[(&str, ItemKind)] = &[
    ("services *", ItemKind::Service),
    ("hosts *", ItemKind::Host),
    ("K", ItemKind::Check),
    ("K * queries *", ItemKind::Query),
    ("K slow", ItemKind::Setting),
    ("K slow_severity", ItemKind::Setting),
    ("K intensive", ItemKind::Setting),
    ("K label", ItemKind::Setting),
    ("K labels *", ItemKind::Setting),
    ("K runbook", ItemKind::Setting),
    ("C * metrics", ItemKind::Metrics),
    ("C * handles *", ItemKind::Setting),
    ("C * facts *", ItemKind::Setting),
    ("C * label", ItemKind::Setting),
    ("C * description", ItemKind::Setting),
    ("C * alerts * #", ItemKind::Threshold),
    ("C * alerts *", ItemKind::Setting),
    ("alerts * #", ItemKind::Threshold),
    ("alerts *", ItemKind::Setting),
    ("channels *", ItemKind::Channel),
    ("channels * label", ItemKind::Setting),
    ("channels * limit", ItemKind::Setting),
    ("tasks *", ItemKind::Task),
    ("tasks * effort", ItemKind::Setting),
    ("tasks * evidence", ItemKind::Setting),
    ("tasks * notes", ItemKind::Setting),
    ("kpis *", ItemKind::Kpi),
    ("kpis * target", ItemKind::Setting),
    ("kpis * warning", ItemKind::Setting),
    ("kpis * critical", ItemKind::Setting),
    ("kpis * description", ItemKind::Setting),
    ("kpis * source", ItemKind::Setting),
    ("severities *", ItemKind::Severity),
    ("severities * label", ItemKind::Setting),
    ("severities * deliver", ItemKind::Setting),
    ("overview today *", ItemKind::Counter),
    ("dashboards *", ItemKind::Dashboard),
    ("dashboards * variables * *", ItemKind::Setting),
    ("defaults *", ItemKind::Setting),
    ("retention *", ItemKind::Setting),
    ("signatures * *", ItemKind::Setting),
    ("watchdog", ItemKind::Setting),
    ("watchdog every", ItemKind::Setting),
    ("people * *", ItemKind::Setting),
    ("teams * *", ItemKind::Setting),
    // Without an open item of it there is less access; `approvals` is not here, for without one of them there would be more.
    ("access #", ItemKind::Setting),
    ("contacts * *", ItemKind::Setting),
    ("roles * *", ItemKind::Setting),
    ("audiences * *", ItemKind::Setting),
    ("audiences * emails #", ItemKind::Setting),
    ("label", ItemKind::Setting),
    ("description", ItemKind::Setting),
    ("version", ItemKind::Setting),
    ("date", ItemKind::Setting),
    ("author", ItemKind::Setting),
];

/// Stands for the parameter's name where a value is broken: its item is left out without a word.
const BROKEN: &str = "";

/// One step of a path.
enum Step {
    Key(Arc<str>),
    Index(usize),
}

fn written(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => {
                out.push('.');
                out.push_str(key);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

fn item_kind(path: &[Step]) -> Option<ItemKind> {
    ITEMS.iter().find(|(pattern, _)| matches(pattern, path)).map(|(_, kind)| *kind)
}

/// Broken values that go alone, though an open value would take the item around it along: a component has none that it
/// cannot lack.
fn can_lack(path: &[Step]) -> bool {
    path.len() == 1 || matches("C * *", path)
}

fn matches(pattern: &str, path: &[Step]) -> bool {
    let word = |i: usize| match path.get(i) {
        Some(Step::Key(key)) => Some(&**key),
        _ => None,
    };
    let mut at = 0;
    for part in pattern.split(' ') {
        let fits = match part {
            "*" => word(at).is_some(),
            "#" => matches!(path.get(at), Some(Step::Index(_))),
            "C" => matches!(word(at), Some("services" | "hosts")),
            "K" => {
                let component = matches!(word(at), Some("services" | "hosts")) && word(at + 1).is_some();
                let depth = match word(at + 2) {
                    Some("check") => 2,
                    Some("checks") if word(at + 3).is_some() => 3,
                    _ => return false,
                };
                at += depth;
                component
            }
            name => word(at) == Some(name),
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    at == path.len()
}

/// Takes out of the tree what refers to parameters without a value.
pub(super) fn take_open_items_out(root: &mut Node, out: &mut Loaded) {
    let mut taker = Taker { path: Vec::new(), quiet: 0, out };
    let left = taker.node(root);
    if !left.is_empty() {
        let message = format!("the plan cannot do without a value for {}", left.join(", "));
        let error = Diagnostic::error("open-parameter", taker.out.sources.place(root.span), message);
        taker.out.diagnostics.push(error);
    }
}

struct Taker<'o> {
    path: Vec<Step>,
    /// How many of the maps around are optional or for later: what is missing there is no gap.
    quiet: usize,
    out: &'o mut Loaded,
}

impl Taker<'_> {
    /// Takes items out of a node; gives the parameters for which the node itself has to go.
    fn node(&mut self, node: &mut Node) -> Vec<Arc<str>> {
        match &mut node.value {
            Value::Open(names) => names.clone(),
            Value::Broken => vec![BROKEN.into()],
            Value::List(items) => {
                let (mut left, mut gone) = (Vec::new(), HashSet::new());
                for (index, item) in items.iter_mut().enumerate() {
                    if self.step(Step::Index(index), item, &mut left) {
                        gone.insert(index);
                    }
                }
                let mut index = 0;
                items.retain(|_| {
                    index += 1;
                    !gone.contains(&(index - 1))
                });
                left
            }
            Value::Map(map) => {
                let state = map.get("state").and_then(|e| e.node.as_text());
                let quiet = usize::from(matches!(state, Some("optional" | "future" | "planned")));
                self.quiet += quiet;
                let (mut left, mut gone) = (Vec::new(), HashSet::new());
                for (key, entry) in map.iter_mut() {
                    if self.step(Step::Key(key.clone()), &mut entry.node, &mut left) {
                        gone.insert(key.clone());
                    }
                }
                map.retain(|key, _| !gone.contains(key));
                self.quiet -= quiet;
                left
            }
            _ => Vec::new(),
        }
    }

    /// One child; whether it goes. What it leaves for the node around it is added to `left`.
    fn step(&mut self, step: Step, child: &mut Node, left: &mut Vec<Arc<str>>) -> bool {
        self.path.push(step);
        let names = self.node(child);
        let broken = names.iter().any(|n| &**n == BROKEN);
        let goes = !names.is_empty() && (item_kind(&self.path).is_some() || (broken && can_lack(&self.path)));
        if goes && !broken {
            let own = child.get("state").and_then(Node::as_text);
            self.record(&names, self.quiet > 0 || matches!(own, Some("optional" | "future" | "planned")));
        } else if !goes {
            left.extend(names);
        }
        self.path.pop();
        goes
    }

    fn record(&mut self, names: &[Arc<str>], optional: bool) {
        let path = written(&self.path);
        let mut parameters: Vec<String> = names.iter().map(ToString::to_string).collect();
        parameters.sort();
        parameters.dedup();
        for open in self.out.open_parameters.iter_mut().filter(|o| parameters.contains(&o.name)) {
            open.waiting.push(path.clone());
            open.needed |= !optional;
        }
        let kind = item_kind(&self.path).unwrap_or(ItemKind::Setting);
        list(self.out, path, kind, Reason::Open { parameters }, optional);
    }
}

fn list(out: &mut Loaded, path: String, kind: ItemKind, reason: Reason, optional: bool) {
    let Some((span, node)) = out.root.entry_at(&path) else { return };
    let label = node.get("label").and_then(Node::as_text).map(str::to_owned);
    let name = path.rsplit('.').next().unwrap_or(&path).to_owned();
    let place = out.sources.place(span);
    out.inactive.push(Inactive { path, kind, name, label, reason, optional, place });
}

/// Takes out of the plan what is for later or for other environments.
pub(super) fn take_sleeping_items_out(plan: &mut Plan, out: &mut Loaded, today: Date) {
    let environment = out.environment.clone();
    let mut sleeper = Sleeper { environment: environment.as_deref(), today, out };
    for (section, kind, map) in
        [("services", ItemKind::Service, &mut plan.services), ("hosts", ItemKind::Host, &mut plan.hosts)]
    {
        map.retain(|name, c| sleeper.keep(&format!("{section}.{name}"), kind, (c.state, &c.from), &c.environments));
        for (name, component) in map.iter_mut() {
            let path = format!("{section}.{name}");
            component.check.take_if(|c| {
                !sleeper.keep(&format!("{path}.check"), ItemKind::Check, (c.state, &c.from), &c.environments)
            });
            component.checks.retain(|check, c| {
                let path = format!("{path}.checks.{check}");
                sleeper.keep(&path, ItemKind::Check, (c.state, &c.from), &c.environments)
            });
        }
    }
    plan.channels.retain(|n, c| sleeper.keep(&format!("channels.{n}"), ItemKind::Channel, (c.state, &c.from), &[]));
    plan.tasks.retain(|n, t| sleeper.keep(&format!("tasks.{n}"), ItemKind::Task, (t.state, &t.from), &t.environments));
    plan.kpis.retain(|n, k| sleeper.keep(&format!("kpis.{n}"), ItemKind::Kpi, (k.state, &k.from), &k.environments));
    plan.dashboards
        .retain(|n, d| sleeper.keep(&format!("dashboards.{n}"), ItemKind::Dashboard, (d.state, &d.from), &[]));
    plan.overview
        .today
        .retain(|n, c| sleeper.keep(&format!("overview.today.{n}"), ItemKind::Counter, (c.state, &c.from), &[]));
}

/// Takes names of items that are not in the plan out of what refers to them, so that the plan is whole in itself.
/// A channel whose fallback sleeps has none.
pub(super) fn forget_sleepers(plan: &mut Plan) {
    let channels: HashSet<String> = plan.channels.keys().cloned().collect();
    for severity in plan.severities.values_mut() {
        severity.channels.retain(|c| channels.contains(c));
    }
    for channel in plan.channels.values_mut() {
        channel.fallback.take_if(|f| !channels.contains(f));
    }
    let checks: HashSet<String> = plan.checks().map(|(c, n, _)| format!("{c}/{n}")).collect();
    let components: HashSet<String> = plan.components().map(|(n, _)| n.to_owned()).collect();
    for component in plan.services.values_mut().chain(plan.hosts.values_mut()) {
        component.depends_on.retain(|d| components.contains(d));
        for check in component.check.iter_mut().chain(component.checks.values_mut()) {
            if let Some(composite) = &mut check.composite {
                composite.of.retain(|m| components.contains(m) || checks.contains(m));
            }
        }
    }
}

struct Sleeper<'o> {
    environment: Option<&'o str>,
    today: Date,
    out: &'o mut Loaded,
}

impl Sleeper<'_> {
    fn keep(
        &mut self,
        path: &str,
        kind: ItemKind,
        (state, from): (Life, &Option<String>),
        environments: &[String],
    ) -> bool {
        let from: Option<Date> = from.as_ref().and_then(|f| f.parse().ok());
        let reason = match (state, from, self.environment) {
            (Life::Future, ..) => Reason::Future,
            (Life::Planned, None, _) => Reason::Planned { from: None },
            (_, Some(day), _) if day > self.today => Reason::Planned { from },
            (_, _, Some(now)) if !environments.is_empty() && !environments.iter().any(|e| e == now) => {
                Reason::OtherEnvironment { environments: environments.to_vec() }
            }
            _ => return true,
        };
        list(self.out, path.to_owned(), kind, reason, state == Life::Optional);
        false
    }
}
