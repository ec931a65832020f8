//! The request of an HTTP check: built once, and changed only by redirects. Pure.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};
use http_body_util::Full;
use kernel::secret::{Secret, Text};
use plan_model::check::HttpCheck;
use plan_model::check::net::HttpAuth;
use url::Url;

use crate::probe::dial::Target;
use crate::probe::{PrepareError, Preparing};

/// What Farero calls itself.
const USER_AGENT_TEXT: HeaderValue = HeaderValue::from_static(concat!("Farero/", env!("CARGO_PKG_VERSION")));

/// What is sent, wherever it goes.
#[derive(Debug)]
pub(super) struct Template {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

/// Where one request goes: the check's own URL, or where a redirect leads.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    url: Url,
    target: Target,
    host_header: HeaderValue,
    /// Path and query alone, as HTTP/1.1 sends it.
    origin_form: Uri,
    /// The whole, as HTTP/2 needs it.
    absolute_form: Uri,
    /// Set by a redirect that turns the request into a `GET` without a body.
    becomes_get: bool,
}

impl Template {
    /// From the plan's check, with the place where the first request goes.
    pub(super) fn prepare(check: &HttpCheck, with: &Preparing<'_>) -> Result<(Self, Hop), PrepareError> {
        let written = with.resolve(&check.url)?;
        let url = Url::parse(written.expose()).map_err(|e| PrepareError::unusable("http.url", e))?;
        let method = check.method.as_deref().unwrap_or("GET").to_uppercase();
        let method = Method::from_bytes(method.as_bytes()).map_err(|e| PrepareError::unusable("http.method", e))?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, USER_AGENT_TEXT);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(value) = authorization(check.auth.as_ref(), &url, with)? {
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in &check.headers {
            let bad = |_| PrepareError::unusable("http.headers", format!("`{name}` is no name of a header"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(bad)?;
            headers.insert(header, header_value(value, with)?);
        }
        let body = match &check.body {
            Some(text) => Bytes::from(with.resolve(text)?.expose().to_owned()),
            None => Bytes::new(),
        };
        let hop = Hop::new(url).map_err(|why| PrepareError::unusable("http.url", why))?;
        Ok((Self { method, headers, body }, hop))
    }

    /// The method used at a hop.
    pub(super) fn method_at(&self, hop: &Hop) -> &Method {
        if hop.becomes_get { &Method::GET } else { &self.method }
    }

    /// The request to send at `hop`. The plan's headers go only to the origin they were written for: a redirect to
    /// another one must not carry a token away.
    pub(super) fn request_for(&self, hop: &Hop, first: &Hop) -> Request<Full<Bytes>> {
        let body = if hop.becomes_get { Bytes::new() } else { self.body.clone() };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method_at(hop).clone();
        let headers = request.headers_mut();
        if hop.may_have_headers_of(first) {
            headers.clone_from(&self.headers);
        } else {
            headers.insert(USER_AGENT, USER_AGENT_TEXT);
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        }
        request
    }
}

impl Hop {
    fn new(url: Url) -> Result<Self, &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it begins neither with http:// nor with https://");
        }
        let target = Target::of_url(&url)?;
        let authority = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let origin_form = path.parse().map_err(|_| "its path cannot be sent")?;
        let absolute = format!("{}://{authority}{path}", url.scheme());
        let absolute_form = absolute.parse().map_err(|_| "it cannot be sent")?;
        let host_header = authority.parse().map_err(|_| "its host cannot be sent")?;
        Ok(Self { target, host_header, origin_form, absolute_form, becomes_get: false, url })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL without user and password.
    pub(super) fn url(&self) -> String {
        self.absolute_form.to_string()
    }

    /// Makes the request one of the given version to this hop.
    pub(super) fn address(&self, request: &mut Request<Full<Bytes>>, version: Version) {
        if version == Version::HTTP_2 {
            *request.uri_mut() = self.absolute_form.clone();
            request.headers_mut().remove(HOST);
        } else {
            *request.uri_mut() = self.origin_form.clone();
            request.headers_mut().entry(HOST).or_insert_with(|| self.host_header.clone());
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        *request.version_mut() = version;
    }

    /// Same host, and same port or the usual step from HTTP to HTTPS.
    fn may_have_headers_of(&self, first: &Self) -> bool {
        let upgraded =
            (first.is_https(), first.target.port, self.is_https(), self.target.port) == (false, 80, true, 443);
        let same_port = (first.is_https(), first.target.port) == (self.is_https(), self.target.port);
        self.target.host == first.target.host && (same_port || upgraded)
    }

    /// Where a redirect leads (RFC 9110 section 15.4): 303 turns into `GET`, and 301 and 302 do so for `POST`.
    pub(super) fn redirected(&self, location: &str, status: StatusCode, method: &Method) -> Result<Self, String> {
        let bad = |why: &dyn std::fmt::Display| format!("the redirect to `{location}` cannot be followed: {why}");
        let url = self.url.join(location).map_err(|e| bad(&e))?;
        let mut next = Self::new(url).map_err(|why| bad(&why))?;
        next.becomes_get = self.becomes_get
            || match status {
                StatusCode::SEE_OTHER => *method != Method::HEAD,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
                _ => false,
            };
        Ok(next)
    }
}

fn header_value(text: &Text, with: &Preparing<'_>) -> Result<HeaderValue, PrepareError> {
    let bad = |_| PrepareError::unusable("http.headers", format!("`{text}` holds what no header can hold"));
    let mut value = HeaderValue::from_str(with.resolve(text)?.expose()).map_err(bad)?;
    value.set_sensitive(!text.references().is_empty());
    Ok(value)
}

/// The header for Basic (RFC 7617) or Bearer (RFC 6750), from the settings or from the URL's user and password.
fn authorization(
    auth: Option<&HttpAuth>,
    url: &Url,
    with: &Preparing<'_>,
) -> Result<Option<HeaderValue>, PrepareError> {
    let resolve = |text: &Option<Text>| text.as_ref().map(|t| with.resolve(t)).transpose();
    let (user, password, bearer) = match auth {
        Some(auth) => (resolve(&auth.user)?, resolve(&auth.password)?, resolve(&auth.bearer)?),
        None => (None, None, None),
    };
    let in_url = |part: &str| Secret::new(percent_decoded(part));
    let user = user.or_else(|| (!url.username().is_empty()).then(|| in_url(url.username())));
    let password = password.or_else(|| url.password().map(in_url));
    let text = match (&user, &bearer) {
        (_, Some(token)) => format!("Bearer {}", token.expose()),
        (Some(user), None) => {
            let password = password.unwrap_or_default();
            let pair = BASE64_STANDARD.encode(format!("{}:{}", user.expose(), password.expose()));
            with.conceal(Secret::new(pair.clone()));
            with.conceal(password);
            format!("Basic {pair}")
        }
        (None, None) => return Ok(None),
    };
    let bad = |_| PrepareError::unusable("http.auth", "it holds what no header can hold");
    let mut value = HeaderValue::from_str(&text).map_err(bad)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match tail.get(..2).filter(|_| *first == b'%').and_then(hex) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(url: &str) -> Hop {
        Hop::new(Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let check = |location: &str, expect: &str| {
            let next = hop("https://a.example/x/y?q=1").redirected(location, StatusCode::FOUND, &Method::GET);
            assert_eq!(next.map(|h| h.url()).unwrap_or_else(|e| e), expect, "{location}");
        };
        check("/login", "https://a.example/login");
        check("z", "https://a.example/x/z");
        check("?page=2", "https://a.example/x/y?page=2");
        check("//b.example/", "https://b.example/");
        check("http://c.example:8080/k", "http://c.example:8080/k");
        check(
            "ftp://d.example/",
            "the redirect to `ftp://d.example/` cannot be followed: it begins neither with http:// nor with https://",
        );
    }

    #[test]
    fn redirects_change_the_method_as_rfc_9110_says() {
        let check = |status: u16, method: Method, becomes_get: bool| {
            let next =
                hop("http://a.example/").redirected("/n", StatusCode::from_u16(status).unwrap(), &method).unwrap();
            assert_eq!(next.becomes_get, becomes_get, "{status} {method}");
        };
        check(301, Method::POST, true);
        check(302, Method::POST, true);
        check(302, Method::PUT, false);
        check(303, Method::PUT, true);
        check(303, Method::HEAD, false);
        check(307, Method::POST, false);
        check(308, Method::POST, false);
    }

    #[test]
    fn headers_stay_with_their_origin() {
        let check = |from: &str, to: &str, expect: bool| {
            assert_eq!(hop(to).may_have_headers_of(&hop(from)), expect, "{from} to {to}");
        };
        check("https://a.example/", "https://a.example/b", true);
        check("http://a.example/", "https://a.example/", true);
        check("https://a.example/", "http://a.example/", false);
        check("https://a.example/", "https://b.example/", false);
        check("http://a.example:8080/", "http://a.example:9090/", false);
    }

    #[test]
    fn passwords_in_urls_are_decoded() {
        assert_eq!(percent_decoded("p%40ss%2"), "p@ss%2");
        assert_eq!(percent_decoded("ma%C3%B1ana"), "mañana");
    }
}
