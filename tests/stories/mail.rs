//! Mail over a protected connection with log-in, from a server whose certificate a private authority signed.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tests::{Farero, MailServer, Target, eventually, wait_for};

/// A private authority and a server's certificate for 127.0.0.1, as PEM files.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        for (name, text) in [("ca.pem", authority_pem), ("server.pem", server.pem()), ("key.pem", key.serialize_pem())]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

const PLAN: &str = r#"
system: prueba
label: Sistema de prueba
timezone: America/Lima
outgoing: { allow: ["127.0.0.1"] }
language: es
defaults: { every: 1s, timeout: 500ms, attempts: 1, evaluate_every: 1s }
severities: { critica: { label: Crítica, rank: critical, deliver: now, channels: [correo] } }
channels:
  correo:
    email:
      server: "${env:SMTP}"
      security: starttls
      user: "${env:SMTP_USER}"
      password: "${env:SMTP_PASSWORD}"
      from: farero@example.org
      to: [equipo@example.org]
      ca_file: "${env:SMTP_CA}"
alerts: { down: critica }
services: { backend: { label: Backend, check: { http: "${env:BACKEND}/api/health" } } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn chn_01_mail_goes_by_starttls_with_log_in_and_a_private_authority() {
    let papers = Papers::new();
    let mail = MailServer::with_tls(&papers.path("server.pem"), &papers.path("key.pem"));
    let target = Target::start().await;
    let (address, backend, authority) = (mail.address(), target.url(), papers.path("ca.pem"));
    let environment = [
        ("SMTP", &*address),
        ("SMTP_USER", "farero"),
        ("SMTP_PASSWORD", "llave-de-correo"),
        ("SMTP_CA", &authority),
        ("BACKEND", &backend),
    ];
    let farero = Farero::start(&[("plan.yaml", PLAN)], &environment).await;
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    target.off().await;
    eventually("the mail arrives", || !mail.mails().is_empty()).await;
    let first = &mail.mails()[0];
    assert_eq!((&first["tls"], &first["user"]), (&true.into(), &"farero".into()), "{first}");
    assert_eq!(
        (&first["to"][0], &first["subject"]),
        (&"equipo@example.org".into(), &"Crítica: Backend no responde".into())
    );
    let secret_told = farero.output().contains("llave-de-correo") || first.to_string().contains("llave-de-correo");
    assert!(!secret_told, "the password stands nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn chn_08_a_server_that_nobody_vouches_for_gets_no_password_and_the_log_says_why() {
    let (papers, others) = (Papers::new(), Papers::new());
    let mail = MailServer::with_tls(&papers.path("server.pem"), &papers.path("key.pem"));
    let target = Target::start().await;
    let (address, backend, authority) = (mail.address(), target.url(), others.path("ca.pem"));
    let environment = [
        ("SMTP", &*address),
        ("SMTP_USER", "farero"),
        ("SMTP_PASSWORD", "llave-de-correo"),
        ("SMTP_CA", &authority),
        ("BACKEND", &backend),
    ];
    let farero = Farero::start(&[("plan.yaml", PLAN)], &environment).await;
    farero.log_in().await;
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    target.off().await;
    let log = wait_for("the try is in the log", || async {
        let log = farero.json("/api/farero/v1/deliveries").await.to_string();
        log.to_lowercase().contains("certificate").then_some(log)
    })
    .await;
    assert!(!log.contains("llave-de-correo"), "{log}");
    assert!(mail.mails().is_empty());
}
