//! Pages over metrics: explore, cardinality, targets, rules, and the charts on them. I/O: series through the port.
//!
//! The same pages stand in a Farero with a plan (`web` puts its frame around them and says who sees what) and beside the engine alone
//! ([`alone`]). Neither people nor plans are known here: what is seen comes through [`web_prometheus::Api`], and how it is said is in
//! [`Site`].

pub mod alone;
pub mod cardinality;
pub mod chart;
pub mod explore;
pub mod format;
pub mod functions;
pub mod limits;
pub mod rules;
pub mod targets;
pub mod text;
pub mod times;
mod unit;
mod why;

use jiff::tz::TimeZone;
use kernel::{Language, Timestamp};

use chart::Look;

/// For whom a page is made.
#[derive(Clone, Debug)]
pub struct Site {
    /// Language of the texts.
    pub language: Language,
    /// Zone of the times.
    pub zone: TimeZone,
    /// The time now.
    pub now: Timestamp,
    /// Address of an asset.
    pub asset: fn(&str) -> String,
}

/// What stands in a page's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Title of the page.
    pub title: String,
    /// Safe HTML for its `main`.
    pub html: String,
}

impl Site {
    /// How charts are to speak.
    pub fn look(&self) -> Look {
        Look { language: self.language, zone: self.zone.clone() }
    }

    /// The texts.
    pub fn text(&self) -> &'static text::Text {
        text::text(self.language)
    }

    /// A whole number.
    pub fn count(&self, n: u64) -> String {
        // Exact up to 2^53, far beyond what is counted here.
        format::number(self.language, n as f64, 0)
    }

    /// A `<time>` that tells how long ago, kept up to date by the page's script; safe HTML.
    pub fn ago(&self, at: Timestamp) -> String {
        let seconds = self.now.since(at).as_secs();
        let text = match seconds {
            0..2 => return format!("<time datetime=\"{at}\" data-age>{}</time>", self.text().common.just_now),
            2..100 => format!("{seconds} s"),
            100..5_400 => format!("{} min", seconds / 60),
            5_400..129_600 => format!("{} h", (seconds + 1_800) / 3_600),
            _ => format!("{} {}", (seconds + 43_200) / 86_400, self.text().common.days),
        };
        let text = self.language.pick(["hace ", ""], ["", " ago"]).join(&text);
        let full = format::date_time(self.language, at, &self.zone);
        format!("<time datetime=\"{at}\" data-age title=\"{full}\">{text}</time>")
    }

    /// A length of time.
    pub fn took(&self, length: std::time::Duration) -> String {
        format::millis(self.language, length.as_secs_f64() * 1_000.0)
    }

    /// What the program says of a failure, in the page's language; other programs' words stay.
    pub fn said<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        kernel::phrase::in_language(text, self.language)
    }

    /// A page from its template.
    fn body(&self, title: &str, template: &impl askama::Template) -> Body {
        // Templates write into a text, which cannot fail; if it did, the page would say so.
        let html = template.render().unwrap_or_else(|e| format!("<p>{}</p>", kernel::html::escape(&e.to_string())));
        Body { title: title.to_owned(), html }
    }
}

/// Address of Explore with one expression.
pub fn explore_link(expression: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", expression).finish();
    format!("/explore?{query}")
}
