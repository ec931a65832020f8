//! What became of the parts of an imported dashboard. Pure.

use kernel::Language;
use serde::Serialize;

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is there in another form.
    Changed,
    /// It is not there.
    NotTaken,
}

/// A part that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What became of it.
    pub fate: Fate,
    /// The panel's id in Grafana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<i64>,
    /// The panel's title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where it stands below the panel, or in the dashboard.
    pub path: String,
    /// Why.
    pub why: String,
}

/// The report on one dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The dashboard's title.
    pub title: String,
    /// Its name in the plan.
    pub id: String,
    /// Panels that were taken.
    pub taken: usize,
    /// What was changed and not taken, in the order of the file.
    pub notes: Vec<Note>,
}

impl Report {
    /// For people.
    pub fn text(&self, language: Language) -> String {
        let count = |fate: Fate| self.notes.iter().filter(|n| n.fate == fate).count();
        let (changed, lost) = (count(Fate::Changed), count(Fate::NotTaken));
        let mut out = match language {
            Language::Es => format!(
                "{} ({}): {} paneles tomados, {changed} partes cambiadas, {lost} no tomadas\n",
                self.title, self.id, self.taken
            ),
            Language::En => format!(
                "{} ({}): {} panels taken, {changed} parts changed, {lost} not taken\n",
                self.title, self.id, self.taken
            ),
        };
        for (fate, es, en) in [(Fate::NotTaken, "no tomado", "not taken"), (Fate::Changed, "cambiado", "changed")] {
            for note in self.notes.iter().filter(|n| n.fate == fate) {
                let panel = note.panel.map_or_else(String::new, |id| format!("panel {id} «{}» ", note.title));
                let why = kernel::phrase::in_language(&note.why, language);
                out.push_str(&format!("  {}: {panel}{}: {why}\n", language.pick(es, en), note.path));
            }
        }
        out
    }
}
