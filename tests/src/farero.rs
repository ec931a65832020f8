//! A running Farero: the real binary on a plan in a temporary folder. I/O.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::wait::wait_for;

/// Password of the administrator that tests create.
pub const PASSWORD: &str = "una-clave-bastante-larga";

/// A running Farero; killed when dropped.
pub struct Farero {
    folder: TempDir,
    port: u16,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    scheme: &'static str,
    child: Option<Child>,
    output: Arc<Mutex<Vec<String>>>,
    client: Client,
}

impl Farero {
    /// Writes a plan (files by name) and starts Farero on it.
    ///
    /// # Panics
    /// It does not become ready; its output is shown.
    pub async fn start(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        let mut farero = Self::prepared(files, environment);
        farero.launch();
        farero.ready().await;
        farero
    }

    /// As [`Farero::start`], without starting.
    ///
    /// # Panics
    /// The temporary folder cannot be written.
    pub fn prepared(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let farero = Self {
            folder,
            port: free_port(),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            arguments: Vec::new(),
            scheme: "http",
            child: None,
            output: Arc::default(),
            client: client(),
        };
        for (name, text) in files {
            farero.write(name, text);
        }
        farero
    }

    /// Adds an argument to the command line.
    #[must_use]
    pub fn with_argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Reached over TLS, by a client that trusts these authorities (PEM).
    #[must_use]
    pub fn over_tls(mut self, authority: &str) -> Self {
        self.scheme = "https";
        self.client = client_trusting(Some(authority));
        self
    }

    /// Listens on this port.
    #[must_use]
    pub const fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The port that it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Writes a file of the plan.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.plan().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file of the plan");
    }

    /// Sets a variable for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The folder that it is started in; it holds the plan and the data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plan's folder.
    pub fn plan(&self) -> PathBuf {
        self.folder.path().join("plan")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the binary; without a plan's folder, where no file of a plan was written.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn launch(&mut self) {
        let plan = Some(self.plan()).filter(|p| p.exists());
        let mut child = Command::new(crate::binary::path())
            .arg("run")
            .args(plan)
            .current_dir(self.folder.path())
            .arg("--data")
            .arg(self.data())
            .args(["--open-metrics", "--listen", &format!("127.0.0.1:{}", self.port)])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("farero can be started");
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (kept_out, kept_err) = (self.output.clone(), self.output.clone());
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).for_each(|l| kept_out.lock().push(l))
        });
        std::thread::spawn(move || {
            BufReader::new(err).lines().map_while(Result::ok).for_each(|l| kept_err.lock().push(l))
        });
        self.child = Some(child);
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// It ends, or does not become ready in time.
    pub async fn ready(&mut self) {
        let url = self.url("/-/ready");
        for _ in 0..1_200 {
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().ok().flatten()) {
                panic!("farero ended with {status}:\n{}", self.output());
            }
            if self.client.get(&url).send().await.is_ok_and(|r| r.status().is_success()) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("farero did not become ready:\n{}", self.output());
    }

    /// Kills it without warning.
    ///
    /// # Panics
    /// It does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// It does not run.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().expect("it runs").id();
        kill(Pid::from_raw(i32::try_from(id).expect("a process id")), signal).expect("it can be signalled");
    }

    /// Everything it has printed.
    pub fn output(&self) -> String {
        self.output.lock().join("\n")
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    /// Creates the administrator by the one-time link and keeps the session.
    ///
    /// # Panics
    /// The link is not printed, or does not work.
    pub async fn log_in(&self) {
        let link = self.setup_link().await;
        let form = format!("name=admin&password={PASSWORD}&again={PASSWORD}");
        let answer = self.form(self.client.post(link.trim()), form).send().await.expect("an answer");
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{}", answer.status());
    }

    /// The one-time link to create the administrator, as it was printed.
    ///
    /// # Panics
    /// It is not printed.
    pub async fn setup_link(&self) -> String {
        wait_for("the link to create the administrator", || {
            let found = self
                .output
                .lock()
                .iter()
                .find_map(|l| l.find("http").filter(|_| l.contains("/setup/")).map(|i| l[i..].to_owned()));
            async move { found }
        })
        .await
    }

    /// A session of its own for the administrator that [`Farero::log_in`] made: the cookie as a header's value, and the token that
    /// its forms carry.
    ///
    /// # Panics
    /// The log-in does not work.
    pub async fn session(&self) -> (String, String) {
        let plain = Client::builder()
            .tls_backend_preconfigured(tls_trusting(None))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        let form = format!("name=admin&password={PASSWORD}");
        let answer = self.form(plain.post(self.url("/login")), form).send().await.expect("an answer");
        let all: Vec<String> = answer.cookies().map(|c| format!("{}={}", c.name(), c.value())).collect();
        let cookie = all.into_iter().find(|c| c.contains("session") || c.contains("__Host-farero")).expect("a session");
        let page = plain.get(self.url("/settings")).header("cookie", &cookie).send().await.expect("an answer");
        let page = page.text().await.expect("a page");
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
        (cookie, csrf.to_owned())
    }

    /// A form as a browser on the same page would send it.
    pub fn form(&self, request: RequestBuilder, form: String) -> RequestBuilder {
        request
            .header("origin", self.url(""))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
    }

    /// The HTTP client, with the session of [`Farero::log_in`].
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// A page or other text.
    ///
    /// # Panics
    /// It is not answered with 2xx.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.client.get(self.url(path)).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        assert!(status.is_success(), "{path}: {status}: {text}");
        text
    }

    /// What a form of a page sends back, so that it counts as that page's own.
    ///
    /// # Panics
    /// The page has no form.
    pub async fn csrf(&self, path: &str) -> String {
        let page = self.page(path).await;
        let after = page.split("name=\"csrf\" value=\"").nth(1).expect("a form");
        after.split('"').next().expect("a value").to_owned()
    }

    /// JSON of the API.
    ///
    /// # Panics
    /// It is not answered with JSON and 2xx.
    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).expect("JSON")
    }

    /// The first value of an instant query; `None` when it gives nothing.
    pub async fn query(&self, promql: &str) -> Option<f64> {
        let request = self.client.get(self.url("/api/v1/query")).query(&[("query", promql)]);
        let value: Value = serde_json::from_str(&request.send().await.ok()?.text().await.ok()?).ok()?;
        value["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Farero {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- farero's output ---\n{}", self.output());
        }
    }
}

/// A free port on 127.0.0.1.
///
/// # Panics
/// None is free.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// An HTTP client that keeps cookies and trusts nobody. It keeps no connections, which a killed or refusing server may have
/// closed meanwhile.
///
/// # Panics
/// TLS cannot be set up.
pub fn client() -> Client {
    client_trusting(None)
}

/// As [`client`], trusting an authority (PEM).
///
/// # Panics
/// TLS cannot be set up.
pub fn client_trusting(authority: Option<&str>) -> Client {
    let tls = tls_trusting(authority);
    let builder = Client::builder().tls_backend_preconfigured(tls).cookie_store(true).pool_max_idle_per_host(0);
    builder.build().expect("an HTTP client")
}

/// TLS of a client that trusts an authority (PEM), or nobody.
///
/// # Panics
/// TLS cannot be set up.
pub fn tls_trusting(authority: Option<&str>) -> rustls::ClientConfig {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    if let Some(pem) = authority {
        for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate.expect("a certificate")).expect("an authority");
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Copies a folder with everything in it.
///
/// # Panics
/// Something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
