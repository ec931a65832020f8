//! Real servers for the tests: started on free ports of 127.0.0.1, with their files in a temporary folder. I/O.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kernel::probe::{CheckId, Outcome, Phase, ProbeResult};
use kernel::secret::{Redactor, Reference, ResolveError, Resolver, Secret};
use kernel::{Clock, Timestamp};
use observe::probe::{CheckSettings, PrepareError, Prepared};
use plan_model::Check;
use plan_model::check::CheckDefaults;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// The clock on the wall: probes of certificates need the real day.
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }
}

/// A clock that stands still.
pub(crate) struct ClockAt(pub(crate) Timestamp);

impl Clock for ClockAt {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// `${env:SECRET}` is `hunter22-secret`; nothing else is set.
pub(crate) struct OneSecret;

impl Resolver for OneSecret {
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
        match reference.name.as_str() {
            "SECRET" => Ok(Secret::new("hunter22-secret".to_owned())),
            _ => Err(ResolveError { reference: reference.clone(), reason: "it is not set".to_owned() }),
        }
    }
}

/// Makes a check ready that is written as in a plan. One attempt and 5 s unless it says otherwise.
pub(crate) fn try_prepare(check: serde_json::Value) -> Result<Prepared, PrepareError> {
    let mut check: Check = serde_json::from_value(check).expect("a check");
    check.attempts.get_or_insert(1);
    check.timeout.get_or_insert(kernel::Duration::from_secs(5));
    let settings = CheckSettings::of(&check, &CheckDefaults::default());
    observe::probe::prepare(CheckId::new("s", "c", "k"), &check, &settings, &OneSecret, &Redactor::default())
}

/// Asks a check that is written as in a plan.
pub(crate) async fn ask(check: serde_json::Value) -> ProbeResult {
    ask_at(check, &WallClock).await
}

/// The same at another time.
pub(crate) async fn ask_at(check: serde_json::Value, clock: &dyn Clock) -> ProbeResult {
    let prepared = try_prepare(check).expect("a check that can be asked");
    prepared.perform(clock.now(), clock).await
}

/// The error text, `""` when there is none.
pub(crate) fn error(result: &ProbeResult) -> &str {
    result.evidence.error.as_deref().unwrap_or_default()
}

/// A fact of the evidence.
pub(crate) fn fact<'a>(result: &'a ProbeResult, name: &str) -> &'a str {
    let found = result.evidence.facts.iter().find(|(n, _)| n == name);
    found.map_or_else(|| panic!("no fact `{name}` in {:?}", result.evidence), |(_, v)| v)
}

/// A reading's value; panics when the probe did not read it.
pub(crate) fn reading(result: &ProbeResult, metric: &str) -> f64 {
    let found = result.readings.iter().find(|r| r.metric == metric);
    found.unwrap_or_else(|| panic!("no {metric} in {:?}", result.readings)).value
}

/// The value of a reading's label.
pub(crate) fn reading_label<'a>(result: &'a ProbeResult, metric: &str, label: &str) -> &'a str {
    let found = result.readings.iter().find(|r| r.metric == metric).expect(metric);
    &found.labels.iter().find(|(n, _)| n == label).expect(label).1
}

/// The phases in order.
pub(crate) fn phases(result: &ProbeResult) -> Vec<Phase> {
    result.phases.iter().map(|(phase, _)| *phase).collect()
}

/// Checks outcome and a part of the error (`""`: there is none).
#[track_caller]
pub(crate) fn expect(result: &ProbeResult, outcome: Outcome, error_part: &str) {
    assert_eq!(result.outcome, outcome, "{result:#?}");
    match error_part {
        "" => assert_eq!(result.evidence.error, None, "{result:#?}"),
        part => assert!(error(result).contains(part), "`{part}` is not in `{}`", error(result)),
    }
}

/// A port that nobody listens on. Below those that the kernel gives to outgoing connections, of which one could take
/// the port before the server does; counted up from a start that differs between test programs.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    loop {
        let n = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let port = 20_000 + u16::try_from(n).expect("less than 12,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts a program of a Debian package.
    pub(crate) fn start(package: &str, command: &mut Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| {
            panic!(
                "{program} cannot be started ({e}): this test needs the Debian package {package}, apt install {package}"
            )
        });
        // Read on, or a talkative server waits for its reader; what it says is printed with a failed test.
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| eprintln!("{program}: {line}"))
        });
        Self { child }
    }

    /// Waits until the server accepts connections.
    pub(crate) fn wait_for(mut self, port: u16) -> Self {
        let end = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.try_wait().expect("its status") {
                panic!("the server ended ({status}) before it listened on port {port}: its messages are above");
            }
            assert!(Instant::now() < end, "the server does not listen on port {port}: its messages are above");
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Writes a file and returns its path.
pub(crate) fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect(name);
    path.to_string_lossy().into_owned()
}

/// Certificates made for a test.
pub(crate) struct Authority {
    params: rcgen::CertificateParams,
    key: rcgen::KeyPair,
    pem: String,
}

impl Authority {
    /// A new authority that nobody knows.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(2060, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { params, key, pem }
    }

    /// Its own certificate, for `ca_file`.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names that ends on the first day of a year, and its key, both in PEM form.
    pub(crate) fn issue(&self, names: &[&str], ends: i32) -> (String, String) {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, "farero test");
        params.not_before = rcgen::date_time_ymd(2015, 1, 1);
        params.not_after = rcgen::date_time_ymd(ends, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let issuer = rcgen::Issuer::from_params(&self.params, &self.key);
        (params.signed_by(&key, &issuer).expect("a certificate").pem(), key.serialize_pem())
    }
}
