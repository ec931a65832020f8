//! Panels of dashboards: what their queries gave, as HTML. Pure; asking for it is in `ask.rs`.
//!
//! One kind, one file. A panel knows nothing of the page around it: it is given its answers, a language and a zone, and returns
//! safe HTML without styles and scripts. Texts from outside (labels, titles, the plan) are escaped here.

use decide::dashboards::Mark;
use jiff::tz::TimeZone;
use kernel::Language;
use kernel::html::escape;
use plan_model::dashboard::{Panel, PanelKind};
use web_explore::chart::Look;

pub mod answers;
mod ask;
mod bar;
mod gauge;
mod markdown;
mod numbers;
mod over_time;
mod stat;
mod state;
mod table;
mod thresholds;
mod value;

pub use answers::{Answers, Part};
pub(crate) use ask::shows_now;
pub use ask::{Asking, ask};
pub use markdown::render as markdown;
pub(crate) use numbers::{Number, numbers};

/// Series that one panel shows as numbers or bars; more are not read by anybody.
pub const MOST_SHOWN: usize = 60;
/// Bands of states in one panel.
pub const MOST_BANDS: usize = 60;
/// Rows of a table: a page of some 100 kB.
pub const MOST_ROWS: usize = 500;
/// Columns of a table.
pub const MOST_COLUMNS: usize = 30;
/// Remarks of the engine that are shown below a panel.
pub const MOST_REMARKS: usize = 3;

/// What a panel is drawn with.
pub struct Canvas<'a> {
    /// Language of words and numbers.
    pub language: Language,
    /// Zone of times.
    pub zone: TimeZone,
    /// The panel of the plan.
    pub panel: &'a Panel,
    /// Its title, variables put in.
    pub title: String,
    /// Its text, variables put in.
    pub text: String,
    /// First and last moment, and the distance of points, milliseconds.
    pub span: (i64, i64, i64),
    /// What happened meanwhile, for charts over time.
    pub marks: &'a [Mark],
    /// Room for its content, CSS pixels.
    pub height: u32,
    /// Whether it is shown alone: then its numbers stand below it as well.
    pub alone: bool,
}

impl Canvas<'_> {
    fn look(&self) -> Look {
        Look { language: self.language, zone: self.zone.clone() }
    }

    fn words(&self) -> &'static crate::text::dashboards::Dashboards {
        &crate::text::text(self.language).dashboards
    }

    /// The panel's content.
    pub fn render(&self, answers: &Answers) -> String {
        match thresholds::in_values(self.panel, answers) {
            Some(panel) => self.with(&panel).drawn(answers),
            None => self.drawn(answers),
        }
    }

    /// The same with another panel.
    fn with<'p>(&'p self, panel: &'p Panel) -> Canvas<'p> {
        Canvas {
            language: self.language,
            zone: self.zone.clone(),
            panel,
            title: self.title.clone(),
            text: self.text.clone(),
            ..*self
        }
    }

    fn drawn(&self, answers: &Answers) -> String {
        if self.panel.kind == PanelKind::Text {
            return format!("<div class=\"prose\">{}</div>", markdown(&self.text));
        }
        let mut out = String::new();
        let everything_failed = !answers.errors.is_empty() && answers.parts.iter().all(Part::is_empty);
        if !everything_failed {
            out.push_str(&match self.panel.kind {
                PanelKind::TimeSeries => self.time_series(answers),
                PanelKind::Stat => self.stat(answers),
                PanelKind::Gauge => self.gauge(answers),
                PanelKind::Bar => self.bar(answers),
                PanelKind::Table => self.table(answers),
                PanelKind::Heatmap => self.heatmap(answers),
                PanelKind::State => self.state(answers),
                PanelKind::Text => String::new(),
            });
        }
        for error in &answers.errors {
            let said = kernel::phrase::in_language(error, self.language);
            out.push_str(&format!("<p class=\"notice down panel-error\" role=\"alert\">{}</p>", escape(&said)));
        }
        for remark in answers.remarks.iter().take(MOST_REMARKS) {
            out.push_str(&format!("<p class=\"caption panel-remark\">{}</p>", escape(remark)));
        }
        out
    }

    /// That there is nothing.
    fn empty(&self) -> String {
        format!("<p class=\"empty\">{}</p>", self.words().no_data)
    }

    /// That some were left out.
    fn cut(&self, shown: usize, all: usize) -> String {
        if shown >= all {
            return String::new();
        }
        let (some, of) = self.language.pick(("Se muestran", "de"), ("Shows", "of"));
        format!("<p class=\"caption cut\">{some} {shown} {of} {all}</p>")
    }
}
