//! Texts with a form of their own: URLs, addresses, JSON paths, regular expressions, methods. References in them are not
//! known yet, so only what stands around them is looked at. Pure.

use kernel::secret::{Piece, Text};
use plan_syntax::suggest::{listing, nearest};

use super::Verifier;

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Verifier<'_> {
    /// `key` may be left out of the path where the whole is one text.
    fn report_text(&mut self, path: &str, key: &str, message: String, expected: &str) {
        let full = format!("{path}.{key}");
        let path = if self.root.at(&full).is_some() { full } else { path.to_owned() };
        self.error("bad-value", format_args!("{path}"), message).expected = Some(expected.to_owned());
    }

    pub(super) fn url(&mut self, url: &Text, schemes: &[&str], path: &str, key: &str) {
        let Some(Piece::Literal(start)) = url.pieces().into_iter().next() else {
            if url.written().is_empty() {
                self.report_text(path, key, "the URL is empty".to_owned(), "a URL");
            }
            return;
        };
        let whole = url.written();
        let expected = format!(
            "a URL that begins with {}",
            schemes.iter().map(|s| format!("{s}://")).collect::<Vec<_>>().join(" or ")
        );
        let Some((scheme, rest)) = start.split_once("://") else {
            self.report_text(path, key, format!("`{whole}` is not a URL"), &expected);
            return;
        };
        if !schemes.contains(&scheme) {
            self.report_text(path, key, format!("`{scheme}` is not the scheme of such a URL"), &expected);
        } else if (rest.is_empty() && url.references().is_empty()) || rest.starts_with('/') {
            self.report_text(path, key, format!("`{whole}` names no host"), &expected);
        } else if whole.contains(char::is_whitespace) {
            self.report_text(path, key, format!("`{whole}` holds a space"), &expected);
        }
    }

    /// `host:port`, or `host` alone where the port has a default.
    pub(super) fn host_port(&mut self, address: &Text, port_needed: bool, path: &str, key: &str) {
        if !address.references().is_empty() {
            return;
        }
        let text = address.written();
        let expected = if port_needed { "host:port, such as db.example:5432" } else { "host or host:port" };
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let bad_port = port.map_or(port_needed, |p| !p.parse::<u16>().is_ok_and(|p| p > 0));
        if host.is_empty() || bad_port || text.contains("://") || text.contains([' ', '/']) {
            self.report_text(path, key, format!("`{text}` is not {expected}"), expected);
        }
    }

    pub(super) fn one_of(&mut self, text: Option<&str>, allowed: &[&str], what: &str, path: &str) {
        let Some(text) = text.filter(|t| !allowed.contains(t)) else { return };
        let near = nearest(text, allowed.iter().copied()).map(|n| format!("did you mean `{n}`?"));
        let error =
            self.error("bad-value", format_args!("{path}"), format!("`{text}` is not a {what} that Farero knows"));
        error.expected = Some(listing(allowed.iter().copied(), 16, "or"));
        error.help = near;
    }

    pub(super) fn method(&mut self, method: Option<&str>, path: &str) {
        self.one_of(method, METHODS, "method", path);
    }

    pub(super) fn regex(&mut self, pattern: &str, path: &str) {
        if let Err(error) = regex::Regex::new(pattern) {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            let message = format!("`{pattern}` is not a regular expression: {reason}");
            self.error("bad-value", format_args!("{path}"), message);
        }
    }

    pub(super) fn json_path(&mut self, path_text: &str, path: &str) {
        if let Err(error) = serde_json_path::JsonPath::parse(path_text) {
            let message = format!("`{path_text}` is not a JSON path: {error}");
            let error = self.error("bad-value", format_args!("{path}"), message);
            error.expected = Some("a path as RFC 9535 writes it, such as $.status".to_owned());
            if !path_text.starts_with('$') {
                error.help = Some(format!("did you mean `$.{path_text}`?"));
            }
        }
    }
}
