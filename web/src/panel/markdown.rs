//! A small Markdown: headings, paragraphs, lists, links, `**bold**`, `*slanted*`, `` `code` ``, fenced code. Everything else is
//! text, and all of it is escaped: no HTML comes through. Pure.

use kernel::html::escape;

/// Lines that are read; a longer text belongs into a document of the plan.
const MOST_LINES: usize = 500;

/// Markdown as safe HTML.
pub fn render(text: &str) -> String {
    let mut out = String::new();
    let mut open: Option<&str> = None;
    let mut lines = text.lines().take(MOST_LINES);
    let mut paragraph: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            flush(&mut out, &mut paragraph, &mut open);
            let code: Vec<&str> = lines.by_ref().take_while(|l| !l.trim().starts_with("```")).collect();
            out.push_str(&format!("<pre tabindex=\"0\">{}</pre>", escape(&code.join("\n"))));
        } else if let Some((level, heading)) = heading(trimmed) {
            flush(&mut out, &mut paragraph, &mut open);
            // The page has its own first headings.
            out.push_str(&format!("<h{0}>{1}</h{0}>", (level + 2).min(6), inline(heading)));
        } else if let Some((kind, item)) = item(trimmed) {
            if !paragraph.is_empty() || open != Some(kind) {
                flush(&mut out, &mut paragraph, &mut open);
                out.push_str(&format!("<{kind}>"));
                open = Some(kind);
            }
            out.push_str(&format!("<li>{}</li>", inline(item)));
        } else if trimmed.is_empty() {
            flush(&mut out, &mut paragraph, &mut open);
        } else {
            if open.is_some() {
                flush(&mut out, &mut paragraph, &mut open);
            }
            paragraph.push(trimmed);
        }
    }
    flush(&mut out, &mut paragraph, &mut open);
    out
}

fn flush(out: &mut String, paragraph: &mut Vec<&str>, open: &mut Option<&str>) {
    if let Some(kind) = open.take() {
        out.push_str(&format!("</{kind}>"));
    }
    if !paragraph.is_empty() {
        out.push_str(&format!("<p>{}</p>", inline(&paragraph.join(" "))));
        paragraph.clear();
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let rest = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, rest.trim()))
}

fn item(line: &str) -> Option<(&'static str, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some(("ul", rest));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(". ")?;
    (digits > 0).then_some(("ol", rest))
}

/// What stands inside of a line.
fn inline(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['`', '*', '[']) {
        out.push_str(&escape(&rest[..at]));
        let here = &rest[at..];
        let (html, length) = mark(here).unwrap_or_else(|| (escape(&here[..1]), 1));
        out.push_str(&html);
        rest = &here[length..];
    }
    out.push_str(&escape(rest));
    out
}

/// A mark at the start of a text, and its length in bytes.
fn mark(text: &str) -> Option<(String, usize)> {
    let between = |sign: &str| {
        let inner = text.strip_prefix(sign)?;
        let end = inner.find(sign).filter(|e| *e > 0)?;
        Some((&inner[..end], end + 2 * sign.len()))
    };
    if let Some((code, length)) = between("`") {
        return Some((format!("<code>{}</code>", escape(code)), length));
    }
    if let Some((bold, length)) = between("**") {
        return Some((format!("<strong>{}</strong>", escape(bold)), length));
    }
    if let Some((slanted, length)) = between("*").filter(|(inner, _)| !inner.starts_with([' ', '*'])) {
        return Some((format!("<em>{}</em>", escape(slanted)), length));
    }
    let end = text.find(']')?;
    let (label, after) = (text.get(1..end)?, &text[end + 1..]);
    let close = after.find(')')?;
    let url = after.get(..close)?.strip_prefix('(')?.trim();
    let safe = ["https://", "http://"].iter().any(|s| url.get(..s.len()).is_some_and(|h| h.eq_ignore_ascii_case(s)))
        || (url.starts_with('/') && !url.starts_with("//") && !url.contains('\\'))
        || url.starts_with('#');
    let html = match safe && text.starts_with('[') {
        true => format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(url), escape(label)),
        false => escape(label),
    };
    text.starts_with('[').then_some((html, end + 1 + close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(render(text), expect, "{text}");
    }

    #[test]
    fn the_marks_that_people_use() {
        check("# A\nuno\ndos\n\ntres", "<h3>A</h3><p>uno dos</p><p>tres</p>");
        check("- a\n- **b**\n1. c", "<ul><li>a</li><li><strong>b</strong></li></ul><ol><li>c</li></ol>");
        check("`a<b` *x* 2 * 3", "<p><code>a&lt;b</code> <em>x</em> 2 * 3</p>");
        check("```\n<a>\n```", "<pre tabindex=\"0\">&lt;a&gt;</pre>");
        check("[ir](/alerts)", "<p><a href=\"/alerts\" rel=\"noreferrer\">ir</a></p>");
    }

    #[test]
    fn nothing_hostile_comes_through() {
        check("[x](javascript:alert(1))", "<p>x)</p>");
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check(
            "[x](https://a\"onclick=\"b)",
            "<p><a href=\"https://a&quot;onclick=&quot;b\" rel=\"noreferrer\">x</a></p>",
        );
        check("[x](//evil)", "<p>x</p>");
    }

    proptest! {
        #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read(text in "[\\[\\]()*`#<>\"&a 1.\\n-]{0,60}") {
            let html = render(&text);
            prop_assert!(!html.contains("<a>") && !html.contains("<1"));
        }
    }
}
