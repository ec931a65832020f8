//! `literal-secret`: a password, token or webhook written into the plan instead of a reference (CHN-11). Pure.
//!
//! ```yaml
//! channels:
//!   correo:
//!     email: { server: mail.example, user: farero, password: hunter22, from: a@b.example, to: [c@d.example] }
//! ```
//!
//! Plans stand in Git, so this one is an error: the plan is refused. Addresses of this machine (`localhost`, `127.…`) are
//! let pass, for demonstrations.

use std::collections::HashSet;

use plan_syntax::{Diagnostic, Node, Sources, Value};

/// Keys whose values are secrets.
const SECRET_KEYS: &[&str] = &["password", "bearer", "token", "signing_key", "authorization", "secret", "api_key"];

/// Headers whose values are secrets.
const SECRET_HEADERS: &[&str] =
    &["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-access-token"];

/// Channels whose whole URL is a secret.
const SECRET_URLS: &[&str] = &["slack", "discord", "teams"];

/// Parts of texts that only secrets have.
const TELLTALES: &[&str] = &[
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "xoxb-",
    "xoxp-",
    "ghp_",
    "github_pat_",
    "glpat-",
    "PRIVATE KEY-----",
];

/// All secrets that stand in a tree.
pub(crate) fn find(root: &Node, sources: &Sources) -> Vec<Diagnostic> {
    let mut finder = Finder { sources, path: Vec::new(), seen: HashSet::new(), out: Vec::new() };
    finder.node(root);
    finder.out
}

struct Finder<'s, 'n> {
    sources: &'s Sources,
    path: Vec<&'n str>,
    seen: HashSet<plan_syntax::Span>,
    out: Vec<Diagnostic>,
}

impl<'n> Finder<'_, 'n> {
    fn node(&mut self, node: &'n Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(map) => {
                for (key, entry) in map {
                    self.path.push(key);
                    self.node(&entry.node);
                    self.path.pop();
                }
            }
            Value::Scalar(scalar) => {
                if let Some((en, es)) = self.what(&scalar.text) {
                    self.report(node, en, es);
                }
            }
            Value::Null { .. } | Value::Open(_) | Value::Broken => {}
        }
    }

    /// What a text is, when it is a secret.
    fn what(&self, text: &str) -> Option<(&'static str, &'static str)> {
        let key = self.path.last().copied().unwrap_or("").to_lowercase();
        let parent = self.path.len().checked_sub(2).and_then(|i| self.path.get(i)).copied().unwrap_or("");
        let literal = !text.is_empty() && !text.contains("${");
        if TELLTALES.iter().any(|t| text.contains(t)) && !text.contains("${") {
            return Some(("this looks like a secret", "esto parece un secreto"));
        }
        if password_in_url(text) {
            return Some(("this URL holds a password", "esta URL lleva una contraseña"));
        }
        if !literal || is_local(text) || self.path.first() == Some(&"parameters") && key != "value" {
            return None;
        }
        let header = parent == "headers" && SECRET_HEADERS.contains(&key.as_str());
        if SECRET_KEYS.contains(&key.as_str()) || header {
            return Some(("a secret is written into the plan", "hay un secreto escrito en el plan"));
        }
        let url = SECRET_URLS.contains(&parent) && key == "url";
        url.then_some(("the URL of this channel is a secret", "la URL de este canal es un secreto"))
    }

    fn report(&mut self, node: &Node, en: &str, es: &str) {
        let span = node.origin.unwrap_or(node.span);
        if !self.seen.insert(span) {
            return;
        }
        let name = self.path.iter().rev().take(2).rev().copied().collect::<Vec<_>>().join("_").to_uppercase();
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let mut secret = Diagnostic::error("literal-secret", self.sources.place(span), en)
            .expected(format!("a reference, such as ${{env:{name}}} or ${{file:/run/secrets/{}}}", name.to_lowercase()))
            .help("put the secret into the environment or a file, and change it where it is used: it is known now")
            .es(
                es,
                Some("ponga el secreto en el entorno o en un archivo, y cámbielo donde se usa: ya es conocido".into()),
            );
        if node.origin.is_some() {
            secret = secret.related(self.sources.place(node.span), "it is used here");
        }
        self.out.push(secret);
    }
}

/// Whether a URL has a literal password before its host, and the host is another machine.
fn password_in_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let plain_scheme =
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    let password = user.split_once(':').map_or("", |(_, p)| p);
    plain_scheme && !password.is_empty() && !password.contains("${") && !is_local(text)
}

fn is_local(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn chn_11_secrets_stand_outside_of_the_plan() {
        let code = "literal-secret";
        check(code, "people: {a: {email: a@b.example}}\n", &[]);
        check(
            code,
            "parameters: {clave: {meaning: x, value: hunter22}}\nchannels:\n  m: {email: {server: m.example, user: u, \
             password: '${param:clave}', from: a@b.example, to: [c@d.example]}}\n",
            &["1: a secret is written into the plan"],
        );
        check(
            code,
            "services:\n  db: {check: {postgres: 'postgres://u:pw@db.example/x'}}\n  \
             ok: {check: {postgres: 'postgres://u:${env:PW}@db.example/x'}}\n  \
             here: {check: {postgres: 'postgres://u:pw@127.0.0.1/x'}}\n  \
             web: {check: {http: {url: 'https://w.example', headers: {X-Api-Key: abc, Accept: text/html}}}}\n",
            &["2: this URL holds a password", "5: a secret is written into the plan"],
        );
        check(
            code,
            "channels: {s: {slack: {url: 'https://chat.example/hook/1'}}, t: {teams: {url: '${env:T}'}}, \
             w: {webhook: {url: 'https://hooks.slack.com/services/T0/B0/x'}}}\n",
            &["1: the URL of this channel is a secret", "1: this looks like a secret"],
        );
    }
}
