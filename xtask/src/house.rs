//! The dependency rule, over the whole graph of `cargo metadata`. I/O.
//!
//! `cli → run → web → { observe | store | decide | act | prove | state } → plan → kernel`; stages never import one another; nothing
//! under `kernel/`, `plan/`, `decide/` or `prove/` reaches a runtime, a socket or a database, not even through others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

/// Which rooms each room may import directly. A room that is missing here is a finding: say where it belongs first.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("plan-syntax", &["kernel"]),
    ("plan-model", &["kernel", "plan-syntax"]),
    ("plan-grafana", &["kernel", "plan-model"]),
    ("observe", &["kernel", "plan-syntax", "plan-model", "observe-tls"]),
    ("observe-receive", &["kernel"]),
    ("observe-scrape", &["kernel", "observe-receive", "observe-tls"]),
    ("observe-tls", &[]),
    ("store-series", &["kernel"]),
    ("decide-promql", &["kernel"]),
    ("decide", &["kernel", "plan-syntax", "plan-model", "decide-promql"]),
    ("act", &["kernel", "plan-syntax", "plan-model"]),
    ("prove-trail", &["kernel"]),
    ("secrets", &["kernel", "plan-syntax"]),
    ("state", &["kernel"]),
    ("auth", &["kernel"]),
    ("web-prometheus", &["kernel", "decide-promql", "observe-receive"]),
    ("web-explore", &["kernel", "decide-promql", "web-prometheus"]),
    (
        "web",
        &[
            "kernel",
            "web-prometheus",
            "web-explore",
            "auth",
            "plan-syntax",
            "plan-model",
            "store-series",
            "decide",
            "decide-promql",
            "prove-trail",
            "state",
        ],
    ),
    (
        "run",
        &[
            "kernel",
            "auth",
            "plan-syntax",
            "plan-model",
            "observe",
            "observe-receive",
            "observe-scrape",
            "store-series",
            "decide",
            "decide-promql",
            "act",
            "prove-trail",
            "secrets",
            "state",
            "web",
            "web-prometheus",
            "web-explore",
        ],
    ),
    ("demo", &["kernel"]),
    (
        "farero",
        &[
            "kernel",
            "plan-syntax",
            "plan-model",
            "plan-grafana",
            "decide",
            "prove-trail",
            "secrets",
            "state",
            "run",
            "demo",
        ],
    ),
    ("tests", &["kernel"]),
    ("xtask", &["kernel"]),
];

/// Rooms that only think: no clock, no runtime, no files, no sockets.
const PURE: &[&str] =
    &["kernel", "plan-syntax", "plan-model", "plan-grafana", "decide-promql", "decide", "prove-trail"];

/// Packages that a pure room must not reach, with the reason.
const IMPURE: &[(&str, &str)] = &[
    ("tokio", "an async runtime"),
    ("async-std", "an async runtime"),
    ("smol", "an async runtime"),
    ("mio", "sockets"),
    ("socket2", "sockets"),
    ("hyper", "HTTP"),
    ("reqwest", "HTTP"),
    ("axum", "HTTP"),
    ("rustls", "TLS"),
    ("rusqlite", "a database"),
    ("notify", "file watching"),
    ("memmap2", "files"),
    ("tempfile", "files"),
];

/// Words that a pure room must not say in its code (tests aside), with the reason.
const IMPURE_WORDS: &[(&str, &str)] = &[
    ("std::fs", "reads or writes files: let `run` read them and hand them over"),
    ("std::net", "opens sockets: that belongs to `observe` or `act`"),
    ("std::env", "reads the environment: use the `Resolver` port"),
    ("std::process", "starts processes: that belongs to `observe` or `act`"),
    ("std::thread", "starts threads: the loops in `run` do"),
    ("SystemTime::now", "reads the clock: take the time as an argument"),
    ("Instant::now", "reads the clock: take the time as an argument"),
    ("Timestamp::now", "reads the clock: take the time as an argument"),
    ("Zoned::now", "reads the clock: take the time as an argument"),
];

pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let graph = Graph::read(root)?;
    let mut findings = Vec::new();
    for (room, package) in &graph.rooms {
        findings.extend(direct(&graph, room, package));
        if PURE.contains(&room.as_str()) {
            findings.extend(reached(&graph, room, package));
        }
    }
    findings.extend(words(root)?);
    Ok(findings)
}

fn direct(graph: &Graph, room: &str, package: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{room}: this room is new: say in xtask/src/house.rs whom it may import")];
    };
    let imports = graph.normal.get(package).into_iter().flatten();
    imports
        .filter_map(|id| graph.room_of(id))
        .filter(|name| !allowed.contains(name))
        .map(|name| {
            format!(
                "{room} imports {name}: the house allows {}",
                if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(", ") }
            )
        })
        .collect()
}

fn reached(graph: &Graph, room: &str, package: &str) -> Vec<String> {
    let all = graph.reachable(package);
    let mut out = Vec::new();
    for (name, reason) in IMPURE {
        if let Some(path) = all.iter().find(|(id, _)| graph.names.get(**id).is_some_and(|n| n == name)).map(|(_, p)| p)
        {
            out.push(format!("{room} must stay pure, but reaches {name} ({reason}) through {}", path.join(" → ")));
        }
    }
    out
}

/// Looks for impure words outside of tests: everything from `#[cfg(test)]` on is a file's test part.
fn words(root: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in crate::files(root, &[".rs"])? {
        let name = crate::relative(root, &path);
        let pure = [
            "kernel/src/",
            "plan/syntax/src/",
            "plan/model/src/",
            "plan/grafana/src/",
            "decide/src/",
            "decide/promql/src/",
            "prove/trail/src/",
        ];
        if !pure.iter().any(|p| name.starts_with(p)) || name.contains("/tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for (word, reason) in IMPURE_WORDS.iter().filter(|(word, _)| line.contains(word)) {
                out.push(format!("{name}:{}: `{word}` in a pure room: {reason}", number + 1));
            }
        }
    }
    Ok(out)
}

/// Normal dependencies of all packages, by id.
struct Graph {
    rooms: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    normal: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(root: &Path) -> Result<Self> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root)
            .output()
            .context("cargo metadata cannot be run")?;
        anyhow::ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
        let value: Value = serde_json::from_slice(&output.stdout)?;
        let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
        let names: BTreeMap<String, String> =
            list(&value["packages"]).iter().map(|p| (text(p, "id"), text(p, "name"))).collect();
        let rooms = list(&value["workspace_members"])
            .iter()
            .filter_map(|id| Some((names.get(id.as_str()?)?.clone(), id.as_str()?.to_owned())))
            .collect();
        let mut normal: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&value["resolve"]["nodes"]) {
            let set = normal.entry(text(&node, "id")).or_default();
            for dependency in list(&node["deps"]) {
                if list(&dependency["dep_kinds"]).iter().any(|k| k["kind"].is_null()) {
                    set.insert(text(&dependency, "pkg"));
                }
            }
        }
        Ok(Self { rooms, names, normal })
    }

    fn room_of(&self, id: &str) -> Option<&str> {
        self.rooms.iter().find(|(_, package)| *package == id).map(|(room, _)| room.as_str())
    }

    /// Everything that a package reaches, each with one way to it.
    fn reachable<'a>(&'a self, from: &'a str) -> BTreeMap<&'a str, Vec<String>> {
        let mut seen: BTreeMap<&str, Vec<String>> = BTreeMap::from([(from, vec![self.names[from].clone()])]);
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            let way = seen[id].clone();
            for next in self.normal.get(id).into_iter().flatten() {
                if !seen.contains_key(next.as_str()) {
                    let mut longer = way.clone();
                    longer.push(self.names.get(next).cloned().unwrap_or_default());
                    seen.insert(next, longer);
                    open.push(next);
                }
            }
        }
        seen
    }
}
