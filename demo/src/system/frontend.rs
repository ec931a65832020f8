//! The Frontend: a page. I/O.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

pub(crate) fn router() -> Router {
    Router::new().route("/", get(|| async { Html(PAGE) }))
}

const PAGE: &str = "<!doctype html><html lang=\"es\"><meta charset=\"utf-8\"><title>SIGCERH</title>\
<h1>SIGCERH · Certificados</h1><p>Este es un sistema de imitación para la demostración de Farero.</p></html>";
