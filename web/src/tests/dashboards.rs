//! Dashboards as browsers meet them: variables, panels, limits, who sees what, hostile texts. I/O: a temporary database.

use std::sync::Arc;

use decide_promql::memory::MemoryReader;
use http::StatusCode;
use kernel::Labels;
use plan_model::SourceFile;

use super::Site;
use crate::auth::Role;
use crate::sample;

const PAGE: &str = "/dashboards/sigcerh/general";

/// A site whose only plan has one dashboard of these lines, and series.
fn site(dashboard: &str, series: impl FnOnce(&mut MemoryReader)) -> Site {
    site_in(false, dashboard, series)
}

/// The same, with alerts that fire where `trouble` says so.
fn site_in(trouble: bool, dashboard: &str, series: impl FnOnce(&mut MemoryReader)) -> Site {
    let mut site = Site::new(trouble);
    let files = [
        SourceFile::new("plan.yaml", sample::SIGCERH),
        SourceFile::new("runbooks/servicio-caido.md", "# x"),
        SourceFile::new("runbooks/bd-caida.md", "# x"),
        SourceFile::new("dashboards/d.yaml", format!("dashboards:\n  d:\n    title: D\n{dashboard}")),
    ];
    site.app.live.set_plan(sample::version_in("plans/sigcerh", &files));
    let mut reader = MemoryReader::default();
    series(&mut reader);
    site.app.series = Arc::new(reader);
    site.router = crate::router(site.app.clone());
    site
}

fn up(system: &str, instance: &str) -> Labels {
    Labels::metric("up", [("system", system), ("instance", instance)])
}

/// Two instances of `up`, a minute of points each.
fn two(reader: &mut MemoryReader) {
    for (i, value) in [("a", 0.5), ("b", 1.0)] {
        let points: Vec<_> = (0..5).map(|k| (now_ms() - 60_000 + k * 15_000, value)).collect();
        reader.add(up("sigcerh", i), &points);
    }
}

fn now_ms() -> i64 {
    sample::NOW.as_millis()
}

#[tokio::test]
async fn dsh_01_dsh_03_dsh_04_a_dashboard_of_the_plan_shows_its_panels_in_both_languages() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let list = site.get("/dashboards", &cookie).await.body;
    assert!(list.contains("SIGCERH en general") && list.contains("/dashboards/sigcerh/general"), "{list}");
    for (language, words) in [
        ("es", ["Actualizado", "Operativo", "99,", "Pantalla completa"]),
        ("en", ["Updated", "Operativo", "99.", "Full screen"]),
    ] {
        let got = site.get(PAGE, &format!("{cookie}; farero_language={language}")).await;
        assert_eq!(got.status, StatusCode::OK);
        for word in words {
            assert!(got.body.contains(word), "{language}: {word} is missing");
        }
        for class in [
            "class=\"dial",
            "class=\"stats\"",
            "class=\"bars\"",
            "class=\"bands\"",
            "class=\"panel-table\"",
            "plot heat",
        ] {
            assert!(got.body.contains(class), "{class} is missing");
        }
        assert!(got.body.contains("data-refresh=\"30\""), "DSH-07: drawn anew without a reload");
    }
}

#[tokio::test]
async fn dsh_02_a_variable_in_the_address_chooses_a_service() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let panel = "/dashboards/sigcerh/general/panels/6";
    let all = site.get(panel, &cookie).await.body;
    assert!(all.contains("backend") && all.contains("frontend") && all.contains("ocr"), "{all}");
    let one = site.get(&format!("{panel}?var-servicio=ocr&range=1h"), &cookie).await.body;
    assert!(one.contains("ocr") && !one.contains("frontend"), "{one}");
    let page = site.get(&format!("{PAGE}?var-servicio=ocr&var-servicio=backend"), &cookie).await.body;
    assert!(page.contains("2 elegidos") && page.contains("value=\"ocr\" checked"), "{page}");
    let alone = site.get(&format!("{PAGE}?panel=6"), &cookie).await.body;
    assert!(alone.contains("Volver al tablero") && !alone.contains("id=\"panel-0\""));
    assert!(page.contains("/explore?q=avg%20by%20%28service%29"), "each panel leads to Explore");
}

#[tokio::test]
async fn dsh_07_a_fixed_range_is_kept_and_not_drawn_anew() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let seconds = now_ms() / 1_000;
    let got = site.get(&format!("{PAGE}?from={}&to={seconds}", seconds - 600), &cookie).await.body;
    assert!(got.contains("data-refresh=\"0\""), "what is past does not change");
    let silly = site.get(&format!("{PAGE}?from=9e99&to=x&range=-5&refresh=0.1s&var-servicio=%00"), &cookie).await;
    assert_eq!(silly.status, StatusCode::OK);
}

#[tokio::test]
async fn dsh_11_a_wall_display_shows_nothing_but_panels() {
    let site = Site::new(false);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let got = site.get(&format!("{PAGE}?kiosk=1&refresh=5s"), &cookie).await.body;
    assert!(
        got.contains("class=\"dash kiosk\"")
            && got.contains("data-refresh=\"5\"")
            && got.contains("Salir de pantalla completa")
    );
}

#[tokio::test]
async fn dsh_09_a_dashboard_sees_the_series_of_its_own_system_only() {
    let site = site("    panels: [{ kind: table, query: up }]\n", |reader| {
        reader.add(up("sigcerh", "own"), &[(now_ms() - 1_000, 1.0)]);
        reader.add(up("nuam", "foreign"), &[(now_ms() - 1_000, 1.0)]);
        reader.add(Labels::metric("up", [("instance", "platform")]), &[(now_ms() - 1_000, 1.0)]);
    });
    let (cookie, _) = site.session("ana", Role::Administrator).await;
    let got = site.get("/dashboards/sigcerh/d/panels/0", &cookie).await.body;
    assert!(got.contains("own") && !got.contains("foreign") && !got.contains("platform"), "{got}");
}

#[tokio::test]
async fn dsh_10_a_restricted_dashboard_does_not_exist_for_others() {
    let site = site("    restricted_to: [auditor]\n    panels: [{ query: up }]\n", |_| {});
    for (role, status) in [(Role::Viewer, StatusCode::NOT_FOUND), (Role::Auditor, StatusCode::OK)] {
        let (cookie, _) = site.session(&format!("u-{}", role.as_str()), role).await;
        for path in ["/dashboards/sigcerh/d", "/dashboards/sigcerh/d/panels/0"] {
            assert_eq!(site.get(path, &cookie).await.status, status, "{} {path}", role.as_str());
        }
        let list = site.get("/dashboards", &cookie).await.body;
        assert_eq!(list.contains("/dashboards/sigcerh/d\""), status == StatusCode::OK);
    }
}

#[tokio::test]
async fn one_failing_panel_says_why_and_the_others_are_there() {
    let lines = "    panels:\n      - { title: Mal, query: 'up * on(x) group_left up' }\n      - { title: Bien, kind: stat, query: '42' }\n      \
                 - { title: Nada, kind: stat, query: gone }\n";
    let site = site(lines, |reader| {
        for i in ["a", "b"] {
            reader.add(up("sigcerh", i), &[(now_ms() - 30_000, 1.0)]);
        }
    });
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let got = site.get("/dashboards/sigcerh/d", &cookie).await.body;
    assert!(got.contains("panel-error") && got.contains("<dd>42</dd>") && got.contains("Sin datos"), "{got}");
    assert_eq!(site.get("/dashboards/sigcerh/d/panels/9", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/dashboards/sigcerh/gone", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/dashboards/nowhere/d", &cookie).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_panel_says_first_is_how_it_is_now() {
    // A week has a point each half an hour or rarer: what came 20 s ago is behind the last of them.
    let lines = "    range: 7d\n    panels:\n      - { kind: stat, query: max(up) }\n      - { kind: gauge, query: max(up) }\n      \
                 - { kind: state, query: max(up), values: [{ is: 17, text: Nuevo }] }\n      - { kind: stat, query: max(up), reduce: min }\n";
    let site = site(lines, |reader| {
        let before = (1..600).rev().map(|i| (now_ms() - i * 300_000, 3.0));
        reader.add(up("sigcerh", "a"), &before.chain([(now_ms() - 20_000, 17.0)]).collect::<Vec<_>>());
    });
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    for (number, said) in [(0, "<dd>17</dd>"), (1, ">17<"), (2, "Nuevo"), (3, "<dd>3</dd>")] {
        let got = site.get(&format!("/dashboards/sigcerh/d/panels/{number}"), &cookie).await.body;
        assert!(got.contains(said), "{number}: {said} is missing in {got}");
    }
}

#[tokio::test]
async fn more_series_than_a_panel_shows_are_said() {
    let lines = "    panels:\n      - { kind: stat, query: up, legend: '{{instance}}' }\n      - { query: up }\n      - { kind: table, query: up }\n";
    let site = site(lines, |reader| {
        for i in 0..600 {
            reader.add(up("sigcerh", &format!("i{i}")), &[(now_ms() - 60_000, 1.0), (now_ms() - 30_000, 1.0)]);
        }
    });
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    for (number, said) in [(0, "Se muestran 60 de 600"), (1, "Se muestran 50 de 600"), (2, "Se muestran 500 de 600")] {
        let got = site.get(&format!("/dashboards/sigcerh/d/panels/{number}"), &cookie).await.body;
        assert!(got.contains(said), "{number}: {said} is missing");
    }
}

#[tokio::test]
async fn hostile_texts_in_dashboards_stay_texts() {
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let quoted = serde_json::json!(hostile);
    let lines = format!(
        "    description: {quoted}\n    variables: {{ v: {{ label: {quoted}, values_of: instance }}, w: {{ text: {quoted} }} }}\n    panels:\n      \
         - {{ title: {quoted}, description: {quoted}, query: up, legend: \"{{{{instance}}}}\" }}\n      \
         - {{ kind: stat, query: up, values: [{{ is: 1, text: {quoted} }}] }}\n      - {{ kind: table, query: up }}\n      \
         - {{ kind: state, query: up, legend: '{{{{instance}}}}' }}\n      - {{ kind: bar, query: up }}\n      - {{ kind: gauge, query: up }}\n      \
         - {{ kind: text, text: {quoted} }}\n      - {{ title: '$w $v', kind: heatmap, query: up }}\n"
    );
    let site = site(&lines, |reader| {
        reader.add(up("sigcerh", hostile), &[(now_ms() - 60_000, 1.0), (now_ms() - 15_000, 1.0)]);
    });
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let address = "/dashboards/sigcerh/d?var-w=%3Cscript%3Ealert(1)%3C/script%3E&range=1h&x=%22%3E%3Cimg%20src=x%3E";
    let mut bodies = vec![site.get(address, &cookie).await.body];
    for number in 0..8 {
        bodies.push(site.get(&format!("/dashboards/sigcerh/d/panels/{number}"), &cookie).await.body);
    }
    for body in bodies {
        assert!(!body.contains("<script>alert") && !body.contains("<img src=x"), "{body}");
        assert!(!body.contains(" style=\""), "{body}");
    }
}

const REPEATED: &str = "    variables: { i: { values_of: instance, query: up, several: true, all: true } }
    panels:
      - { title: 'Uno: $i', kind: stat, query: 'up{instance=~\"$i\"}', legend: '{{instance}}', repeat: i, x: 0, y: 0, width: 24, height: 4 }
      - { title: Abajo, kind: stat, query: 'count(up)', x: 0, y: 4, width: 24 }
    rows:
      - { title: 'Fila $i', repeat: i, panels: [{ kind: table, query: 'up{instance=~\"$i\"}' }] }
";

#[tokio::test]
async fn panels_and_rows_are_repeated_for_each_chosen_value() {
    let site = site(REPEATED, two);
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let got = site.get("/dashboards/sigcerh/d", &cookie).await.body;
    for part in [
        "Uno: a",
        "Uno: b",
        "Fila a",
        "Fila b",
        "id=\"panel-0\"",
        "id=\"panel-0-2\"",
        "x12 w12 h4",
        "<dd>0,5</dd>",
        "<dd>1</dd>",
    ] {
        assert!(got.contains(part), "{part} is missing: {got}");
    }
    assert_eq!(got.matches("class=\"panel-table\"").count(), 2, "a table in each row");
    let one = site.get("/dashboards/sigcerh/d?var-i=b", &cookie).await.body;
    assert!(one.contains("Uno: b") && !one.contains("Uno: a") && one.contains("x0 w24 h4"), "{one}");
    let panel = "/dashboards/sigcerh/d/panels/0";
    let copy = site.get(&format!("{panel}?repeat=b"), &cookie).await.body;
    assert!(copy.contains("<dd>1</dd>") && !copy.contains("<dd>0,5</dd>"), "{copy}");
    let past = site.get(&format!("{panel}?var-i=a&repeat=b"), &cookie).await.body;
    assert!(!past.contains("<dd>1</dd>"), "what is not chosen is not shown: {past}");
    let alone = site.get("/dashboards/sigcerh/d?panel=0&repeat=b", &cookie).await.body;
    assert!(alone.contains("Uno: b") && !alone.contains("Uno: a") && !alone.contains("<dd>0,5</dd>"), "{alone}");
}

#[tokio::test]
async fn more_copies_than_a_page_bears_are_said() {
    let site = site(REPEATED, |reader| {
        for i in 0..120 {
            reader.add(up("sigcerh", &format!("i{i}")), &[(now_ms() - 60_000, 1.0)]);
        }
    });
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let got = site.get("/dashboards/sigcerh/d", &cookie).await.body;
    assert!(got.contains("Se muestran 51 de 121") && got.contains("Se muestran 50 de 120"), "{}", &got[..2_000]);
    assert!(got.matches("data-panel=").count() <= plan_model::dashboard::MOST_PANELS);
}

/// A deployment that was approved half a minute ago.
fn deployed(site: &Site, system: &str, subject: &str) {
    let deed = kernel::trail::Deed::new(sample::NOW, kernel::trail::Actor::person("ana"), "approval.ask");
    let at = sample::NOW - std::time::Duration::from_secs(30);
    let request = state::NewApproval {
        what: "deployment".into(),
        system: system.into(),
        environment: "produccion".into(),
        subject: subject.into(),
        details: String::new(),
        payload: String::new(),
        rule: "{\"need\":1,\"four_eyes\":true,\"by\":[]}".into(),
        requested_by: "ana".into(),
        requested_at: at,
        expires_at: sample::NOW,
    };
    let (id, _) = site.app.state.ask_approval(&request, &deed).unwrap();
    assert!(site.app.state.decide_approval(id, "approved", at, &deed).unwrap());
}

#[tokio::test]
async fn a_chart_has_two_axes_numbers_in_its_legend_and_marks() {
    let lines = "    events: [alerts, deployments]
    annotations:
      - { title: 'Cambio {{instance}}', query: 'up == 0.5', text: 'en $__dashboard', colour: orange }
      - { title: Rota, query: 'up * on(x) group_left up' }
    panels:
      - title: Dos
        query: up
        legend: '{{instance}}'
        unit: seconds
        series: [{ name: a, axis: right }, { name: b, negative: true }]
        right: { unit: ratio, min: 0, max: 1 }
        legend_values: [last, count]
        thresholds: [{ colour: green }, { from: 50, colour: red }]
        thresholds_in: percent
        thresholds_as: bands
        max: 4
";
    let site = site_in(true, lines, two);
    let alerts = site.app.state.alerts(&state::AlertFilter::default()).unwrap();
    deployed(&site, "sigcerh", "v1.2.3");
    deployed(&site, "nuam", "v9.9.9");
    let (cookie, _) = site.session("ana", Role::Viewer).await;
    let got = site.get("/dashboards/sigcerh/d", &cookie).await.body;
    for part in [
        "plot-right",
        "eje derecho",
        "data-label=\"último\"",
        "data-label=\"puntos\"",
        "class=\"band bad\"",
        "class=\"mark tone-orange\"",
        "class=\"mark tone-purple\"",
        "<title>Cambio a</title>",
        "en d</span>",
        "v1.2.3",
        "Estas marcas no se pudieron pedir: Rota",
    ] {
        assert!(got.contains(part), "{part} is missing: {got}");
    }
    assert!(!got.contains("v9.9.9"), "of another system");
    assert!(got.contains("\"values\":[null") && got.contains("-1.0"), "b is drawn below zero: {got}");
    let from = sample::NOW - std::time::Duration::from_secs(6 * 3_600);
    let inside: Vec<_> = alerts
        .iter()
        .map(|a| &a.alert)
        .filter(|a| a.system == "sigcerh" && a.fired_at.is_some() && a.resolved_at.is_none_or(|at| at >= from))
        .collect();
    assert!(!inside.is_empty());
    for alert in inside {
        assert!(got.contains(&format!("<b>{}</b>", alert.rule)), "{alert:?}");
    }
    let without = site.get("/dashboards/sigcerh/d?marks=0", &cookie).await.body;
    assert!(!without.contains("class=\"mark ") && without.contains("Mostrar las marcas"), "{without}");
    let panel = site.get("/dashboards/sigcerh/d/panels/0?alone=1", &cookie).await.body;
    assert!(panel.contains("class=\"mark tone-purple\"") && panel.contains("<details class=\"numbers\">"), "{panel}");
}

async fn data(site: &Site, path: &str) -> serde_json::Value {
    let got = site.with_token(http::Method::GET, path, &site.token("read"), "").await;
    assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.body);
    serde_json::from_str(&got.body).unwrap()
}

#[tokio::test]
async fn dsh_08_a_programs_token_reads_what_a_panel_shows() {
    let site = site(REPEATED, two);
    let root = "/api/farero/v1/systems/sigcerh/dashboards";
    assert_eq!(data(&site, root).await[0]["id"], "d");
    let whole = data(&site, &format!("{root}/d?range=1h")).await;
    assert_eq!(whole["variables"][0]["chosen"], serde_json::json!(["a", "b"]));
    let panels = whole["panels"].as_array().unwrap();
    assert_eq!(panels.len(), 5);
    assert_eq!((&panels[1]["title"], &panels[1]["x"]), (&"Uno: b".into(), &12.into()));
    assert_eq!(panels[3]["row"], "Fila a");
    let second = data(&site, panels[1]["data"].as_str().unwrap()).await;
    let series = &second["series"];
    assert_eq!(series.as_array().unwrap().len(), 1, "{second}");
    assert_eq!((&series[0]["name"], &series[0]["value"], &series[0]["shown"]), (&"b".into(), &1.0.into(), &"1".into()));
    assert_eq!(series[0]["labels"]["instance"], "b");
    let points = series[0]["points"].as_array().unwrap();
    assert!(
        points.iter().any(|p| p[1] == 1.0) && points.iter().all(|p| p[0].as_i64().unwrap() <= now_ms()),
        "{points:?}"
    );
    let chosen = data(&site, &format!("{root}/d/panels/0?var-i=a")).await;
    assert_eq!(chosen["series"][0]["value"], 0.5);
    for missing in ["d/panels/9", "gone", "gone/panels/0"] {
        let got = site.with_token(http::Method::GET, &format!("{root}/{missing}"), &site.token("read"), "").await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn dsh_08_the_data_are_those_that_whoever_asks_may_see() {
    let lines = "    restricted_to: [auditor]\n    panels: [{ query: up }, { query: 'up * on(x) group_left up' }, { kind: text, text: hola }]\n";
    let site = site(lines, |reader| {
        two(reader);
        reader.add(up("nuam", "foreign"), &[(now_ms() - 15_000, 1.0)]);
    });
    let root = "/api/farero/v1/systems/sigcerh/dashboards";
    for (role, status) in [(Role::Viewer, StatusCode::NOT_FOUND), (Role::Auditor, StatusCode::OK)] {
        let (cookie, _) = site.session(&format!("u-{}", role.as_str()), role).await;
        for path in ["/d", "/d/panels/0"] {
            let got = site.get(&format!("{root}{path}"), &cookie).await;
            assert_eq!(got.status, status, "{} {path}", role.as_str());
            assert!(!got.body.contains("foreign"), "{}", got.body);
        }
        let list = site.get(root, &cookie).await.body;
        assert_eq!(list.contains("\"d\""), status == StatusCode::OK, "{list}");
    }
    let (cookie, _) = site.session("auditora", Role::Auditor).await;
    let failed: serde_json::Value =
        serde_json::from_str(&site.get(&format!("{root}/d/panels/1"), &cookie).await.body).unwrap();
    assert!(!failed["errors"].as_array().unwrap().is_empty() && failed["series"].as_array().unwrap().is_empty());
    let text: serde_json::Value =
        serde_json::from_str(&site.get(&format!("{root}/d/panels/2"), &cookie).await.body).unwrap();
    assert_eq!(text["text"], "hola");
}
