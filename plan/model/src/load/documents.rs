//! Which files of a plan's folder mean what. Pure.

use plan_syntax::SourceFile;
use serde::Serialize;

use crate::RuleFile;

/// A runbook or checklist: Markdown that people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// Path below the plan's folder, `runbooks/servicio-caido.md`.
    pub path: String,
    /// Its first heading, or the file's name.
    pub title: String,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// Its name below its kind's folder: `servicio-caido.md`.
    pub fn name(&self) -> &str {
        self.path.strip_prefix(self.kind.folder()).unwrap_or(&self.path)
    }

    /// The name that a plan means: folder and ending may be left out.
    pub fn plain_name(kind: DocumentKind, written: &str) -> String {
        let name = written.strip_prefix(kind.folder()).unwrap_or(written);
        if name.ends_with(".md") { name.to_owned() } else { format!("{name}.md") }
    }
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// Symptom, diagnosis, actions, verification, escalation.
    Runbook,
    /// Things to tick off.
    Checklist,
}

impl DocumentKind {
    /// The folder its files stand in.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Runbook => "runbooks/",
            Self::Checklist => "checklists/",
        }
    }
}

/// Whether a file of a plan's folder is of interest, by its path below the folder; for those who read the folder.
pub fn wants(path: &str) -> bool {
    !is_hidden(path) && (is_yaml(path) || document_kind(path).is_some())
}

pub(super) fn is_plan_part(path: &str) -> bool {
    !is_hidden(path) && is_yaml(path) && !path.starts_with("rules/")
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

fn document_kind(path: &str) -> Option<DocumentKind> {
    let kinds = [DocumentKind::Runbook, DocumentKind::Checklist];
    kinds.into_iter().find(|k| path.starts_with(k.folder()) && path.ends_with(".md"))
}

pub(super) fn rule_files(files: &[SourceFile]) -> Vec<RuleFile> {
    let is_rules = |f: &&SourceFile| !is_hidden(&f.path) && is_yaml(&f.path) && f.path.starts_with("rules/");
    files.iter().filter(is_rules).map(|f| RuleFile { path: f.path.clone(), text: f.text.clone() }).collect()
}

pub(super) fn documents(files: &[SourceFile]) -> Vec<Document> {
    let mut out: Vec<Document> = files
        .iter()
        .filter(|f| !is_hidden(&f.path))
        .filter_map(|f| {
            let kind = document_kind(&f.path)?;
            Some(Document { kind, path: f.path.clone(), title: title(f), text: f.text.clone() })
        })
        .collect();
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

fn title(file: &SourceFile) -> String {
    let heading = file.text.lines().find_map(|l| l.strip_prefix("# "));
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    heading.map_or_else(|| name.trim_end_matches(".md").to_owned(), |h| h.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_what_files_mean() {
        assert!(wants("plan.yaml") && wants("services/a.yml") && wants("rules/a.yaml") && wants("runbooks/a.md"));
        assert!(!wants("README.md") && !wants(".git/config.yaml") && !wants("runbooks/.a.md") && !wants("a.txt"));
        assert!(is_plan_part("plan.yaml") && !is_plan_part("rules/a.yaml"));
        let found = documents(&[SourceFile::new("runbooks/caida.md", "remark\n# Servicio caído \n")]);
        assert_eq!((found[0].kind, &*found[0].title), (DocumentKind::Runbook, "Servicio caído"));
    }
}
