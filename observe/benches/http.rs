//! What one HTTP check costs: CPU of this process, against a server in another one. I/O.
//!
//! `FARERO_BENCH_URL=http://127.0.0.1:8080/ cargo bench -p observe --bench http`
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark, for the terminal")]

use std::time::Instant;

use kernel::probe::{CheckId, Outcome};
use kernel::secret::{Redactor, Reference, ResolveError, Resolver, Secret};
use kernel::{Clock, Timestamp};
use observe::probe::{CheckSettings, prepare};

const CHECKS: u32 = 5_000;

struct NoSecrets;

impl Resolver for NoSecrets {
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
        Err(ResolveError { reference: reference.clone(), reason: "there are none here".to_owned() })
    }
}

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }
}

/// Seconds of CPU used by this process so far, user and system.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second; the name before them may hold anything.
    let (_, rest) = stat.rsplit_once(") ").expect("a name in parentheses");
    rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

fn main() {
    let Ok(url) = std::env::var("FARERO_BENCH_URL") else {
        println!("FARERO_BENCH_URL names no server: nothing is measured");
        return;
    };
    let check = serde_json::from_value(serde_json::json!({ "http": url })).expect("a check");
    let settings = CheckSettings::of(&check, &plan_model::check::CheckDefaults::default());
    let id = CheckId::new("bench", "server", "http");
    let prepared = prepare(id, &check, &settings, &NoSecrets, &Redactor::default()).expect("a check that can be asked");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let failed = runtime.block_on(async {
        let mut failed = 0;
        for _ in 0..CHECKS {
            let result = prepared.perform(Timestamp::default(), &WallClock).await;
            failed += u32::from(result.outcome != Outcome::Up);
        }
        failed
    });
    let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
    let each = 1_000.0 / f64::from(CHECKS);
    println!("{CHECKS} checks, {failed} failed: {:.3} ms CPU and {:.3} ms each", cpu * each, wall * each);
}
