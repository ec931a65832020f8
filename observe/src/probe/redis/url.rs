//! URLs of Redis: `redis://user:password@host:port/database`, `rediss://…` with TLS. Pure.

use crate::probe::PrepareError;
use crate::probe::dial::Target;

const USUAL_PORT: u16 = 6379;

/// What a URL says. Not printable: it holds a password.
pub(super) struct RedisUrl {
    pub(super) target: Target,
    pub(super) is_tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// With its percent signs, as an error text might show it.
    pub(super) password_as_written: Option<String>,
    pub(super) database: u32,
}

/// Reads a URL. Errors name no part of it: it holds a password.
pub(super) fn parse(url: &str) -> Result<RedisUrl, PrepareError> {
    let bad = |why: &str| PrepareError::unusable("url", why);
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("write redis://host:port or rediss://host:port"))?;
    let is_tls = match scheme {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        _ => return Err(bad("it begins with neither redis:// nor rediss://")),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
    let (user, written) = match login.map(|l| l.split_once(':').unwrap_or((l, ""))) {
        Some((user, password)) => (user, password),
        None => ("", ""),
    };
    let decode =
        |text: &str| percent_decode(text).ok_or_else(|| bad("a percent sign in it is followed by no two digits"));
    let some = |text: String| (!text.is_empty()).then_some(text);
    let database = match path.trim_end_matches('/') {
        "" => 0,
        number => number.parse().map_err(|_| bad("its path is no number of a database"))?,
    };
    Ok(RedisUrl {
        target: Target::parse("url", host, Some(USUAL_PORT))?,
        is_tls,
        user: some(decode(user)?),
        password: some(decode(written)?),
        password_as_written: some(written.to_owned()),
        database,
    })
}

/// `%40` is `@`, and so on; `None` when it is not two hexadecimal digits, or no UTF-8 comes out.
fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Target, TLS, user, password, database.
    type Parts<'a> = (&'a str, bool, Option<&'a str>, Option<&'a str>, u32);

    fn check(url: &str, expect: Result<Parts<'_>, &str>) {
        let got = parse(url).map_err(|e| e.to_string());
        match (got, expect) {
            (Ok(u), Ok(e)) => {
                let target = u.target.to_string();
                assert_eq!(
                    (target.as_str(), u.is_tls, u.user.as_deref(), u.password.as_deref(), u.database),
                    e,
                    "{url}"
                );
            }
            (Err(e), Err(part)) => assert!(e.contains(part), "{url}: {e}"),
            (got, _) => panic!("{url}: {:?}", got.map(|u| u.target)),
        }
    }

    #[test]
    fn urls_as_people_write_them() {
        check("redis://cache", Ok(("cache:6379", false, None, None, 0)));
        check("redis://:p%40ss@10.0.0.1:6380/3", Ok(("10.0.0.1:6380", false, None, Some("p@ss"), 3)));
        check("rediss://app:a:b@cache/", Ok(("cache:6379", true, Some("app"), Some("a:b"), 0)));
        check("redis://:a@b@cache", Ok(("cache:6379", false, None, Some("a@b"), 0)));
        check("http://cache", Err("neither redis:// nor rediss://"));
        check("redis://:%zz@cache", Err("percent sign"));
        check("redis://cache/x", Err("no number of a database"));
        check("cache:6379", Err("write redis://"));
    }
}
