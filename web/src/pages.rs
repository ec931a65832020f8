//! The pages, one file each, and what all of them share. I/O: HTTP.

pub(crate) mod about;
pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod channels;
pub(crate) mod check;
pub(crate) mod confirm;
pub(crate) mod dashboards;
pub(crate) mod deliveries;
pub(crate) mod document;
pub(crate) mod entry;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod installation;
pub(crate) mod intensive;
pub(crate) mod kpis;
pub(crate) mod login;
pub(crate) mod metrics;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod security;
pub(crate) mod settings;
pub(crate) mod trail;
pub(crate) mod view;
pub(crate) mod visit;
pub(crate) mod welcome;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::answer::Failure;

/// What a page's handler gives.
pub(crate) type Answer = Result<Response, Failure>;

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => Failure::internal("render a page", error).into_response(),
    }
}

/// After a form: back to a page that says what was done.
pub(crate) fn done(path: &str, what: &str) -> Response {
    let join = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{join}done={what}")).into_response()
}

/// A path of this site to go back to; anything else becomes the overview.
pub(crate) fn local(path: &str) -> &str {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    if own && !path.chars().any(char::is_control) { path } else { "/" }
}
