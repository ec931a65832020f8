//! A mail server from Debian (python3-aiosmtpd) that writes each mail to its standard output as a line of JSON. I/O.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

const PROGRAM: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
port, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: (mail.get_body((kind,)) or mail).get_content()
        print(json.dumps({"to": envelope.rcpt_tos, "subject": mail["subject"], "text": part("plain"), "html": part("html"),
            "id": mail["message-id"], "tls": session.ssl is not None, "user": (session.auth_data or b"").decode()}), flush=True)
        return "250 kept"
def check(server, session, envelope, mechanism, data):
    good = data.login == b"farero" and data.password == b"llave-de-correo"
    return AuthResult(success=good, auth_data=data.login)
async def main():
    context = None
    if cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
    make = lambda: SMTP(Keep(), tls_context=context, require_starttls=bool(cert), authenticator=check, auth_required=bool(cert), auth_require_tls=True)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)
    print(json.dumps({"ready": True}), flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

/// The running server; killed when dropped.
pub struct MailServer {
    child: Child,
    port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// Starts it without protection.
    ///
    /// # Panics
    /// The Debian package python3-aiosmtpd is missing.
    pub fn plain() -> Self {
        Self::start("", "")
    }

    /// Starts it with STARTTLS and log-in required (`farero`, `llave-de-correo`), with a certificate and its key in PEM files.
    ///
    /// # Panics
    /// The Debian package python3-aiosmtpd is missing.
    pub fn with_tls(certificate: &str, key: &str) -> Self {
        Self::start(certificate, key)
    }

    fn start(certificate: &str, key: &str) -> Self {
        let port = crate::farero::free_port();
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", PROGRAM, &port.to_string(), certificate, key])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("python3 can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(first.contains("ready"), "the mail server does not start: install the Debian package python3-aiosmtpd");
        let mails: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = mails.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(mail) = serde_json::from_str(&line) {
                    kept.lock().push(mail);
                }
            }
        });
        Self { child, port, mails }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The mails that have arrived.
    pub fn mails(&self) -> Vec<Value> {
        self.mails.lock().clone()
    }

    /// The subjects that have arrived.
    pub fn subjects(&self) -> Vec<String> {
        self.mails().iter().map(|m| m["subject"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- mails ---\n{:#?}", self.mails());
        }
    }
}
