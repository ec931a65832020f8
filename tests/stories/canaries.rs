//! Canaries: every kind of reference stands for a value that nobody could mistake. Checks fail and channels are refused by
//! targets that say back whatever they were told, plainly and encoded. Then everything that Farero keeps, logs or answers is
//! searched for each canary, in every form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tests::{Farero, Vault, eventually, wait_for};

/// What is planted, by its name in [`plan`]. Signs that need encoding in URLs, JSON and HTML are part of each.
fn canaries() -> BTreeMap<&'static str, String> {
    let names = [
        "env",
        "file",
        "credential",
        "age",
        "vault",
        "url-user",
        "query-token",
        "header",
        "basic",
        "bearer",
        "body",
        "command",
        "postgres",
        "redis",
        "mysql",
        "hook-path",
        "hook-header",
        "signing",
        "slack",
        "telegram",
        "sms",
        "smtp",
        "ntfy",
        "scrape",
        "watchdog",
        "ping",
    ];
    names.into_iter().map(|name| (name, format!("Canario-{name}-7Qx\"<&'/+ñ_{}", name.len()))).collect()
}

/// A canary as it may stand in a URL.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() { out.push(char::from(byte)) } else { write!(out, "%{byte:02X}").unwrap() }
    }
    out
}

/// Says back what it is told: plainly, percent-decoded and encoded, in JSON, in base64, in hexadecimal.
async fn echo(uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let mut told = format!("{uri}\n");
    for (name, value) in &headers {
        let _ = writeln!(told, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        if let Some(pair) = value.to_str().ok().and_then(|v| v.strip_prefix("Basic ")) {
            let _ = writeln!(told, "{}", String::from_utf8_lossy(&BASE64_STANDARD.decode(pair).unwrap_or_default()));
        }
    }
    told.push_str(&String::from_utf8_lossy(&body));
    let hex: String = told.bytes().map(|b| format!("{b:02x}")).collect();
    let answer = format!("no: {told}\n{}\n{}\n{}\n{hex}", json!(told), BASE64_STANDARD.encode(&told), encoded(&told));
    (StatusCode::IM_A_TEAPOT, answer)
}

/// A target of metrics that shows its own settings in a label.
async fn metrics(headers: HeaderMap) -> String {
    let shown =
        headers.get("authorization").map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).unwrap_or_default();
    format!("app_info{{token={}}} 1\n", json!(shown))
}

/// Servers of other protocols that say back what they are told: SMTP, Redis, a database.
async fn parrot() -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let _ = stream.write_all(b"220 parrot\r\n").await;
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).await.is_ok_and(|n| n > 0) {
                    let told = String::from_utf8_lossy(&line).trim().to_owned();
                    let answer = match told.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
                        "EHLO" => "250-parrot\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                        "MAIL" | "RCPT" => "250 go on\r\n".to_owned(),
                        _ => format!("-ERR 535 no: {told}\r\n"),
                    };
                    let answer = if told.starts_with("AUTH") { format!("535 no: {told}\r\n") } else { answer };
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

fn plan(echo: &str, parrot: u16) -> String {
    let host = echo.trim_start_matches("http://");
    format!(
        r#"
system: prueba
timezone: UTC
outgoing: {{ allow: ["127.0.0.1"] }}
defaults: {{ every: 2s, timeout: 2s, attempts: 1, evaluate_every: 1s, scrape_every: 1s }}
severities: {{ critica: {{ rank: critical, deliver: now, channels: [hook, slack, telegram, sms, ntfy, correo, mano] }} }}
people: {{ ana: {{ email: a@b.example, mobile: "+51900000001" }} }}
channels:
  hook: {{ webhook: {{ url: "{echo}/${{env:E_HOOK_PATH}}", headers: {{ X-Key: "${{env:HOOK_HEADER}}" }}, signing_key: "${{env:SIGNING_KEY}}" }} }}
  slack: {{ slack: {{ url: "${{env:SLACK_URL}}" }} }}
  telegram: {{ telegram: {{ api: "{echo}", token: "${{env:E_TELEGRAM_TOKEN}}", chat: "1" }} }}
  sms: {{ sms: {{ url: "{echo}/sms", body: "key=${{env:SMS_KEY}}&to={{to}}&text={{text}}", to: ["person:ana"] }} }}
  ntfy: {{ ntfy: {{ server: "{echo}", topic: t, token: "${{env:NTFY_TOKEN}}" }} }}
  correo: {{ email: {{ server: "127.0.0.1:{parrot}", security: none, user: farero, password: "${{env:SMTP_PASSWORD}}", from: a@b.example, to: [c@d.example] }} }}
  mano: {{ person: {{ medium: WhatsApp, to: ["person:ana"] }} }}
alerts: {{ down: critica }}
watchdog: {{ url: "{echo}/${{env:E_WATCHDOG_KEY}}", every: 2s }}
services:
  env: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Canary: "${{env:PLAIN_SECRET}}" }} }} }} }}
  file: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Canary: "${{file:FOLDER/file}}" }} }} }} }}
  credential: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Canary: "${{credential:credential}}" }} }} }} }}
  age: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Canary: "${{age:s.yaml.age#deep.age}}" }} }} }} }}
  vault: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Canary: "${{vault:kv/prueba/canary#value}}" }} }} }} }}
  url-user: {{ check: {{ http: "http://farero:${{env:E_URL_USER_PASSWORD}}@{host}/x" }} }}
  url-whole: {{ check: {{ http: "${{env:URL_WHOLE}}" }} }}
  header: {{ check: {{ http: {{ url: "{echo}/x", headers: {{ X-Api-Key: "${{env:HEADER_KEY}}" }} }} }} }}
  basic: {{ check: {{ http: {{ url: "{echo}/x", auth: {{ user: farero, password: "${{env:BASIC_PASSWORD}}" }} }} }} }}
  bearer: {{ check: {{ http: {{ url: "{echo}/x", auth: {{ bearer: "${{env:BEARER_TOKEN}}" }} }} }} }}
  body: {{ check: {{ http: {{ url: "{echo}/x", method: POST, body: "${{env:BODY_SECRET}}" }} }} }}
  command: {{ check: {{ command: {{ run: [sh, -c, 'printf "%s" "$0"; printf "%s" "$0" | base64 -w0; printf "%s" "$0" >&2; exit 2', "${{env:COMMAND_SECRET}}"] }} }} }}
  postgres: {{ check: {{ postgres: "postgres://farero:${{env:E_POSTGRES_PASSWORD}}@127.0.0.1:{parrot}/x" }} }}
  redis: {{ check: {{ redis: "redis://:${{env:E_REDIS_PASSWORD}}@127.0.0.1:{parrot}/0" }} }}
  mysql: {{ check: {{ mysql: "mysql://farero:${{env:E_MYSQL_PASSWORD}}@127.0.0.1:{parrot}/x" }} }}
  scrape: {{ metrics: {{ url: "{echo}/metrics", authorization: "${{env:SCRAPE_TOKEN}}" }} }}
  latido: {{ check: {{ heartbeat: {{ period: 1h }} }} }}
"#
    )
}

/// Values that stand in URLs are planted as they are written there.
fn environment(canaries: &BTreeMap<&'static str, String>, echo: &str) -> Vec<(String, String)> {
    let plain = [
        ("PLAIN_SECRET", "env"),
        ("HEADER_KEY", "header"),
        ("BASIC_PASSWORD", "basic"),
        ("BEARER_TOKEN", "bearer"),
        ("BODY_SECRET", "body"),
        ("COMMAND_SECRET", "command"),
        ("HOOK_HEADER", "hook-header"),
        ("SIGNING_KEY", "signing"),
        ("SMS_KEY", "sms"),
        ("SMTP_PASSWORD", "smtp"),
        ("NTFY_TOKEN", "ntfy"),
        ("SCRAPE_TOKEN", "scrape"),
    ];
    let in_urls = [
        ("E_HOOK_PATH", "hook-path"),
        ("E_TELEGRAM_TOKEN", "telegram"),
        ("E_WATCHDOG_KEY", "watchdog"),
        ("E_URL_USER_PASSWORD", "url-user"),
        ("E_POSTGRES_PASSWORD", "postgres"),
        ("E_REDIS_PASSWORD", "redis"),
        ("E_MYSQL_PASSWORD", "mysql"),
    ];
    let mut all: Vec<(String, String)> = Vec::new();
    all.extend(plain.map(|(name, canary)| (name.to_owned(), canaries[canary].clone())));
    all.extend(in_urls.map(|(name, canary)| (name.to_owned(), encoded(&canaries[canary]))));
    let host = echo.trim_start_matches("http://");
    all.push(("SLACK_URL".to_owned(), format!("http://{host}/services/T0/{}", encoded(&canaries["slack"]))));
    all.push(("URL_WHOLE".to_owned(), format!("http://{host}/x?token={}", encoded(&canaries["query-token"]))));
    all
}

/// The forms in which a canary is looked for.
fn forms(canary: &str) -> BTreeSet<String> {
    let json = json!(canary).to_string();
    let html = |and: &str, less: &str, double: &str, single: &str| {
        canary.replace('&', and).replace('<', less).replace('"', double).replace('\'', single)
    };
    let mut all = BTreeSet::from([
        canary.to_owned(),
        encoded(canary),
        encoded(canary).to_lowercase(),
        json[1..json.len() - 1].to_owned(),
        html("&#38;", "&#60;", "&#34;", "&#39;"),
        html("&amp;", "&lt;", "&quot;", "&#x27;"),
        canary.bytes().map(|b| format!("{b:02x}")).collect(),
        // A part that no encoding changes: nothing of the canary may be left.
        canary.split('"').next().unwrap().to_owned(),
    ]);
    for before in ["", "x", "xy"] {
        let text = BASE64_STANDARD.encode(format!("{before}{canary}"));
        all.insert(text[4..text.len() - 4].to_owned());
    }
    all
}

/// What of the canaries stands in some bytes.
fn found(bytes: &[u8], canaries: &BTreeMap<&'static str, String>) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    canaries
        .iter()
        .filter(|(_, canary)| forms(canary).iter().any(|f| text.contains(f)))
        .map(|(name, _)| *name)
        .collect()
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out)
        } else if path.is_file() {
            out.push(path)
        }
    }
}

/// An answer, however often Farero asks to come back later.
async fn fetch(farero: &Farero, path: &str) -> Option<reqwest::Response> {
    for _ in 0..60 {
        let answer = farero.client().get(farero.url(path)).send().await.ok()?;
        if answer.status().as_u16() != 429 {
            return Some(answer);
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    None
}

/// Every page that can be reached by links, and every GET of the API's document with names that exist.
async fn addresses(farero: &Farero) -> BTreeSet<String> {
    let (mut seen, mut next) =
        (BTreeSet::new(), vec!["/".to_owned(), "/api/openapi.json".to_owned(), "/metrics".to_owned()]);
    let document: Value = farero.json("/api/openapi.json").await;
    let known =
        [("system", "prueba"), ("component", "command"), ("check", "check"), ("channel", "hook"), ("name", "token")];
    for (path, item) in document["paths"].as_object().unwrap() {
        if item.get("get").is_some() {
            next.push(
                known.iter().fold(path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value)),
            );
        }
    }
    next.push("/api/v1/series?match[]=%7Bsystem%3D%22prueba%22%7D".to_owned());
    next.push("/api/v1/label/token/values".to_owned());
    next.push("/api/v1/rules".to_owned());
    next.push("/api/v1/alerts".to_owned());
    for check in farero.json("/api/farero/v1/checks").await.as_array().unwrap() {
        next.push(format!("/s/{}", check["id"].as_str().unwrap()));
        next.push(format!("/api/farero/v1/checks/{}/results", check["id"].as_str().unwrap()));
    }
    while let Some(path) = next.pop() {
        let path = path.split('#').next().unwrap().to_owned();
        // Live connections do not end, and ending the session ends the search.
        if seen.len() > 600
            || path == "/events"
            || path == "/logout"
            || path.contains('{')
            || !seen.insert(path.clone())
        {
            continue;
        }
        let Some(answer) = fetch(farero, &path).await else { continue };
        let html = answer.headers().get("content-type").is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
        let text = answer.text().await.unwrap_or_default();
        if html {
            let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            next.extend(
                links
                    .filter(|l| l.starts_with('/') && !l.starts_with("//"))
                    .map(|l| l.replace("&amp;", "&").replace("&#38;", "&")),
            );
        }
    }
    seen
}

/// A Farero on the plan, with every canary where its reference looks for it.
async fn planted(folder: &Path, canaries: &BTreeMap<&'static str, String>, vault: &Vault) -> Farero {
    let at = |name: &str| folder.join(name).display().to_string();
    let app = Router::new().route("/metrics", axum::routing::get(metrics)).fallback(echo);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    std::fs::write(at("file"), format!("{}\n", canaries["file"])).unwrap();
    std::fs::write(at("credential"), &canaries["credential"]).unwrap();
    std::fs::write(at("s.yaml"), json!({ "deep": { "age": canaries["age"] } }).to_string()).unwrap();
    vault.write("prueba/canary", json!({ "value": canaries["vault"] }));
    let identity = at("identity");
    assert_eq!(tests::binary::run(&["secrets", "key", &identity]).code, 0);

    let mut environment = environment(canaries, &target);
    environment.push(("CREDENTIALS_DIRECTORY".into(), folder.display().to_string()));
    environment.push(("FARERO_AGE_IDENTITY".into(), identity.clone()));
    environment.push(("VAULT_ADDR".into(), vault.address().to_owned()));
    environment.push(("VAULT_TOKEN".into(), vault.token().to_owned()));
    environment.push(("RUST_LOG".into(), "debug".to_owned()));
    let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let plan = plan(&target, parrot().await).replace("FOLDER", &folder.display().to_string());
    let mut farero = Farero::prepared(&[("plan.yaml", &plan)], &environment);
    let sealed = farero.plan().join("s.yaml.age").display().to_string();
    let made =
        tests::binary::run(&["secrets", "encrypt", &at("s.yaml"), "--age-identity", &identity, "--output", &sealed]);
    assert_eq!(made.code, 0, "{}", made.err);
    farero.launch();
    farero.ready().await;
    farero.log_in().await;
    farero
}

/// Waits until every check has failed, every channel was tried and refused, and the heartbeat was told a canary.
async fn everything_has_failed(farero: &Farero, canaries: &BTreeMap<&'static str, String>) {
    wait_for("every check has failed", || async {
        farero.query("count(probe_success == 0)").await.filter(|n| *n >= 15.0)
    })
    .await;
    wait_for("the target was scraped", || farero.query("app_info")).await;
    let deliveries = || async {
        let text = fetch(farero, "/api/farero/v1/deliveries?limit=1000").await?.text().await.ok()?;
        ["hook", "slack", "telegram", "sms", "ntfy", "correo"]
            .iter()
            .all(|c| text.contains(&format!("\"{c}\"")))
            .then_some(text)
    };
    let told = wait_for("every channel was tried", deliveries).await;
    assert!(told.contains("418"), "the receivers said back what they were told: {told}");
    let page = fetch(farero, "/s/prueba/latido/check").await.unwrap().text().await.unwrap();
    let url = page.split("/ping/").nth(1).and_then(|rest| rest.split(['"', '<', ' ']).next()).unwrap().to_owned();
    let body = format!("{} {}", canaries["env"], BASE64_STANDARD.encode(&canaries["ping"]));
    let answer = farero.client().post(farero.url(&format!("/ping/{url}/fail"))).body(body).send().await.unwrap();
    assert!(answer.status().is_success());
    eventually("the watchdog was called", || farero.output().contains("did not take the call")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_no_secret_stands_in_anything_that_farero_keeps_logs_or_answers() {
    let (mut canaries, folder, vault) = (canaries(), tempfile::tempdir().unwrap(), Vault::start().await);
    let farero = planted(folder.path(), &canaries, &vault).await;
    everything_has_failed(&farero, &canaries).await;
    // The canary that no reference stands for shows that the search finds what is there.
    let control = BTreeMap::from([("ping", canaries.remove("ping").unwrap())]);
    let (mut wrong, mut control_found): (Vec<String>, bool) = (Vec::new(), false);
    for path in addresses(&farero).await {
        let Some(answer) = fetch(&farero, &path).await else { continue };
        let bytes = answer.bytes().await.unwrap_or_default();
        control_found |= !found(&bytes, &control).is_empty();
        wrong.extend(found(&bytes, &canaries).iter().map(|name| format!("{name} in GET {path}")));
    }
    wrong.extend(found(farero.output().as_bytes(), &canaries).iter().map(|name| format!("{name} in the log")));
    let mut all = Vec::new();
    files(&farero.data(), &mut all);
    assert!(all.len() >= 3, "{all:?}");
    for path in &all {
        let bytes = std::fs::read(path).unwrap_or_default();
        control_found |= !found(&bytes, &control).is_empty();
        wrong.extend(found(&bytes, &canaries).iter().map(|name| format!("{name} in {}", path.display())));
    }
    assert!(control_found, "the search does not find what is there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let results = fetch(&farero, "/api/farero/v1/checks/prueba/command/check/results").await.unwrap();
    assert!(results.text().await.unwrap().contains("[redacted]"), "evidence is kept, without");
}
