//! HTTPS with an own certificate that is replaced while people are connected.

use std::path::Path;
use std::sync::Arc;

use nix::sys::signal::Signal;
use tests::farero::tls_trusting;
use tests::{Farero, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PLAN: &str = "system: prueba\ntimezone: UTC\nservices:\n  a: { check: { tcp: \"127.0.0.1:9\" } }\n";

/// A private authority, and certificates that it signs.
struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: rcgen::Issuer::new(params, key) }
    }

    /// Writes a certificate for 127.0.0.1 with this common name, and its key.
    fn write(&self, folder: &Path, name: &str) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    }
}

async fn connect(
    port: u16,
    authority: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> TlsStream<TcpStream> {
    let mut config = tls_trusting(Some(authority));
    if !versions.is_empty() {
        let mut roots = rustls::RootCertStore::empty();
        use rustls::pki_types::pem::PemObject as _;
        roots.add(rustls::pki_types::CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    }
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

/// The common name of the certificate that a connection was given.
fn name_of(stream: &TlsStream<TcpStream>) -> String {
    let certificate = &stream.get_ref().1.peer_certificates().unwrap()[0];
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).unwrap();
    parsed.subject().iter_common_name().next().unwrap().as_str().unwrap().to_owned()
}

async fn ask(stream: &mut TlsStream<TcpStream>, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_certificate_is_replaced_without_dropping_anybody_and_a_bad_one_is_refused() {
    let papers = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.write(papers.path(), "primero");
    let path = |name: &str| papers.path().join(name).display().to_string();
    let redirect = tests::farero::free_port();
    let mut farero = Farero::prepared(&[("plan.yaml", PLAN)], &[])
        .with_argument("--tls-cert")
        .with_argument(path("cert.pem"))
        .with_argument("--tls-key")
        .with_argument(path("key.pem"))
        .with_argument("--http-redirect")
        .with_argument(format!("127.0.0.1:{redirect}"))
        .over_tls(&authority.pem);
    farero.launch();
    farero.ready().await;

    let mut old = connect(farero.port(), &authority.pem, &[]).await;
    assert_eq!(name_of(&old), "primero");
    let answer = ask(&mut old, "/login").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let head = answer.to_lowercase();
    assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
    assert!(!head.contains("\r\nserver:"), "{head}");

    authority.write(papers.path(), "segundo");
    farero.signal(Signal::SIGHUP);
    let mut name = String::new();
    for _ in 0..100 {
        name = name_of(&connect(farero.port(), &authority.pem, &[]).await);
        if name == "segundo" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(name, "segundo", "a new connection is given the new certificate");
    assert!(ask(&mut old, "/login").await.starts_with("HTTP/1.1 200"), "the old connection goes on");

    std::fs::write(papers.path().join("key.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    farero.signal(Signal::SIGHUP);
    eventually("the bad pair is refused", || farero.output().contains("do not belong together")).await;
    assert_eq!(name_of(&connect(farero.port(), &authority.pem, &[]).await), "segundo");
    farero.log_in().await;
    let status = farero.json("/api/farero/v1/status").await;
    assert!(status["certificate"]["error"].as_str().unwrap().contains("do not belong together"), "{status}");
    assert!(farero.page("/about").await.contains("do not belong together"), "people see it");

    // Files that change are noticed without a word, too.
    authority.write(papers.path(), "tercero");
    eventually("the third one is in use", || farero.output().matches("a certificate was put in use").count() >= 2)
        .await;
    let twelve = connect(farero.port(), &authority.pem, &[&rustls::version::TLS12]).await;
    assert_eq!(
        (name_of(&twelve), twelve.get_ref().1.protocol_version()),
        ("tercero".into(), Some(rustls::ProtocolVersion::TLSv1_2))
    );

    let plain = without_redirects();
    let answer = plain.get(format!("http://127.0.0.1:{redirect}/alerts?x=1")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 308);
    let to = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("https://127.0.0.1:{}/alerts?x=1", farero.port()));
    let stranger =
        plain.get(format!("http://127.0.0.1:{redirect}/")).header("host", "evil.example").send().await.unwrap();
    let to = stranger.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
    assert!(!to.unwrap_or_default().contains("evil"), "nobody is sent where a stranger says");
}

fn without_redirects() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls_trusting(None))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

#[test]
fn sec_12_a_certificate_that_cannot_be_used_on_start_is_an_error() {
    let papers = tempfile::tempdir().unwrap();
    std::fs::write(papers.path().join("cert.pem"), "nothing").unwrap();
    std::fs::write(papers.path().join("key.pem"), "nothing").unwrap();
    std::fs::create_dir(papers.path().join("plan")).unwrap();
    std::fs::write(papers.path().join("plan/plan.yaml"), PLAN).unwrap();
    let path = |name: &str| papers.path().join(name).display().to_string();
    let (plan, data, cert, key) = (path("plan"), path("data"), path("cert.pem"), path("key.pem"));
    let ran = tests::binary::run(&[
        "run",
        &plan,
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("holds no certificate"), "{}", ran.err);
}
