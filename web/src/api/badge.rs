//! State badges as SVG, for READMEs and other pages; closed unless the configuration opens them. I/O: HTTP.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use decide::health::decide_component;
use http::header;
use kernel::html::escape;
use kernel::probe::Outcome;

use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::pages::view::StateView;

/// Average width of a letter in the badge's font, 11 px Verdana-like, in tenths of a pixel.
const LETTER_TENTHS: usize = 68;

/// `GET /badge/{system}/{component}` with `.svg` at its end.
pub(crate) async fn badge(
    State(app): State<App>,
    access: Access,
    Path((system, file)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let name = file.strip_suffix(".svg").ok_or_else(|| Failure::not_found("a badge's address ends with .svg"))?;
    let found = access.seen(&app).system(&system, |s| {
        let component = s.component(name)?;
        let checks = s.checks.values().filter(|c| &*c.id.component == name).map(|c| c.outcome());
        Some((component.label_or(name).to_owned(), decide_component(checks), s.language()))
    });
    let (label, outcome, language) = found.flatten().ok_or_else(|| Failure::not_found(format!("{system}/{name}")))?;
    let svg = draw(&label, StateView::of(outcome, language).word, outcome);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-cache")], svg).into_response())
}

fn draw(label: &str, word: &str, outcome: Outcome) -> String {
    let label: String = label.chars().filter(|c| !c.is_control()).take(40).collect();
    let width = |text: &str| text.chars().count() * LETTER_TENTHS / 10 + 12;
    let (left, right) = (width(&label), width(word));
    let colour = match outcome {
        Outcome::Up => "#14703f",
        Outcome::Slow => "#835300",
        Outcome::Down => "#b3221a",
        Outcome::Blind => "#556275",
    };
    let (label, word, all) = (escape(&label), escape(word), left + right);
    let (middle_left, middle_right) = (left / 2, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{label}: {word}\">\
         <title>{label}: {word}</title><clipPath id=\"r\"><rect width=\"{all}\" height=\"20\" rx=\"4\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#26313f\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
         <text x=\"{middle_left}\" y=\"14\">{label}</text><text x=\"{middle_right}\" y=\"14\">{word}</text></g></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_labels_stay_text() {
        let svg = draw("<script>alert(1)</script>\"", "Up", Outcome::Up);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
    }
}
