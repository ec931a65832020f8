//! Waiting for something to become true, with a limit. I/O: sleeps.

use std::time::{Duration, Instant};

/// How long anything may take: generous, because machines are shared; a story that works is much faster.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Waits until a question has an answer.
///
/// # Panics
/// There is none within [`LIMIT`].
pub async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < LIMIT, "{what}: not within {} s", LIMIT.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until something is true.
///
/// # Panics
/// It is not within [`LIMIT`].
pub async fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    wait_for(what, || {
        let now = is_true();
        async move { now.then_some(()) }
    })
    .await;
}
