//! E-mail by SMTP (CHN-01): STARTTLS, TLS or neither; text and HTML. I/O.
//!
//! SMTP RFC 5321, STARTTLS RFC 3207, submission over TLS RFC 8314, messages RFC 5322. The `Message-ID` is made from the
//! idempotency key, so that a message sent twice after a crash is one message to mail programs that compare ids.

use std::net::IpAddr;

use kernel::message::{AttemptResult, OutboxEntry};
use kernel::secret::Secret;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use plan_model::Outgoing;
use plan_model::channel::{self, MailSecurity};

use super::receivers::{Receivers, Wanted};
use super::{TRY_TIMEOUT, Trouble, mail_html};
use crate::outgoing;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

#[derive(Debug)]
pub(super) struct Email {
    host: String,
    port: u16,
    outgoing: Outgoing,
    security: MailSecurity,
    credentials: Option<(Secret, Secret)>,
    ca_pem: Option<Vec<u8>>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    pub(super) fn prepare(settings: &channel::Email, with: &Receivers<'_>) -> Result<Self, Trouble> {
        let server = settings.server.resolve(with.resolver)?;
        let (host, port) = host_and_port(server.expose().trim(), settings.security)?;
        let outgoing = with.plan.outgoing.clone();
        outgoing::check(&host, port, &outgoing).map_err(|e| Trouble::Settings(e.to_string()))?;
        let credentials = match (&settings.user, &settings.password) {
            // An empty user is no log-in, so that an environment can switch it off by a parameter.
            (Some(user), Some(password)) => {
                let user = user.resolve(with.resolver)?;
                if user.expose().is_empty() { None } else { Some((user, password.resolve(with.resolver)?)) }
            }
            (None, None) => None,
            _ => {
                return Err(Trouble::Settings(
                    "`user` and `password` belong together: give both or neither".to_owned(),
                ));
            }
        };
        let ca_pem = match &settings.ca_file {
            Some(path) => Some(read_ca(path.resolve(with.resolver)?.expose())?),
            None => None,
        };
        let from = mailbox(settings.from.resolve(with.resolver)?.expose())?;
        let to: Result<Vec<Mailbox>, Trouble> =
            with.addresses(&settings.to, Wanted::Email)?.iter().map(|a| mailbox(a)).collect();
        let to = to?;
        if to.is_empty() {
            return Err(Trouble::Settings("`to` names nobody: give at least one address, role or person".to_owned()));
        }
        Ok(Self { host, port, outgoing, security: settings.security, credentials, ca_pem, from, to })
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let mail = match self.mail(entry) {
            Ok(mail) => mail,
            Err(error) => return AttemptResult::Refused { error: format!("the mail cannot be written: {error}") },
        };
        let addresses = match outgoing::addresses(&self.host, self.port, &self.outgoing).await {
            Ok(addresses) => addresses,
            Err(error) => return AttemptResult::Postponed { error, retry_after_s: None },
        };
        let Some(address) = outgoing::reachable(&addresses).await else {
            let error = format!("`{}` has no address", self.host);
            return AttemptResult::Postponed { error, retry_after_s: None };
        };
        let transport = match self.transport(address.ip()) {
            Ok(transport) => transport,
            Err(error) => return AttemptResult::Refused { error },
        };
        match transport.send(mail).await {
            Ok(response) => {
                let text: Vec<&str> = response.message().collect();
                AttemptResult::Taken { answer: format!("{} {}", response.code(), text.join(" ")) }
            }
            Err(error) => self.judge(&error),
        }
    }

    /// A 5xx answer is for good (RFC 5321 section 4.2.1), all else may pass.
    fn judge(&self, error: &lettre::transport::smtp::Error) -> AttemptResult {
        let mut text = format!("{}:{}: {error}", self.host, self.port);
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text.push_str(": ");
                text.push_str(&inner_text);
            }
            cause = inner.source();
        }
        if error.is_permanent() {
            AttemptResult::Refused { error: format!("{text}; check the sender, the receivers and the log-in") }
        } else {
            AttemptResult::Postponed { error: text, retry_after_s: None }
        }
    }

    fn mail(&self, entry: &OutboxEntry) -> Result<Mail, lettre::error::Error> {
        let message = &entry.message;
        let mut builder = Mail::builder()
            .from(self.from.clone())
            .subject(&message.title)
            .message_id(Some(format!("<{}@farero>", safe_id(&entry.key))))
            .raw_header(header("X-Farero-Key", &entry.key))
            .raw_header(header("Auto-Submitted", "auto-generated"));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(message.text.clone());
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(mail_html::render(message));
        builder.multipart(MultiPart::alternative().singlepart(plain).singlepart(html))
    }

    /// To an address that was looked at; the server's certificate must still be for its name.
    fn transport(&self, address: IpAddr) -> Result<Transport, String> {
        let tls = match self.security {
            MailSecurity::None => Tls::None,
            MailSecurity::Starttls => Tls::Required(self.tls_parameters()?),
            MailSecurity::Tls => Tls::Wrapper(self.tls_parameters()?),
        };
        let mut builder =
            Transport::builder_dangerous(address.to_string()).port(self.port).tls(tls).timeout(Some(TRY_TIMEOUT));
        if let Some((user, password)) = &self.credentials {
            builder = builder.credentials(Credentials::new(user.expose().to_owned(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }

    fn tls_parameters(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(pem) = &self.ca_pem {
            let certificate = Certificate::from_pem(pem).map_err(|e| format!("`ca_file` holds no certificate: {e}"))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|e| format!("TLS cannot be set up: {e}"))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The left side of a `Message-ID` may hold letters, digits and a few signs (RFC 5322 `dot-atom`).
fn safe_id(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect()
}

fn mailbox(address: &str) -> Result<Mailbox, Trouble> {
    address.trim().parse().map_err(|e| {
        Trouble::Settings(format!("an address is none ({e}): write `name@example.org` or `Name <name@example.org>`"))
    })
}

fn host_and_port(server: &str, security: MailSecurity) -> Result<(String, u16), Trouble> {
    let usual = match security {
        MailSecurity::Starttls => 587,
        MailSecurity::Tls => 465,
        MailSecurity::None => 25,
    };
    let wrong = || Trouble::Settings("`server` must be `host` or `host:port`".to_owned());
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
        _ => (server, usual),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

fn read_ca(path: &str) -> Result<Vec<u8>, Trouble> {
    std::fs::read(path).map_err(|e| Trouble::Settings(format!("`ca_file` {path} cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use kernel::secret::Resolver;

    use super::*;

    fn check(server: &str, security: MailSecurity, expect: Option<(&str, u16)>) {
        let got = host_and_port(server, security).ok();
        assert_eq!(got, expect.map(|(h, p)| (h.to_owned(), p)), "{server}");
    }

    struct Nothing;
    impl Resolver for Nothing {
        fn resolve(&self, reference: &kernel::secret::Reference) -> Result<Secret, kernel::secret::ResolveError> {
            Err(kernel::secret::ResolveError { reference: reference.clone(), reason: "it is not set".into() })
        }
    }

    #[test]
    fn an_empty_user_is_no_log_in() {
        let plan = serde_json::from_str(r#"{"system": "x", "timezone": "UTC"}"#).unwrap();
        let receivers = Receivers { plan: &plan, resolver: &Nothing };
        let log_in = |user: &str| {
            let settings = serde_json::json!({
                "server": "mail.example", "user": user, "password": "p", "from": "a@example.org", "to": ["b@example.org"]
            });
            Email::prepare(&serde_json::from_value(settings).unwrap(), &receivers).unwrap().credentials.is_some()
        };
        assert!(log_in("ana"));
        assert!(!log_in(""));
    }

    #[test]
    fn ports_follow_security() {
        check("mail.example", MailSecurity::Starttls, Some(("mail.example", 587)));
        check("mail.example", MailSecurity::Tls, Some(("mail.example", 465)));
        check("127.0.0.1:2525", MailSecurity::None, Some(("127.0.0.1", 2525)));
        check("[::1]:25", MailSecurity::None, Some(("::1", 25)));
        check("mail.example:x", MailSecurity::None, None);
        check("", MailSecurity::None, None);
    }
}
