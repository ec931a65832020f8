//! Pages in headless Chromium: they turn red without reload, and they are accessible.

use tests::browser::{Driver, SWITCHES};
use tests::{Farero, Target, wait_for};
use thirtyfour::prelude::*;

const PLAN: &str = r#"
system: prueba
label: Sistema de prueba
timezone: America/Lima
outgoing: { allow: ["127.0.0.1"] }
language: es
defaults: { every: 1s, timeout: 500ms, attempts: 1, evaluate_every: 1s }
severities: { critica: { label: Crítica, rank: critical, deliver: now, channels: [gancho] } }
channels: { gancho: { webhook: { url: "http://127.0.0.1:9/" } } }
alerts: { down: critica }
services:
  backend: { label: Backend, check: { http: "${env:BACKEND}/api/health", runbook: servicio-caido.md } }
  copias: { label: Copias, check: { heartbeat: { period: 1h } } }
kpis:
  disponibilidad:
    label: Disponibilidad
    unit: "%"
    measure: avg(avg_over_time(probe_success{service="backend"}[period]))
    period: [month]
    target: ">= 99.5%"
dashboards:
  general:
    title: General
    events: [alerts]
    annotations: [{ title: "Caído: {{service}}", query: probe_success == 0, colour: red }]
    variables: { servicio: { label: Servicio, values_of: service, query: probe_success, several: true, all: true } }
    panels:
      - { title: Disponible, kind: stat, query: avg(probe_success), unit: ratio, width: 6 }
      - { title: Ahora, kind: gauge, query: 100 * avg(probe_success), unit: percent, width: 6 }
      - { title: Duración, kind: bar, query: probe_duration_seconds, legend: "{{service}}", unit: seconds, width: 12 }
      - title: Respuesta
        queries: [{ query: probe_duration_seconds, legend: tiempo }, { query: probe_success, legend: responde }]
        unit: seconds
        series: [{ name: responde, axis: right }]
        right: { unit: ratio, min: 0, max: 1 }
        legend_values: [last, max]
    rows:
      - title: "Servicio $servicio"
        repeat: servicio
        panels:
          - { title: "Estado de $servicio", kind: state, query: 'min by (service) (probe_success{service=~"$servicio"})', legend: "{{service}}" }
          - { title: Tabla, kind: table, query: probe_success }
          - { kind: text, text: "**Qué mirar** primero" }
"#;

const RUNBOOK: &str = "# Servicio caído\n\n## Síntoma\n\nEl servicio no responde.\n\n- [ ] Mirar los registros\n";

async fn farero(target: &Target) -> Farero {
    let files = [("plan.yaml", PLAN), ("runbooks/servicio-caido.md", RUNBOOK)];
    Farero::start(&files, &[("BACKEND", &target.url())]).await
}

pub(crate) async fn browser(driver: &Driver, profile: &std::path::Path) -> WebDriver {
    browser_in("en", driver, profile).await
}

/// A browser of somebody who reads this language.
pub(crate) async fn browser_in(language: &str, driver: &Driver, profile: &std::path::Path) -> WebDriver {
    let mut wishes = DesiredCapabilities::chrome();
    for switch in SWITCHES {
        wishes.add_arg(switch).unwrap();
    }
    wishes.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    wishes.add_arg("--window-size=1280,900").unwrap();
    wishes.add_experimental_option("prefs", serde_json::json!({ "intl.accept_languages": language })).unwrap();
    wishes.set_binary("/usr/bin/chromium").unwrap();
    WebDriver::new(&driver.url(), wishes).await.expect("Chromium can be started: install the Debian package chromium")
}

async fn log_in(browser: &WebDriver, farero: &Farero) {
    farero.log_in().await;
    browser.goto(farero.url("/login")).await.unwrap();
    browser.find(By::Name("name")).await.unwrap().send_keys("admin").await.unwrap();
    let password = browser.find(By::Name("password")).await.unwrap();
    password.send_keys(tests::farero::PASSWORD).await.unwrap();
    password.send_keys("\u{e007}").await.unwrap();
    wait_for("logged in", || async { (!browser.current_url().await.ok()?.path().contains("login")).then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dsh_07_the_page_turns_red_without_reload() {
    let target = Target::start().await;
    let farero = farero(&target).await;
    let (driver, profile) = (Driver::start().await, tempfile::tempdir().unwrap());
    let browser = browser(&driver, profile.path()).await;
    log_in(&browser, &farero).await;
    browser.goto(farero.url("/s/prueba")).await.unwrap();
    browser.execute("window.notReloaded = true", vec![]).await.unwrap();
    let shows = async |state: &str| {
        let selector = format!("[data-component='backend'][data-state='{state}']");
        wait_for(&format!("the page shows {state}"), || async { browser.find(By::Css(selector.as_str())).await.ok() })
            .await;
    };
    shows("up").await;
    target.off().await;
    shows("down").await;
    target.on().await;
    shows("up").await;
    let kept = browser.execute("return window.notReloaded === true", vec![]).await.unwrap();
    assert_eq!(kept.json().as_bool(), Some(true), "the page was not reloaded");
    browser.quit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dsh_06_pages_have_no_serious_accessibility_finding() {
    let target = Target::start().await;
    let farero = farero(&target).await;
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    let (driver, profile) = (Driver::start().await, tempfile::tempdir().unwrap());
    let browser = browser(&driver, profile.path()).await;
    let axe = std::fs::read_to_string(axe()).unwrap();
    let mut findings = Vec::new();
    browser.goto(farero.url("/login")).await.unwrap();
    findings.extend(check(&browser, &axe, "/login").await);
    log_in(&browser, &farero).await;
    target.off().await;
    let alert = id_of_first(&farero, "/api/farero/v1/alerts", "id").await;
    let delivery = id_of_first(&farero, "/api/farero/v1/deliveries", "key").await;
    let (alert, delivery) = (format!("/alerts/{alert}"), format!("/deliveries/{delivery}"));
    let pages = [
        "/",
        "/s/prueba",
        "/s/prueba/backend/check",
        "/s/prueba/copias/check",
        "/plan/prueba/documents/runbooks/servicio-caido.md",
        &alert,
        &delivery,
        "/nothing/here",
        "/alerts",
        "/deliveries",
        "/channels",
        "/plan/prueba",
        "/rules",
        "/explore",
        "/explore?q=probe_duration_seconds&q=probe_success",
        "/explore?q=sum(",
        "/targets",
        "/cardinality",
        "/kpis",
        "/dashboards",
        "/dashboards/prueba/general",
        "/dashboards/prueba/general?panel=3",
        "/dashboards/prueba/general?kiosk=1",
        "/settings",
        "/settings/security",
        "/settings/installation",
        "/confirm?next=/settings",
        "/welcome/place",
        "/welcome/channel",
        "/welcome/check",
        "/about",
    ];
    for (width, height) in [(1280, 900), (390, 844)] {
        browser.set_window_rect(0, 0, width, height).await.unwrap();
        for page in pages {
            browser.goto(farero.url(page)).await.unwrap();
            findings.extend(check(&browser, &axe, page).await);
        }
    }
    browser.quit().await.unwrap();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_read_with_the_keyboard_alone() {
    let target = Target::start().await;
    let farero = farero(&target).await;
    wait_for("two points", || farero.query("count_over_time(probe_duration_seconds{service=\"backend\"}[5m]) >= 3"))
        .await;
    let (driver, profile) = (Driver::start().await, tempfile::tempdir().unwrap());
    let browser = browser(&driver, profile.path()).await;
    log_in(&browser, &farero).await;
    for page in ["/explore?q=probe_duration_seconds&range=5m", "/dashboards/prueba/general?panel=3&range=5m"] {
        // Points stand at whole steps: two of them are there only when two steps have passed.
        let rows = async || {
            browser.goto(farero.url(page)).await.unwrap();
            browser.find_all(By::Css("details.numbers tbody tr")).await.unwrap().len()
        };
        while rows().await < 2 {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        // The script that makes it so runs after the page is there.
        let plot = browser.query(By::Css(".plot-box[tabindex='0']")).first().await.unwrap();
        plot.focus().await.unwrap();
        plot.send_keys("\u{e010}").await.unwrap(); // End
        let said = browser.find(By::Css(".plot-box [aria-live]")).await.unwrap();
        let text = async || said.prop("textContent").await.unwrap().unwrap_or_default();
        let newest = text().await;
        assert!(newest.contains("backend") || newest.contains("tiempo"), "{page}: {newest}");
        plot.send_keys("\u{e012}").await.unwrap(); // Left
        let before = text().await;
        assert_ne!(newest, before, "{page}: another time is told");
        plot.send_keys("\u{e014}").await.unwrap(); // Right
        assert_eq!(text().await, newest, "{page}: and back");
        browser.find(By::Css("details.numbers summary")).await.unwrap().send_keys("\u{e007}").await.unwrap();
        let cells = browser.find_all(By::Css("details.numbers[open] td")).await.unwrap();
        assert!(!cells.is_empty(), "{page}: the numbers stand in a table");
    }
    browser.quit().await.unwrap();
}

/// A field of the first thing that a list of the API names, once there is one.
async fn id_of_first(farero: &Farero, list: &str, field: &str) -> String {
    wait_for(list, || async { farero.json(list).await[0][field].as_str().map(ToOwned::to_owned) }).await
}

/// Serious and critical findings of axe-core on the page that is open.
pub(crate) async fn check(browser: &WebDriver, axe: &str, page: &str) -> Vec<String> {
    browser.execute(axe, vec![]).await.unwrap();
    let script = "const done = arguments[arguments.length - 1]; axe.run().then(r => done(r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html).slice(0, 3).join(' '))));";
    let found = browser.execute_async(script, vec![]).await.unwrap();
    let found = found.json().as_array().cloned().unwrap_or_default();
    found.iter().map(|f| format!("{page}: {}", f.as_str().unwrap_or_default())).collect()
}

/// axe-core from npm.
pub(crate) fn axe() -> std::path::PathBuf {
    tests::tools::npm("axe-core@4").join("node_modules/axe-core/axe.min.js")
}
