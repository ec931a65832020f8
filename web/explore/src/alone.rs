//! The pages beside the engine alone: a frame of their own, language and appearance by cookies. I/O: HTTP.
//!
//! Nobody is asked who they are here: the engine listens where its operator lets it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Form, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, StatusCode, Uri};
use jiff::tz::TimeZone;
use kernel::Language;
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use web_prometheus::{Api, Backend};

use crate::text::Common;
use crate::times::length_ms;
use crate::{Body, Site, cardinality, explore, rules, targets};

/// What pages may load: what comes from here, no code inside of them.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How long a choice is remembered, seconds: a year.
const REMEMBERED_S: u32 = 31_536_000;

/// Address of an asset.
#[derive(Clone, Copy)]
struct Assets(fn(&str) -> String);

#[derive(Template)]
#[template(path = "alone.html")]
struct Frame<'a> {
    c: &'static Common,
    language: Language,
    themes: [(&'static str, &'static str, &'static str, bool); 3],
    theme: &'static str,
    title: &'a str,
    html: &'a str,
    links: Vec<(&'static str, &'static str, bool)>,
    css: [String; 2],
    script: String,
    icon: String,
    icons: String,
    here: &'a str,
    now: i64,
    zone: &'a str,
}

/// The pages over an engine; `asset` says where scripts and style sheets are served.
pub fn router(backend: Arc<dyn Backend>, asset: fn(&str) -> String) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/explore") }))
        .route("/graph", get(graph))
        .route("/explore", get(explore_page))
        .route("/targets", get(targets_page))
        .route("/rules", get(rules_page))
        .route("/cardinality", get(cardinality_page))
        .route("/preferences", post(preferences))
        .layer(from_fn(secure))
        .layer(CompressionLayer::new())
        .layer(Extension(Assets(asset)))
        .layer(Extension(Api(backend)))
}

async fn explore_page(api: Api, assets: Extension<Assets>, uri: Uri, headers: HeaderMap) -> Response {
    let site = site(&api, &assets, &headers);
    let body = explore::page(&site, &api, uri.query().unwrap_or_default()).await;
    framed(&site, &uri, &headers, &body)
}

async fn targets_page(api: Api, assets: Extension<Assets>, uri: Uri, headers: HeaderMap) -> Response {
    let site = site(&api, &assets, &headers);
    let body = targets::page(&site, &api, uri.query().unwrap_or_default()).await;
    framed(&site, &uri, &headers, &body)
}

async fn rules_page(api: Api, assets: Extension<Assets>, uri: Uri, headers: HeaderMap) -> Response {
    let site = site(&api, &assets, &headers);
    let body = rules::page(&site, &api, uri.query().unwrap_or_default()).await;
    framed(&site, &uri, &headers, &body)
}

async fn cardinality_page(api: Api, assets: Extension<Assets>, uri: Uri, headers: HeaderMap) -> Response {
    let site = site(&api, &assets, &headers);
    let body = cardinality::page(&site, &api).await;
    framed(&site, &uri, &headers, &body)
}

/// Prometheus's own page of expressions: alerts that were sent lead there.
async fn graph(uri: Uri) -> Redirect {
    Redirect::temporary(&of_graph(uri.query().unwrap_or_default()))
}

/// The same in Explore: `g0.expr`, `g0.tab` (1: table), `g0.range_input`.
pub fn of_graph(query: &str) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some((panel, what)) = name.split_once('.') else { continue };
        match what {
            "expr" => _ = out.append_pair("q", &value),
            "tab" if panel == "g0" && matches!(&*value, "1" | "table") => _ = out.append_pair("view", "table"),
            "range_input" if panel == "g0" && length_ms(&value).is_some() => _ = out.append_pair("range", &value),
            _ => {}
        }
    }
    format!("/explore?{}", out.finish())
}

fn site(api: &Api, assets: &Assets, headers: &HeaderMap) -> Site {
    let chosen = cookie(headers, "farero_language");
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let language =
        chosen.and_then(language_of).or_else(|| accepted.split(',').find_map(language_of)).unwrap_or(Language::En);
    let zone = cookie(headers, "farero_zone").and_then(|name| TimeZone::get(name).ok());
    Site { language, zone: zone.unwrap_or_else(TimeZone::system), now: api.now(), asset: assets.0 }
}

/// A language by its tag, with or without country and weight.
fn language_of(tag: &str) -> Option<Language> {
    match tag.trim().get(..2)? {
        "es" => Some(Language::Es),
        "en" => Some(Language::En),
        _ => None,
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn theme_of(word: &str) -> &'static str {
    match word {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}

fn framed(site: &Site, uri: &Uri, headers: &HeaderMap, body: &Body) -> Response {
    let c = &site.text().common;
    let link = |path: &'static str, name: &'static str| (path, name, uri.path() == path);
    let theme = theme_of(cookie(headers, "farero_theme").unwrap_or_default());
    let frame = Frame {
        c,
        language: site.language,
        themes: [("auto", c.theme_auto, "device"), ("light", c.theme_light, "sun"), ("dark", c.theme_dark, "moon")]
            .map(|(name, label, sign)| (name, label, sign, name == theme)),
        theme,
        title: &body.title,
        html: &body.html,
        links: vec![
            link("/explore", c.explore),
            link("/targets", c.targets),
            link("/rules", c.rules),
            link("/cardinality", c.cardinality),
        ],
        css: [(site.asset)("farero.css"), (site.asset)("metrics.css")],
        script: (site.asset)("js/app.js"),
        icon: (site.asset)("farero.svg"),
        icons: (site.asset)("icons.svg"),
        here: uri.path_and_query().map_or("/explore", |p| p.as_str()),
        now: site.now.as_millis(),
        zone: site.zone.iana_name().unwrap_or("UTC"),
    };
    match frame.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// What a person chose.
#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    back: String,
}

async fn preferences(Form(choice): Form<Choice>) -> Response {
    let own = choice.back.starts_with('/') && !choice.back.starts_with("//") && !choice.back.contains('\\');
    let back = if own && !choice.back.chars().any(char::is_control) { choice.back.as_str() } else { "/explore" };
    let mut response = Redirect::to(back).into_response();
    let mut keep = |name: &str, value: &str| {
        let text = format!("{name}={value}; Path=/; Max-Age={REMEMBERED_S}; SameSite=Lax; HttpOnly");
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    };
    if let Some(language) = language_of(&choice.language) {
        keep("farero_language", language.tag());
    }
    if !choice.theme.is_empty() {
        keep("farero_theme", theme_of(&choice.theme));
    }
    response
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let set = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in set {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_addresses_lead_to_explore() {
        assert_eq!(of_graph("g0.expr=up+%3D%3D+0&g0.tab=1"), "/explore?q=up+%3D%3D+0&view=table");
        assert_eq!(of_graph("g0.expr=a&g0.range_input=2h&g1.expr=b&g1.tab=1"), "/explore?q=a&range=2h&q=b");
        assert_eq!(of_graph(""), "/explore?");
    }

    #[test]
    fn a_language_is_found() {
        let of = |text: &str| text.split(',').find_map(language_of);
        assert_eq!(of("fr-FR,es-PE;q=0.8,en;q=0.5"), Some(Language::Es));
        assert_eq!((of("en-US"), of("é"), of("")), (Some(Language::En), None, None));
    }
}
