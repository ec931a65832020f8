//! `insecure-tls`: a certificate that nobody checks; `plain-login`: a log-in that travels in the clear. Pure.
//!
//! ```yaml
//! services:
//!   web: { check: { http: { url: "https://web.example", tls: { insecure: true } } } }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review};
use crate::channel::MailSecurity;
use crate::check::net::TlsSettings;
use crate::{ChannelKind, CheckKind};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (component, name, check) in review.plan.checks() {
        let path = review.check_path(component, name);
        for kind in check.kinds() {
            let at = format!("{path}.{}", kind.name());
            if tls_of(&kind).is_some_and(|t| t.insecure) {
                out.push(insecure(review, &format!("{component}/{name}"), &format!("{at}.tls.insecure")));
            }
            if let CheckKind::Http(http) = &kind
                && http.auth.is_some()
                && http.url.written().starts_with("http://")
                && !is_here(http.url.written())
            {
                out.push(plain(review, &format!("{component}/{name}"), &format!("{at}.url")));
            }
        }
    }
    for (name, component) in review.plan.components() {
        if component.metrics.as_ref().is_some_and(|m| m.scrape().tls.insecure) {
            let path = format!("{}.metrics.tls.insecure", review.component_path(name));
            out.push(insecure(review, &format!("{name}/metrics"), &path));
        }
    }
    for (name, channel) in &review.plan.channels {
        for kind in channel.kinds() {
            if let ChannelKind::Email(mail) = kind
                && mail.security == MailSecurity::None
                && mail.password.as_ref().is_some_and(|p| !p.written().is_empty())
            {
                out.push(plain(review, name, &format!("channels.{name}.email.security")));
            }
        }
    }
    out
}

const fn tls_of(kind: &CheckKind) -> Option<&TlsSettings> {
    match kind {
        CheckKind::Http(c) => Some(&c.tls),
        CheckKind::Tls(c) => Some(&c.tls),
        CheckKind::Postgres(c) => Some(&c.tls),
        CheckKind::Mysql(c) => Some(&c.tls),
        CheckKind::Redis(c) => Some(&c.tls),
        CheckKind::Smtp(c) => Some(&c.tls),
        CheckKind::Grpc(c) => Some(&c.tls),
        CheckKind::Websocket(c) => Some(&c.tls),
        _ => None,
    }
}

fn is_here(url: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"].iter().any(|here| url.starts_with(here))
}

fn insecure(review: &Review<'_>, what: &str, path: &str) -> Diagnostic {
    let found = review.warning(
        "insecure-tls",
        path,
        format!("`{what}` accepts any certificate: somebody in between would not be noticed"),
        format!("`{what}` acepta cualquier certificado: alguien en medio no se notaría"),
    );
    found.advise(
        "name the certificate authority under `tls.ca_file` instead",
        "nombre mejor la autoridad en `tls.ca_file`",
    )
}

fn plain(review: &Review<'_>, what: &str, path: &str) -> Diagnostic {
    let found = review.warning(
        "plain-login",
        path,
        format!("`{what}` sends its log-in without encryption"),
        format!("`{what}` envía su contraseña sin cifrar"),
    );
    found.advise("use https, `tls` or `starttls`", "use https, `tls` o `starttls`")
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn sec_10_unchecked_certificates_and_plain_logins() {
        let rest = "services:\n  a: {check: {http: {url: 'https://a', tls: {insecure: true}}}}\n  \
                    b: {check: {http: {url: 'http://b', auth: {user: u, password: '${env:P}'}}}}\n  \
                    c: {check: {http: {url: 'http://127.0.0.1:1', auth: {user: u, password: '${env:P}'}}}}\n";
        check(
            "insecure-tls",
            rest,
            &["2: `a/check` accepts any certificate: somebody in between would not be noticed"],
        );
        check("plain-login", rest, &["3: `b/check` sends its log-in without encryption"]);
    }
}
