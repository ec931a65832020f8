//! How long the overview of 1,000 checks takes to answer: prints the median and the slowest of 45. I/O: none but a
//! temporary database.
//!
//! `cargo run --release -p web --example pace`
#![allow(clippy::print_stdout, reason = "it is a program for the command line")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use http::{Request, header};
use kernel::probe::Outcome;
use tower::ServiceExt as _;

mod sample;

const CHECKS: usize = 1_000;
/// Three pages so often stay within what one session may ask at once.
const ROUNDS: usize = 45;

fn plan(components: usize) -> String {
    let service = |i: usize| format!("\"s{i}\": {{ \"check\": {{ \"http\": \"https://s{i}.example/health\" }} }}");
    let services: Vec<String> = (0..components).map(service).collect();
    format!("{{ \"system\": \"large\", \"timezone\": \"America/Lima\", \"services\": {{ {} }} }}", services.join(","))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = sample::app(false);
    let cookie = sample::first_administrator(&app).await;
    app.live.set_plan(sample::version(&plan(CHECKS)));
    for i in 0..CHECKS {
        for round in 0..60u64 {
            let result = sample::result(&format!("large/s{i}/check"), Outcome::Up, 100 + round, (60 - round) * 10);
            app.live.record_result(&Arc::new(result), None);
        }
    }
    let router = web::router(app);
    for path in ["/s/large", "/", "/api/farero/v1/systems/large/overview"] {
        let (mut times, mut bytes) = (Vec::with_capacity(ROUNDS), 0);
        for _ in 0..ROUNDS {
            let request = Request::get(path).header(header::COOKIE, &cookie).header(header::ACCEPT_ENCODING, "gzip");
            let start = Instant::now();
            let response = router.clone().oneshot(request.body(Body::empty())?).await?;
            bytes = to_bytes(response.into_body(), 16 << 20).await?.len();
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{path}: median {:.1} ms, slowest {:.1} ms, {} KiB gzip",
            times[ROUNDS / 2],
            times[ROUNDS - 1],
            bytes / 1_024
        );
    }
    Ok(())
}
