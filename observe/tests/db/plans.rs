//! What the plans measure of their databases, asked as the plans say it (MET-06).

use std::path::Path;
use std::time::Duration;

use kernel::probe::{CheckId, ProbeResult};
use kernel::secret::{Redactor, Reference, ResolveError, Resolver, Secret};
use mysql_async::prelude::Queryable;
use observe::probe::{CheckSettings, Prepared, prepare};
use plan_model::Plan;
use plan_model::load::{LoadOptions, load, wants};
use plan_syntax::SourceFile;

use crate::servers::until;
use crate::support::{WallClock, reading};
use crate::{mysql, postgres};

/// One of the plans as it is.
fn plan(name: &str) -> Plan {
    fn read(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                read(root, &path, files);
            } else if wants(&name) {
                files.push(SourceFile::new(name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let (root, mut files) = (Path::new("../plans").join(name), Vec::new());
    read(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let today = jiff::civil::date(2026, 11, 26);
    let loaded = load(&files, &LoadOptions { folder: String::new(), environment: None, today });
    loaded.plan.unwrap_or_else(|| panic!("{name}: {:?}", loaded.diagnostics))
}

/// Knows one variable of the environment.
struct Only(&'static str, String);

impl Resolver for Only {
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
        match reference.name == self.0 {
            true => Ok(Secret::new(self.1.clone())),
            false => Err(ResolveError { reference: reference.clone(), reason: "it is not set".to_owned() }),
        }
    }
}

/// A check of a plan, ready to be asked.
fn check(plan: &Plan, component: &str, name: &str, resolver: &Only) -> Prepared {
    let check = plan.component(component).and_then(|c| c.check_named(name)).unwrap();
    let settings = CheckSettings::of(check, &plan.defaults);
    let id = CheckId::new(&plan.system, component, name);
    prepare(id, check, &settings, resolver, &Redactor::default()).unwrap()
}

async fn ask(prepared: &Prepared) -> ProbeResult {
    prepared.perform(kernel::Clock::now(&WallClock), &WallClock).await
}

/// What the plans' sections on databases want to know: connections in use and at most, the pool's use, those at work, slow queries, size.
fn has(result: &ProbeResult, (used, most): (f64, f64)) {
    assert_eq!(reading(result, "farero_db_connections"), used, "{result:?}");
    assert_eq!(reading(result, "farero_db_connections_max"), most);
    assert_eq!(reading(result, "farero_db_connections_used_ratio"), used / most);
    // The one that sleeps, and the check's own.
    assert!(reading(result, "farero_db_connections_active") >= 2.0, "{result:?}");
    assert!(reading(result, "farero_db_connections_active") <= used, "{result:?}");
    assert_eq!(reading(result, "farero_db_slow_queries"), 1.0, "{result:?}");
    assert!(reading(result, "farero_db_size_bytes") > 10_000.0);
}

#[tokio::test]
async fn met_06_postgresql_tells_what_the_plans_ask() {
    let server = postgres::Postgres::start(&["max_connections=20"]).ready().await;
    let url = server.url().replace("${env:SECRET}", postgres::PASSWORD);
    let (idle, slow) = (server.connect().await, server.connect().await);
    let sleeping = tokio::spawn(async move { slow.batch_execute("SELECT pg_sleep(30)").await });
    for (name, component, check_name, variable) in [
        ("sigcerh", "postgres", "conexion", "SIGCERH_DATABASE_URL"),
        ("conecta360", "postgres", "check", "CONECTA360_DATABASE_URL"),
    ] {
        let prepared = check(&plan(name), component, check_name, &Only(variable, url.clone()));
        let is_seen =
            |r: &ProbeResult| r.readings.iter().any(|r| r.metric == "farero_db_slow_queries" && r.value > 0.0);
        let result = until(|| ask(&prepared), is_seen).await;
        has(&result, (3.0, 20.0));
    }
    sleeping.abort();
    drop(idle);
}

#[tokio::test]
async fn met_06_mariadb_tells_what_the_plans_ask() {
    let server = mysql::Mariadb::start(&["--max-connections=20"]).ready().await;
    let url = server.url().replace("${env:SECRET}", mysql::PASSWORD);
    let (mut idle, mut slow) = (server.connect().await, server.connect().await);
    idle.query_drop("CREATE TABLE placas (id INT PRIMARY KEY) ENGINE=InnoDB").await.unwrap();
    let sleeping = tokio::spawn(async move { slow.query_drop("SELECT SLEEP(30)").await });
    let prepared = check(&plan("ecplacas"), "mysql", "conexion", &Only("ECPLACAS_DATABASE_URL", url));
    let is_seen = |r: &ProbeResult| r.readings.iter().any(|r| r.metric == "farero_db_slow_queries" && r.value > 0.0);
    let result = tokio::time::timeout(Duration::from_secs(30), until(|| ask(&prepared), is_seen)).await.unwrap();
    // Connections of the checks before it may linger for a moment.
    let used = reading(&result, "farero_db_connections");
    assert!((3.0..=6.0).contains(&used), "{result:?}");
    has(&result, (used, 20.0));
    // What the rule DatabaseConnectionsHigh of the plan reads.
    assert_eq!(reading(&result, "mysql_global_status_threads_connected"), used);
    assert_eq!(reading(&result, "mysql_global_variables_max_connections"), 20.0);
    assert!(reading(&result, "mysql_global_status_slow_queries") >= 0.0);
    sleeping.abort();
    drop(idle);
}
