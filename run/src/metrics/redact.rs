//! A configuration file as it may be shown: what is secret in it is hidden. Pure.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Keys of Prometheus's configuration whose values are secret.
const SECRET: &str = "password|bearer_token|credentials|client_secret|secret_key|token|api_key|auth_token|service_key|\
                      application_credential_secret|secret|key|webhook_url|slack_api_url|opsgenie_api_key|authorization_credentials";

/// What Prometheus shows instead.
const HIDDEN: &str = "<secret>";

// The patterns are constants that the tests compile.
static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern =
        format!(r#"(?m)((?:^|[\s,{{])["']?(?:{SECRET})["']?\s*:[ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s,}}#][^,}}\n#]*)"#);
    Regex::new(&pattern).ok()
});
static USER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(://[^/\s:@]+:)[^@/\s]+@").ok());

/// Hides secrets; where they cannot be found, everything.
pub(super) fn redact(yaml: &str) -> String {
    let (Some(value), Some(user)) = (VALUE.as_ref(), USER.as_ref()) else { return HIDDEN.to_owned() };
    let text = without_blocks(yaml, value);
    let text = value.replace_all(&text, |found: &Captures<'_>| {
        // Blanks before a brace or a comment are no part of the value.
        let blanks = &found[2][found[2].trim_end().len()..];
        format!("{}{HIDDEN}{blanks}", &found[1])
    });
    user.replace_all(&text, |found: &Captures<'_>| format!("{}{HIDDEN}@", &found[1])).into_owned()
}

/// Takes away the lines of secrets that are written below their key (`password: |`).
fn without_blocks(yaml: &str, value: &Regex) -> String {
    let mut out = String::with_capacity(yaml.len());
    let mut hidden_below: Option<usize> = None;
    for line in yaml.lines() {
        let indent = line.len() - line.trim_start().len();
        if hidden_below.is_some_and(|at| line.trim().is_empty() || indent > at) {
            continue;
        }
        hidden_below = None;
        let opens = line.trim_end().ends_with(['|', '>', '-', '+']) && value.is_match(line);
        if opens {
            hidden_below = Some(indent);
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let check = |yaml: &str, expect: &str| assert_eq!(redact(yaml), format!("{expect}\n"));
        check("basic_auth:\n  username: a\n  password: b c", "basic_auth:\n  username: a\n  password: <secret>");
        check("basic_auth: { username: a, password: 'x, y' }", "basic_auth: { username: a, password: <secret> }");
        check("basic_auth: { password: x }", "basic_auth: { password: <secret> }");
        check("- credentials: \"q\" # mine", "- credentials: <secret> # mine");
        check("password: |\n  line\n  more\nnext: 1", "password: <secret>\nnext: 1");
        check("url: http://user:pass@host/x", "url: http://user:<secret>@host/x");
        check("password_file: /a\ntoken_url: http://b", "password_file: /a\ntoken_url: http://b");
    }
}
