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
    let mut site = Site::new(false);
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
