//! Serves the pages over a made-up SIGCERH, to look at them while they are made. I/O: HTTP on a local port.
//!
//! `cargo run -p web --example gallery -- 9123 [trouble] [several]`; `?theme=dark&language=en` on any address chooses the look, `nobody` in it the page
//! as seen without log-in, `still` one that stays as it is.

use std::error::Error;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

mod sample;

/// What stands in the address as a cookie, so that one address is one picture.
async fn look(State(session): State<String>, mut request: Request, next: Next) -> Response {
    let referer = request.headers().get(header::REFERER).and_then(|r| r.to_str().ok()).unwrap_or_default();
    if request.uri().path() == "/events" && referer.contains("still") {
        return StatusCode::NO_CONTENT.into_response();
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut cookies: Vec<String> = query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            matches!(name, "theme" | "language").then(|| format!("farero_{name}={value}"))
        })
        .collect();
    let own = request.headers().get(header::COOKIE).and_then(|c| c.to_str().ok());
    cookies.extend(own.map(str::to_owned));
    if !query.contains("nobody") {
        cookies.push(session);
    }
    if let Ok(value) = HeaderValue::from_str(&cookies.join("; ")) {
        request.headers_mut().insert(header::COOKIE, value);
    }
    next.run(request).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().unwrap_or_else(|| "9123".into()).parse()?;
    let words: Vec<String> = arguments.collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    let trouble = has("trouble");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let app = sample::app(trouble);
    if has("several") {
        for (name, label) in [("nuam", "NUAM"), ("vision", "Vision")] {
            let named = sample::SIGCERH.replace("\"sigcerh\"", &format!("\"{name}\""));
            app.live.set_plan(sample::version(&named.replace("\"SIGCERH\"", &format!("\"{label}\""))));
        }
    }
    let session = sample::first_administrator(&app).await;
    axum::serve(listener, web::router(app).layer(from_fn_with_state(session, look))).await?;
    Ok(())
}
