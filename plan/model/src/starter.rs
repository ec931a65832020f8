//! A first plan, written from a few answers, with comments for whoever goes on from there. Pure.
//!
//! Two files can be written: a whole plan for somebody who has none, or a fragment with one channel and one check beside a plan
//! that somebody has. The first line carries a hash of the rest: as long as it holds, nobody has changed the file by hand and the
//! assistant may write it anew; after that the file is its people's.
//!
//! ```yaml
//! system: equipo
//! timezone: America/Lima
//! channels:
//!   aviso: { telegram: { token: "${file:/data/secrets/aviso-token}", chat: "-100" } }
//! services:
//!   portal: { check: { http: "https://www.example.org", every: 1m } }
//! ```

use kernel::Language;
use kernel::hash::fnv1a;
use serde::{Deserialize, Serialize};

/// Name of the first channel in the plan.
pub const CHANNEL: &str = "aviso";

/// What the first line of a file of the assistant's begins with.
const MARK: &str = "# farero:assistant ";

/// What the assistant was told. Secrets are not in it: their places stand as references.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// What people call the system.
    #[serde(default)]
    pub label: String,
    /// Time zone.
    #[serde(default)]
    pub timezone: String,
    /// Language of messages.
    #[serde(default)]
    pub language: Language,
    /// The first channel.
    #[serde(default)]
    pub channel: Option<FirstChannel>,
    /// The first check.
    #[serde(default)]
    pub check: Option<FirstCheck>,
    /// Hosts of this machine that whoever administers named as the channel's: such as a mail relay at `localhost:25`.
    #[serde(default)]
    pub allow: Vec<String>,
}

impl Answers {
    /// What people call the system; never empty.
    fn label(&self) -> &str {
        let label = self.label.trim();
        if label.is_empty() { self.language.pick("Mi equipo", "My team") } else { label }
    }

    /// The system's name in the plan.
    pub fn system(&self) -> String {
        name_of(self.label(), "equipo")
    }
}

/// The first channel; texts with secrets in them are references already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FirstChannel {
    /// E-mail over the organisation's server.
    Email {
        /// Host and port.
        server: String,
        /// `starttls`, `tls` or `none`.
        security: String,
        /// Name at the server; empty: none is needed.
        user: String,
        /// Reference to the password.
        password: String,
        /// Sender.
        from: String,
        /// Receiver.
        to: String,
    },
    /// A bot of Telegram's.
    Telegram {
        /// Reference to the bot's token.
        token: String,
        /// The chat.
        chat: String,
    },
    /// Slack, by an incoming webhook.
    Slack {
        /// Reference to its address.
        url: String,
    },
    /// Discord, by a webhook.
    Discord {
        /// Reference to its address.
        url: String,
    },
    /// Microsoft Teams, by a workflow.
    Teams {
        /// Reference to its address.
        url: String,
    },
    /// ntfy: an app on the phone.
    Ntfy {
        /// The topic.
        topic: String,
        /// The server; empty: the public one.
        server: String,
    },
    /// Any program that takes JSON.
    Webhook {
        /// Reference to its address.
        url: String,
    },
}

/// The first check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstCheck {
    /// What people call the thing.
    pub label: String,
    /// An address as people write it: `https://…`, `host:port`, or `host`.
    pub address: String,
}

/// How an address is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// A page or an API.
    Http,
    /// A port.
    Tcp,
    /// A host, by ping.
    Icmp,
}

impl FirstCheck {
    /// How its address is checked; `None` when it is none.
    pub fn kind(&self) -> Option<AddressKind> {
        let address = self.address.trim();
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let plain = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':'))
        };
        if let Some(rest) = rest {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            return (plain(host) && !address.chars().any(char::is_whitespace)).then_some(AddressKind::Http);
        }
        let port = address.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        match port {
            Some((host, port)) if plain(host) => port.parse::<u16>().ok().filter(|p| *p > 0).map(|_| AddressKind::Tcp),
            Some(_) => None,
            None => plain(address).then_some(AddressKind::Icmp),
        }
    }
}

/// A name for files and keys from what people call something: lower-case letters, digits, hyphens.
pub fn name_of(label: &str, otherwise: &str) -> String {
    let mut out = String::new();
    for c in label.to_lowercase().chars() {
        let plain = match c {
            'á' | 'à' | 'ä' | 'â' => 'a',
            'é' | 'è' | 'ë' | 'ê' => 'e',
            'í' | 'ì' | 'ï' | 'î' => 'i',
            'ó' | 'ò' | 'ö' | 'ô' => 'o',
            'ú' | 'ù' | 'ü' | 'û' => 'u',
            'ñ' => 'n',
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
            _ => '-',
        };
        if plain != '-' || !(out.is_empty() || out.ends_with('-')) {
            out.push(plain);
        }
        if out.len() >= 40 {
            break;
        }
    }
    let name = out.trim_matches('-').to_owned();
    if name.chars().next().is_some_and(|c| c.is_ascii_lowercase()) { name } else { otherwise.to_owned() }
}

/// Whether a file is the assistant's and nobody has changed it since.
pub fn is_own(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else { return false };
    first.strip_prefix(MARK).is_some_and(|mark| mark == hash(rest))
}

fn hash(text: &str) -> String {
    format!("{:016x}", fnv1a(text.bytes()))
}

/// The whole plan.
pub fn write_plan(answers: &Answers) -> String {
    let es = answers.language == Language::Es;
    let say = |spanish: &'static str, english: &'static str| if es { spanish } else { english };
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(say(
        "# El plan de su equipo. Lo escribió el asistente de Farero; es suyo: cámbielo con cualquier editor.",
        "# Your team's plan. Farero's assistant wrote it; it is yours: change it with any editor.",
    ));
    line(say(
        "# Farero lo vuelve a leer en cuanto se guarda, y antes dice qué está mal: farero check CARPETA",
        "# Farero reads it again as soon as it is saved, and says before what is wrong: farero check FOLDER",
    ));
    line(&format!("system: {}", answers.system()));
    line(&format!("label: {}", quoted(answers.label())));
    line(say(
        "# De todas las horas del plan, con sus cambios de hora.",
        "# Of all hours in the plan, with its clock changes.",
    ));
    let zone = if answers.timezone.is_empty() { "UTC" } else { &answers.timezone };
    line(&format!("timezone: {}", quoted(zone)));
    line(say("# De los mensajes: es o en.", "# Of messages: es or en."));
    line(&format!("language: {}", answers.language.tag()));
    line("");
    line(say(
        "# Qué tan grave es algo, cuándo se avisa y por dónde.",
        "# How grave something is, when people hear of it and how.",
    ));
    let channels = if answers.channel.is_some() { format!("[{CHANNEL}]") } else { "[]".to_owned() };
    line("severities:");
    let (critical, warning) = (say("Crítica", "Critical"), say("Advertencia", "Warning"));
    line(&format!("  critica: {{ label: {critical}, rank: critical, deliver: now, channels: {channels} }}"));
    line(&format!("  advertencia: {{ label: {warning}, rank: warning, deliver: within 1h, channels: {channels} }}"));
    line(say("# Lo que da una comprobación que falla o que tarda.", "# What a check gives that fails or is slow."));
    line("alerts: { down: critica, slow: advertencia }");
    out.push_str(&parts(answers));
    marked(&out)
}

/// A channel and a check beside a plan that somebody has.
pub fn write_fragment(answers: &Answers) -> String {
    let note = match answers.language {
        Language::Es => "# Del asistente de Farero. Nombre el canal en sus severidades para que avise por él.\n",
        Language::En => "# By Farero's assistant. Name the channel in your severities so that they use it.\n",
    };
    marked(&format!("{note}{}", parts(answers)))
}

fn marked(text: &str) -> String {
    format!("{MARK}{}\n{text}", hash(text))
}

fn parts(answers: &Answers) -> String {
    let es = answers.language == Language::Es;
    let mut out = String::new();
    if let Some(channel) = &answers.channel {
        out.push_str(if es { "\n# Por dónde avisa.\n" } else { "\n# How it tells people.\n" });
        out.push_str(&format!("channels:\n  {CHANNEL}: {{ {} }}\n", written(channel)));
    }
    if !answers.allow.is_empty() {
        out.push_str(if es {
            "\n# Direcciones de esta misma máquina a las que se puede enviar.\n"
        } else {
            "\n# Addresses of this machine itself that may be sent to.\n"
        });
        let allow: Vec<String> = answers.allow.iter().map(|host| quoted(&literal(host))).collect();
        out.push_str(&format!("outgoing: {{ allow: [{}] }}\n", allow.join(", ")));
    }
    if let Some(check) = &answers.check {
        out.push_str(if es { "\n# Lo que vigila.\n" } else { "\n# What it watches.\n" });
        let kind = match check.kind() {
            Some(AddressKind::Http) => "http",
            Some(AddressKind::Tcp) => "tcp",
            Some(AddressKind::Icmp) | None => "icmp",
        };
        out.push_str(&format!(
            "services:\n  {}:\n    label: {}\n    check: {{ {kind}: {}, every: 1m }}\n",
            name_of(&check.label, "primero"),
            quoted(check.label.trim()),
            quoted(&literal(check.address.trim()))
        ));
    }
    out
}

fn written(channel: &FirstChannel) -> String {
    let q = |text: &str| quoted(&literal(text));
    match channel {
        FirstChannel::Email { server, security, user, password, from, to } => {
            let account = if user.is_empty() {
                String::new()
            } else {
                format!(", user: {}, password: {}", q(user), quoted(password))
            };
            let server = q(server);
            format!("email: {{ server: {server}, security: {security}{account}, from: {}, to: [{}] }}", q(from), q(to))
        }
        FirstChannel::Telegram { token, chat } => {
            format!("telegram: {{ token: {}, chat: {} }}", quoted(token), q(chat))
        }
        FirstChannel::Slack { url } => format!("slack: {{ url: {} }}", quoted(url)),
        FirstChannel::Discord { url } => format!("discord: {{ url: {} }}", quoted(url)),
        FirstChannel::Teams { url } => format!("teams: {{ url: {} }}", quoted(url)),
        FirstChannel::Webhook { url } => format!("webhook: {{ url: {} }}", quoted(url)),
        FirstChannel::Ntfy { topic, server } => {
            let server = if server.is_empty() { String::new() } else { format!(", server: {}", q(server)) };
            format!("ntfy: {{ topic: {}{server} }}", q(topic))
        }
    }
}

/// A text in double quotes: JSON's are YAML's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A text that a person typed: no reference may come into the plan by it.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoadOptions, SourceFile, load};

    fn answers(language: Language, channel: Option<FirstChannel>, check: Option<(&str, &str)>) -> Answers {
        let check = check.map(|(label, address)| FirstCheck { label: label.into(), address: address.into() });
        Answers {
            label: "Área de TI \"Sur\"".into(),
            timezone: "America/Lima".into(),
            language,
            channel,
            check,
            allow: vec!["localhost:25".into()],
        }
    }

    fn channels() -> Vec<FirstChannel> {
        let text = |t: &str| t.to_owned();
        let url = || text("${env:HOOK}");
        vec![
            FirstChannel::Email {
                server: text("smtp.example.org:587"),
                security: text("starttls"),
                user: text("ana"),
                password: text("${env:P}"),
                from: text("farero@example.org"),
                to: text("ana@example.org"),
            },
            FirstChannel::Telegram { token: text("${env:T}"), chat: text("-100${env:HOME}") },
            FirstChannel::Slack { url: url() },
            FirstChannel::Discord { url: url() },
            FirstChannel::Teams { url: url() },
            FirstChannel::Ntfy { topic: text("avisos-ti"), server: String::new() },
            FirstChannel::Webhook { url: url() },
        ]
    }

    fn check_loads(files: &[SourceFile]) -> crate::Plan {
        let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
        let loaded = load(files, &options);
        assert!(
            !loaded.has_errors(),
            "{}",
            plan_syntax::render(&loaded.diagnostics, &loaded.sources, plan_syntax::Style::default())
        );
        loaded.plan.unwrap()
    }

    #[test]
    fn every_first_plan_loads_without_errors() {
        for language in [Language::Es, Language::En] {
            let empty = write_plan(&answers(language, None, None));
            assert_eq!(check_loads(&[SourceFile::new("plan.yaml", empty)]).system, "area-de-ti-sur");
            for channel in channels() {
                let text =
                    write_plan(&answers(language, Some(channel), Some(("Página ${x}", "https://example.org/a?b=c"))));
                let plan = check_loads(&[SourceFile::new("plan.yaml", text.clone())]);
                assert_eq!((plan.channels.len(), plan.services.len()), (1, 1));
                assert!(!text.contains("\"${env:HOME}") && is_own(&text), "{text}");
            }
        }
    }

    #[test]
    fn a_fragment_joins_a_plan_that_is_there() {
        for channel in channels() {
            let fragment = write_fragment(&answers(Language::En, Some(channel), Some(("Base", "10.0.0.3:5432"))));
            let files = [
                SourceFile::new("plan.yaml", "system: mini\ntimezone: America/Lima\nlanguage: es\n"),
                SourceFile::new("first-steps.yaml", fragment),
            ];
            let plan = check_loads(&files);
            assert!(plan.channels.contains_key(CHANNEL) && plan.services.contains_key("base"));
        }
    }

    #[test]
    fn what_people_changed_is_theirs() {
        let text = write_plan(&answers(Language::Es, None, None));
        assert!(
            is_own(&text)
                && !is_own(&text.replace("UTC", "utc").replace("America", "Europe"))
                && !is_own("system: x\n")
        );
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let check = |address: &str, expect: Option<AddressKind>| {
            let check = FirstCheck { label: "x".into(), address: address.into() };
            assert_eq!(check.kind(), expect, "{address}");
        };
        check("https://example.org", Some(AddressKind::Http));
        check("http://10.0.0.1:8080/salud?x=1", Some(AddressKind::Http));
        check("db.example.org:5432", Some(AddressKind::Tcp));
        check("[::1]:22", Some(AddressKind::Tcp));
        check("10.0.0.1", Some(AddressKind::Icmp));
        check("example.org", Some(AddressKind::Icmp));
        for bad in ["", "https://", "a b", "x:99999", "x:0", "https://exa mple.org", "javascript:alert(1)"] {
            check(bad, None);
        }
    }

    #[test]
    fn names_come_from_labels() {
        assert_eq!(name_of("Área de TI — Perú", "x"), "area-de-ti-peru");
        assert_eq!(name_of("2026", "equipo"), "equipo");
        assert_eq!(name_of("", "equipo"), "equipo");
    }
}
