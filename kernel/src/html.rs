//! Texts inside of HTML, SVG and XML. Pure.

/// A text as it stands in an element or between either kind of quotes (HTML, section 13.1.2.3; XML 1.0, section 2.4).
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place() {
        assert_eq!(escape("<a b='c' d=\"e\">&ñ"), "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;ñ");
    }
}
