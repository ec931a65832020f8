//! What authorization costs a request, measured inside of the process; run in release. I/O: a temporary database.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use http::{Request, StatusCode};
use kernel::access::{Kind, Verb};
use kernel::{Clock, Timestamp};
use tower::ServiceExt as _;

use super::Site;
use crate::auth::guard::Guard;
use crate::routes::{Find, Rule, Surface};
use crate::sample;

/// A clock that goes on by 20 ms each time it is looked at, so that buckets fill and who is remembered is forgotten now and then.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(20, Ordering::Relaxed))
    }
}

/// Requests measured.
const REQUESTS: u32 = 20_000;

#[tokio::test]
#[ignore = "a measurement: run it in release with --ignored --nocapture"]
#[allow(clippy::print_stdout, reason = "the figure is for the terminal")]
async fn sec_12_authorization_costs_less_than_50_us() {
    let mut site = Site::new(true);
    let token = site.token_of(&["see", "run", "system:sigcerh"]);
    site.app.clock = Arc::new(Ticking(AtomicI64::new(sample::NOW.as_millis())));
    let rule = Rule::Ask(Verb::See, Kind::System, Find::System);
    let guard = Guard { app: site.app.clone(), rule, surface: Surface::Api, path: "/systems/{system}" };
    // The guard before a handler that does nothing: routing is in the measurement, the work is not.
    let handler = axum::routing::get(async || "").route_layer(from_fn_with_state(guard, crate::auth::guard::guard));
    let router: Router = Router::new().route("/systems/{system}", handler).with_state(site.app.clone());
    let request = || {
        let request = Request::get("/systems/sigcerh").header("authorization", format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };
    let mut nanos = Vec::with_capacity(REQUESTS as usize);
    for _ in 0..REQUESTS {
        let request = request();
        let began = Instant::now();
        let response = router.clone().oneshot(request).await.unwrap();
        nanos.push(began.elapsed().as_nanos());
        assert_eq!(response.status(), StatusCode::OK);
    }
    nanos.sort_unstable();
    let (mean, p99) = (nanos.iter().sum::<u128>() / u128::from(REQUESTS), nanos[nanos.len() * 99 / 100]);
    println!("authorization: mean {:.1} µs, p99 {:.1} µs of {REQUESTS} requests", mean as f64 / 1e3, p99 as f64 / 1e3);
    assert!(cfg!(debug_assertions) || mean < 50_000, "{mean} ns");
}
