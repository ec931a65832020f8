//! Files into a checked plan: read, join, put parameters in, check, leave out what does not count yet. Pure.

use std::sync::Arc;

use plan_syntax::diagnostic::{has_errors, sort};
use plan_syntax::{Checker, Diagnostic, Node, Place, SourceFile, Sources, Span, Value, join, read};

use crate::inactive::Inactive;
use crate::{Plan, RuleFile, finding, schema, verify};

mod documents;
mod life;
mod parameters;

pub use documents::{Document, DocumentKind, wants};
pub use parameters::OpenParameter;

/// Circumstances under which a plan is read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The plan's folder, put before the paths of files where they are shown; may be empty.
    pub folder: String,
    /// The environment to read the plan for; the plan's own choice when `None`.
    pub environment: Option<String>,
    /// Today in the plan's time zone, for items that are planned from a day on.
    pub today: jiff::civil::Date,
}

/// What the files of a plan's folder gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The plan, without the items that are inactive; `None` when there are errors.
    pub plan: Option<Plan>,
    /// Everything there is to say, sorted by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Items that do not count yet, each with its reason.
    pub inactive: Vec<Inactive>,
    /// Parameters without a value, with what waits for them (PLN-10).
    pub open_parameters: Vec<OpenParameter>,
    /// Prometheus rule files, unchanged.
    pub rule_files: Vec<RuleFile>,
    /// Runbooks and checklists.
    pub documents: Vec<Document>,
    /// The environment the plan was read for.
    pub environment: Option<String>,
    /// The texts, to print diagnostics with.
    pub sources: Sources,
    root: Arc<Node>,
}

impl Loaded {
    /// Where a path of the plan stands: `services.backend.checks.salud.http`, `alerts.disk[0]`.
    pub fn locate(&self, path: &str) -> Option<Place> {
        self.root.entry_at(path).map(|(span, _)| self.sources.place(span))
    }

    /// The value that a path of the plan leads to, with its place.
    pub fn node_at(&self, path: &str) -> Option<&Node> {
        self.root.at(path)
    }

    /// Without what quotes the files: diagnostics, inactive items, open parameters, texts. For readers from whom parts are kept.
    #[must_use]
    pub fn without_quotes(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            diagnostics: Vec::new(),
            inactive: Vec::new(),
            open_parameters: Vec::new(),
            rule_files: Vec::new(),
            documents: self.documents.clone(),
            environment: self.environment.clone(),
            sources: Sources::default(),
            root: self.root.clone(),
        }
    }

    /// The part of the joined tree that a path names: `kpis.uptime.measure`.
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.root.at(path)
    }

    /// Where a path stands, or the nearest key around it that exists.
    pub(crate) fn nearest_place(&self, path: &str) -> Place {
        nearest_place(&self.root, &self.sources, path)
    }

    /// A runbook or checklist by its name as a plan writes it: with or without folder and ending.
    pub fn document(&self, kind: DocumentKind, name: &str) -> Option<&Document> {
        let name = Document::plain_name(kind, name);
        self.documents.iter().find(|d| d.kind == kind && d.name() == name)
    }

    /// The joined tree of all files, parameters put in.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// Whether errors keep the plan from being used.
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }
}

/// Where a path stands, or the nearest key around it that exists.
pub(crate) fn nearest_place(root: &Node, sources: &Sources, path: &str) -> Place {
    let mut path = path;
    loop {
        if let Some((key, node)) = root.entry_at(path) {
            let is_short = node.as_scalar().is_some() && !path.is_empty();
            return sources.place(if is_short { node.span } else { key });
        }
        match path.rfind(['.', '[']) {
            Some(end) => path = &path[..end],
            None => return sources.place(Span { end: root.span.start, ..root.span }),
        }
    }
}

/// Reads the files of a plan's folder. Every `*.yaml` and `*.yml` but those under `rules/` is a part of the plan; files
/// under `rules/` are Prometheus rule files; Markdown under `runbooks/` and `checklists/` are documents; the rest is left
/// alone. Never fails: what is wrong stands in the diagnostics.
pub fn load(files: &[SourceFile], options: &LoadOptions) -> Loaded {
    let sources = Sources::new(files, &options.folder);
    let (mut root, partial, mut diagnostics) = read_all(files, &sources);
    let substitution = parameters::substitute(&mut root, &sources, options.environment.as_deref());
    diagnostics.extend(substitution.diagnostics);
    diagnostics.extend(finding::literal_secrets(&root, &sources));
    diagnostics.extend(check_shape(&mut root, &sources, partial));
    let (rule_files, documents) = (documents::rule_files(files), documents::documents(files));
    let mut out = Loaded {
        plan: None,
        diagnostics,
        inactive: Vec::new(),
        open_parameters: substitution.open,
        rule_files,
        documents,
        environment: substitution.environment,
        sources,
        root: Arc::new(root),
    };
    if !partial {
        build(&mut out, options);
    }
    sort(&mut out.diagnostics);
    out
}

/// All parts of the plan as one tree; whether parts are missing because of errors.
fn read_all(files: &[SourceFile], sources: &Sources) -> (Node, bool, Vec<Diagnostic>) {
    let (mut roots, mut diagnostics, mut partial) = (Vec::new(), Vec::new(), false);
    for (number, _) in files.iter().enumerate().filter(|(_, f)| documents::is_plan_part(&f.path)) {
        let reading = read(sources, u32::try_from(number).unwrap_or(u32::MAX));
        roots.extend(reading.root);
        diagnostics.extend(reading.diagnostics);
        partial |= reading.partial;
    }
    let (root, doubles) = join(sources, roots, &["overview"]);
    diagnostics.extend(doubles);
    let mut root = root.unwrap_or_else(plan_syntax::de::empty);
    if let Value::Map(map) = &mut root.value {
        map.retain(|key, _| !key.starts_with("x-"));
    }
    (root, partial, diagnostics)
}

fn check_shape(root: &mut Node, sources: &Sources, partial: bool) -> Vec<Diagnostic> {
    match schema::shapes() {
        Ok(shapes) => Checker::new(shapes, schema::formats(), sources).partial(partial).check(root),
        Err(error) => vec![Diagnostic::error("internal", sources.place(root.span), error.to_string())],
    }
}

/// The types from the checked tree, and all that is checked on types. Broken items are left out, so that mistakes of the
/// others show at once; there is no plan then.
fn build(out: &mut Loaded, options: &LoadOptions) {
    let mut known = (*out.root).clone();
    let broken = out.has_errors();
    life::take_open_items_out(&mut known, out);
    if broken {
        put_head_in(&mut known);
    }
    let mut plan: Plan = match plan_syntax::de::from_node(&known) {
        Ok(plan) => plan,
        Err(_) if broken => return,
        Err(misfit) => {
            let place = out.sources.place(misfit.span.unwrap_or(out.root.span));
            let bug = Diagnostic::error("internal", place, format!("Farero cannot read this: {misfit}"))
                .help("this is a defect of Farero, please report it with this line");
            out.diagnostics.push(bug);
            return;
        }
    };
    let wrong = verify::verify(&plan, out);
    out.diagnostics.extend(wrong);
    if out.has_errors() {
        return;
    }
    life::take_sleeping_items_out(&mut plan, out, options.today);
    life::forget_sleepers(&mut plan);
    let findings = finding::review(&plan, out);
    out.diagnostics.extend(findings);
    out.plan = Some(plan);
}

/// What a plan cannot do without, where it is broken.
fn put_head_in(known: &mut Node) {
    let span = known.span;
    let Some(map) = known.as_map_mut() else { return };
    for (key, text) in [("system", "unknown"), ("timezone", "UTC")] {
        let node = Node::text(text, span);
        map.entry(key.into()).or_insert(plan_syntax::Entry { key_span: span, node });
    }
}

#[cfg(test)]
mod any_text;
#[cfg(test)]
mod tests;
