//! A certificate from a real ACME authority (Pebble), over TLS and over HTTP, renewed before its end.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tests::farero::free_port;
use tests::{Farero, eventually, wait_for};

const PLAN: &str = "system: prueba\ntimezone: UTC\nservices:\n  a: { check: { tcp: \"127.0.0.1:9\" } }\n";

/// A running authority whose certificates live for a short time, and a DNS server that leads its names here.
struct Authority {
    pebble: Child,
    names: Child,
    directory: String,
    management: String,
    /// Vouches for the authority's own address.
    root: String,
}

impl Authority {
    fn start(folder: &Path, tls_port: u16, http_port: u16, life_s: u32) -> Self {
        let (port, management, dns) = (free_port(), free_port(), free_port());
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("authority.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("authority-key.pem"), made.signing_key.serialize_pem()).unwrap();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("authority.pem"),
            "privateKey": path("authority-key.pem"),
            "httpPort": http_port,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "profiles": { "default": { "description": "short", "validityPeriod": life_s } },
        } });
        std::fs::write(path("pebble.json"), config.to_string()).unwrap();
        let names = Command::new("/usr/sbin/dnsmasq")
            .args(["--no-daemon", "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces"])
            .arg(format!("--port={dns}"))
            .arg("--address=/farero.example/127.0.0.1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Debian package dnsmasq");
        let log = std::fs::File::create(path("pebble.log")).unwrap();
        let pebble = Command::new(tests::tools::pebble())
            .args(["-config", &path("pebble.json"), "-dnsserver", &format!("127.0.0.1:{dns}")])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("pebble can be started");
        Self {
            pebble,
            names,
            directory: format!("https://localhost:{port}/dir"),
            management: format!("https://localhost:{management}"),
            root: made.cert.pem(),
        }
    }

    /// The root that vouches for the certificates it makes.
    async fn issuing_root(&self) -> String {
        let client = tests::farero::client_trusting(Some(&self.root));
        let url = format!("{}/roots/0", self.management);
        wait_for("the authority answers", || async {
            client.get(&url).send().await.ok()?.text().await.ok().filter(|t| t.contains("BEGIN CERTIFICATE"))
        })
        .await
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in [&mut self.pebble, &mut self.names] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn farero(authority: &Authority, folder: &Path) -> Farero {
    let root = folder.join("authority.pem").display().to_string();
    Farero::prepared(&[("plan.yaml", PLAN)], &[])
        .with_argument("--acme=farero.example")
        .with_argument("--acme-email=equipo@farero.example")
        .with_argument(format!("--acme-directory={}", authority.directory))
        .with_argument(format!("--acme-ca={root}"))
}

/// A client that trusts the authority and finds the name here.
fn client(root: &str, port: u16) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tests::farero::tls_trusting(Some(root)))
        .resolve("farero.example", ([127, 0, 0, 1], port).into())
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_certificate_is_ordered_over_tls_kept_and_renewed() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    // 30 s of life: renewed after 20 s.
    let authority = Authority::start(folder.path(), port, free_port(), 30);
    let root = authority.issuing_root().await;
    let mut farero = farero(&authority, folder.path()).on_port(port);
    farero.launch();
    let client = client(&root, port);
    let url = format!("https://farero.example:{port}/-/ready");
    wait_for("HTTPS with a certificate of the authority", || async {
        client.get(&url).send().await.ok().filter(|r| r.status().is_success())
    })
    .await;
    let kept = farero.data().join("acme");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&kept), 0o700);
    for entry in std::fs::read_dir(&kept).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let first = std::fs::read(kept.join("certificate.pem")).unwrap();
    eventually("it is renewed", || std::fs::read(kept.join("certificate.pem")).unwrap() != first).await;
    assert!(client.get(&url).send().await.unwrap().status().is_success());

    // After a restart the kept one is used at once, and the account is the same.
    farero.kill();
    let accounts = || std::fs::read_dir(&kept).unwrap().count();
    let before = accounts();
    farero.launch();
    wait_for("HTTPS again", || async { client.get(&url).send().await.ok() }).await;
    assert_eq!(accounts(), before);
    assert_eq!(
        farero.output().matches("an account with the ACME authority was made").count(),
        1,
        "{}",
        farero.output()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_certificate_is_ordered_over_http_where_there_is_a_door_and_failures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (port, http) = (free_port(), free_port());
    // The authority looks for TLS where nothing listens, so only HTTP can work.
    let authority = Authority::start(folder.path(), free_port(), http, 3_600);
    let root = authority.issuing_root().await;
    let mut alone = farero(&authority, folder.path()).on_port(free_port());
    alone.launch();
    eventually("the reason is told", || alone.output().contains("does not see that `farero.example` is this machine"))
        .await;
    drop(alone);

    let mut farero =
        farero(&authority, folder.path()).on_port(port).with_argument(format!("--http-redirect=127.0.0.1:{http}"));
    farero.launch();
    let client = client(&root, port);
    let url = format!("https://farero.example:{port}/-/ready");
    wait_for("HTTPS with a certificate of the authority", || async { client.get(&url).send().await.ok() }).await;
    assert!(farero.output().contains("a certificate was put in use"), "{}", farero.output());
}
