//! Diagnostics as people read them: the line, the place underlined, what was expected, what to do. Pure.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Mark, Renderer, Snippet};
use kernel::Language;

use crate::diagnostic::{Diagnostic, Level};
use crate::source::{Place, Sources};

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// Language of the words around and of the messages.
    pub language: Language,
}

/// All diagnostics as text, in their order, with an empty line between them.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&render_one(diagnostic, sources, style));
        out.push_str("\n\n");
    }
    out
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Unicode);
    let mark = match diagnostic.level {
        Level::Error => Mark::ERROR,
        Level::Warning => Mark::WARNING.with_name(Some(style.language.pick("aviso", "warning"))),
        Level::Finding => Mark::NOTE.with_name(Some(style.language.pick("hallazgo", "finding"))),
    };
    let expected = diagnostic.expected_in(style.language);
    let label = expected.map(|e| format!("{} {e}", style.language.pick("se esperaba", "expected")));
    let title = mark.primary_title(diagnostic.message_in(style.language)).id(diagnostic.code);
    let mut group = Group::with_title(title);
    group = snippet(group, sources, &diagnostic.place, AnnotationKind::Primary, label);
    for related in &diagnostic.related {
        group = snippet(
            group,
            sources,
            &related.place,
            AnnotationKind::Context,
            Some(related.message_in(style.language).into_owned()),
        );
    }
    if let Some(help) = diagnostic.help_in(style.language) {
        group = group.element(Mark::HELP.with_name(Some(style.language.pick("ayuda", "help"))).message(help));
    }
    renderer.render(&[group])
}

/// Adds the one line of a place, with the place underlined; only the line is handed on, so that printing many diagnostics
/// of a long file stays quick.
fn snippet<'a>(
    group: Group<'a>,
    sources: &'a Sources,
    place: &'a Place,
    kind: AnnotationKind,
    label: Option<String>,
) -> Group<'a> {
    let Some((from, line)) = sources.line_of(place.span) else { return group };
    let start = (place.span.start as usize).saturating_sub(from).min(line.len());
    let end = (place.span.end as usize).saturating_sub(from).clamp(start, line.len());
    let source = Snippet::source(line).line_start(place.line as usize).path(&*place.file);
    group.element(source.annotation(kind.span(start..end).label(label)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, Span};

    #[test]
    fn shows_the_place() {
        let sources = Sources::new(&[SourceFile::new("plan.yaml", "a: 1\n  timout: 5ñ # x\n")], "p");
        let place = sources.place(Span { file: 0, start: 7, end: 13 });
        let other = sources.place(Span { file: 0, start: 0, end: 1 });
        let d = Diagnostic::error("unknown-key", place, "no such key")
            .expected("`timeout`")
            .help("did you mean `timeout`?")
            .related(other, "in this");
        insta::assert_snapshot!(render(&[d], &sources, Style { color: false, language: Language::En }));
    }
}
