//! Checks: exactly one kind, settings that fit together, values in their forms. Pure.

use kernel::Duration;
use kernel::secret::Text;
use plan_syntax::Level;
use plan_syntax::suggest::listing;

use super::Verifier;
use crate::check::net::{HttpCheck, TlsSettings};
use crate::check::{CompositeCheck, HeartbeatCheck, SHORTEST_INTERVAL};
use crate::{Check, CheckKind};

/// All kinds of check.
const KINDS: &[&str] = &[
    "http",
    "tcp",
    "tls",
    "dns",
    "icmp",
    "postgres",
    "mysql",
    "redis",
    "oracle",
    "kafka",
    "smtp",
    "ssh",
    "grpc",
    "websocket",
    "ntp",
    "heartbeat",
    "systemd",
    "docker",
    "process",
    "command",
    "host",
    "composite",
];

const DNS_RECORDS: &[&str] = &["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "PTR", "CAA"];

impl Verifier<'_> {
    /// Where a check stands.
    pub(super) fn check_path(&self, component: &str, name: &str) -> String {
        let section = if self.plan.services.contains_key(component) { "services" } else { "hosts" };
        let single = self.plan.component(component).is_some_and(|c| c.check.is_some() && name == "check");
        if single { format!("{section}.{component}.check") } else { format!("{section}.{component}.checks.{name}") }
    }

    pub(super) fn check_itself(&mut self, check: &Check, component: &str, name: &str, path: &str) {
        let kinds = check.kinds();
        match kinds.as_slice() {
            [kind] => self.kind(kind, &format!("{path}.{}", kind.name())),
            [] => {
                let error = self.error("no-kind", format_args!("{path}"), format!("the check `{name}` asks nothing"));
                error.expected = Some(listing(KINDS.iter().copied(), KINDS.len(), "or"));
            }
            [_, second, ..] => {
                let message = format!("the check `{name}` asks in more than one way");
                self.error("several-kinds", format_args!("{path}.{}", second.name()), message).help =
                    Some("make each a check of its own under `checks:`".into());
            }
        }
        self.limits(check.every, check.timeout, path);
        self.labels(check.labels.keys(), path);
        self.attempts_fit(check, component, name, path);
    }

    /// An interval and a timeout by themselves.
    pub(super) fn limits(&mut self, every: Option<Duration>, timeout: Option<Duration>, path: &str) {
        if every.is_some_and(|e| e < SHORTEST_INTERVAL) {
            let message = format!("the interval is shorter than {SHORTEST_INTERVAL}");
            self.error("bad-interval", format_args!("{path}.every"), message).expected =
                Some(format!("at least {SHORTEST_INTERVAL}"));
        }
        if timeout == Some(Duration::ZERO) {
            self.error("bad-timeout", format_args!("{path}.timeout"), "no attempt can be that quick".to_owned());
        }
        if let (Some(every), Some(timeout)) = (every, timeout)
            && timeout > every
        {
            let message = format!("one attempt may take {timeout}, longer than the interval of {every}");
            self.error("bad-timeout", format_args!("{path}.timeout"), message).expected =
                Some(format!("at most {every}"));
        }
    }

    /// All attempts of a run must be over before the next run is due.
    fn attempts_fit(&mut self, check: &Check, component: &str, name: &str, path: &str) {
        let Some(settings) = self.plan.effective(component, name) else { return };
        let attempts = u64::from(settings.attempts);
        let run = Duration::from_millis(
            attempts * settings.timeout.as_millis() + (attempts - 1) * settings.pause.as_millis(),
        );
        let passive = check.heartbeat.is_some() || check.composite.is_some() || check.host.is_some();
        if run <= settings.every || passive {
            return;
        }
        let said = ["timeout", "attempts", "pause", "every"]
            .into_iter()
            .find(|k| self.root.at(&format!("{path}.{k}")).is_some());
        let at = said.map_or_else(|| path.to_owned(), |key| format!("{path}.{key}"));
        let (every, timeout, pause) = (settings.every, settings.timeout, settings.pause);
        let message = format!(
            "a failing run takes up to {run} ({attempts} × {timeout} and pauses of {pause}), and the next is due after {every}"
        );
        let warning = self.report(Level::Warning, "attempts-do-not-fit", format_args!("{at}"), message);
        warning.help = Some("make the timeout shorter, the attempts fewer or the interval longer".into());
    }

    fn kind(&mut self, kind: &CheckKind, path: &str) {
        match kind {
            CheckKind::Http(http) => self.http(http, path),
            CheckKind::Tcp(tcp) => self.host_port(&tcp.address, true, path, "address"),
            CheckKind::Tls(tls) => {
                self.host_port(&tls.address, true, path, "address");
                self.tls(&tls.tls, path);
            }
            CheckKind::Dns(dns) => {
                self.one_of(dns.record.as_deref(), DNS_RECORDS, "record type", &format!("{path}.record"))
            }
            CheckKind::Icmp(icmp) if icmp.packets.is_some_and(|p| p == 0 || p > 20) => {
                self.error("bad-value", format_args!("{path}.packets"), "so many packets are not sent".into())
                    .expected = Some("1 to 20".into());
            }
            CheckKind::Postgres(pg) => {
                self.url(&pg.url, &["postgres", "postgresql"], path, "url");
                self.tls(&pg.tls, path);
            }
            CheckKind::Mysql(my) => {
                self.url(&my.url, &["mysql"], path, "url");
                self.tls(&my.tls, path);
            }
            CheckKind::Redis(redis) => {
                self.url(&redis.url, &["redis", "rediss"], path, "url");
                self.tls(&redis.tls, path);
            }
            CheckKind::Oracle(oracle) => self.host_port(&oracle.address, false, path, "address"),
            CheckKind::Kafka(kafka) if kafka.brokers.references().is_empty() => {
                for broker in kafka.brokers.written().split(',') {
                    self.host_port(&Text::new(broker.trim()), true, path, "brokers");
                }
            }
            CheckKind::Smtp(smtp) => self.host_port(&smtp.address, false, path, "address"),
            CheckKind::Ssh(ssh) => self.host_port(&ssh.address, false, path, "address"),
            CheckKind::Grpc(grpc) => self.host_port(&grpc.address, true, path, "address"),
            CheckKind::Websocket(ws) => self.url(&ws.url, &["ws", "wss"], path, "url"),
            CheckKind::Ntp(ntp) => self.host_port(&ntp.server, false, path, "server"),
            CheckKind::Heartbeat(heartbeat) => self.heartbeat(heartbeat, path),
            CheckKind::Docker(docker) if docker.container.written().is_empty() && docker.compose_service.is_none() => {
                self.error("missing-key", format_args!("{path}"), "this names no container".into()).expected =
                    Some("`container` or `compose_service`".into());
            }
            CheckKind::Command(command) if command.run.is_empty() => {
                self.error("missing-key", format_args!("{path}.run"), "this names no program".into()).expected =
                    Some("program and arguments, such as [/usr/lib/nagios/plugins/check_load, -r]".into());
            }
            CheckKind::Composite(composite) => self.composite(composite, path),
            _ => {}
        }
    }

    fn http(&mut self, http: &HttpCheck, path: &str) {
        self.url(&http.url, &["http", "https"], path, "url");
        self.method(http.method.as_deref(), &format!("{path}.method"));
        self.tls(&http.tls, path);
        for (header, pattern) in &http.expect.headers {
            self.regex(pattern, &format!("{path}.expect.headers.{header}"));
        }
        for json in http.expect.json.keys() {
            self.json_path(json, &format!("{path}.expect.json"));
        }
        if let Some(auth) = &http.auth {
            let both = auth.bearer.is_some() && (auth.user.is_some() || auth.password.is_some());
            if both || (auth.bearer.is_none() && auth.user.is_none()) {
                self.error("bad-auth", format_args!("{path}.auth"), "this is not one way to log in".into()).expected =
                    Some("`user` with `password`, or `bearer`".into());
            }
        }
    }

    fn tls(&mut self, tls: &TlsSettings, path: &str) {
        self.one_of(tls.min_version.as_deref(), &["1.2", "1.3"], "TLS version", &format!("{path}.tls.min_version"));
    }

    fn heartbeat(&mut self, heartbeat: &HeartbeatCheck, path: &str) {
        if heartbeat.period.is_some() == heartbeat.schedule.is_some() {
            let message = "a heartbeat comes by a period or by a schedule".to_owned();
            self.error("bad-heartbeat", format_args!("{path}"), message).expected =
                Some("one of `period` and `schedule`".into());
        }
        if heartbeat.schedule.as_ref().is_some_and(|s| !s.is_on_calendar()) {
            let message = "this schedule says not when a call is due".to_owned();
            self.error("bad-heartbeat", format_args!("{path}.schedule"), message).help =
                Some("write a time, such as `day at 02:00`, or use `period`".into());
        }
    }

    fn composite(&mut self, composite: &CompositeCheck, path: &str) {
        if composite.of.is_empty() {
            self.error("missing-key", format_args!("{path}.of"), "this holds no check".into()).expected =
                Some("`component/check`, or a component alone".into());
        }
        if composite.at_least.is_some_and(|n| n == 0 || n as usize > composite.of.len().max(1)) {
            let most = composite.of.len();
            let all_named = composite.of.iter().all(|m| m.contains('/'));
            if all_named || composite.at_least == Some(0) {
                self.error("bad-value", format_args!("{path}.at_least"), "so many cannot pass".into()).expected =
                    Some(format!("1 to {most}"));
            }
        }
        for (index, member) in composite.of.iter().enumerate() {
            let at = format!("{path}.of[{index}]");
            let (component, check) = member.split_once('/').map_or((member.as_str(), None), |(c, n)| (c, Some(n)));
            if !self.refer(component, &["services", "hosts"], "service or host", format_args!("{at}")) {
                continue;
            }
            let Some(check) = check else { continue };
            if !self.has_check(component, check) {
                self.no_such_check(component, check, &at);
            }
        }
    }

    fn has_check(&self, component: &str, check: &str) -> bool {
        ["services", "hosts"].iter().filter_map(|s| self.declared(s)?.get(component)).any(|entry| {
            let single = check == "check" && entry.node.get("check").is_some();
            single || entry.node.get("checks").is_some_and(|c| c.get(check).is_some())
        })
    }

    fn no_such_check(&mut self, component: &str, check: &str, path: &str) {
        let spec = self.plan.component(component);
        let names: Vec<&str> = spec.map(|c| c.all_checks().map(|(n, _)| n).collect()).unwrap_or_default();
        let near = plan_syntax::suggest::nearest(check, names.iter().copied());
        let help = near.map(|n| format!("did you mean `{component}/{n}`?"));
        let expected = Some(listing(names, 12, "or")).filter(|l| !l.is_empty());
        let error =
            self.error("unknown-reference", format_args!("{path}"), format!("`{component}` has no check `{check}`"));
        error.help = help;
        error.expected = expected;
    }
}
