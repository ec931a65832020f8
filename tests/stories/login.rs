//! Logging in with what people really have: passkeys (Chromium's virtual authenticator) and an account at a provider
//! (a certified one, from npm).

use std::time::Duration;

use serde_json::{Value, json};
use tests::browser::Driver;
use tests::provider::SECRET;
use tests::{Farero, OidcProvider, wait_for};
use thirtyfour::prelude::*;

use crate::browser::browser_in;

const PLAN: &str = "system: prueba\nlabel: Sistema de prueba\ntimezone: America/Lima\nlanguage: es\n";

/// Waits until the browser is at a path of Farero's.
/// Farero reads a provider's keys again at most this often: on a fast machine all of the story until then took less.
const KEYS_PAUSE: Duration = Duration::from_secs(5);

async fn at(browser: &WebDriver, path: &str) {
    wait_for(&format!("the page {path}"), || async {
        let url = browser.current_url().await.ok()?;
        (url.path() == path).then_some(())
    })
    .await;
}

async fn click(browser: &WebDriver, selector: &str) {
    let element = wait_for(selector, || async { browser.find(By::Css(selector)).await.ok() }).await;
    // Where a layout is still moving, the script's click is the surer one.
    if element.click().await.is_err() {
        browser.execute("arguments[0].click()", vec![element.to_json().unwrap()]).await.unwrap();
    }
}

async fn fill(browser: &WebDriver, name: &str, text: &str) {
    let selector = format!("[name='{name}']:not([type='hidden'])");
    // A page that is just being left may still give its field: typed again, then.
    wait_for(&selector, || async {
        let field = browser.find(By::Css(selector.as_str())).await.ok()?;
        field.clear().await.ok()?;
        field.send_keys(text).await.ok()
    })
    .await;
}

async fn text(browser: &WebDriver) -> String {
    wait_for("a page", || async { browser.find(By::Tag("body")).await.ok()?.text().await.ok() }).await
}

/// Adds a virtual authenticator to the browser (WebAuthn level 2, section 11) and gives its number.
async fn authenticator(driver: &Driver, browser: &WebDriver, verifies: bool) -> String {
    let wish = json!({
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserConsenting": true, "isUserVerified": verifies,
    });
    let url = format!("{}/session/{}/webauthn/authenticator", driver.url(), browser.session_id());
    let answer = tests::farero::client().post(url).header("content-type", "application/json").body(wish.to_string());
    let answer: Value = serde_json::from_str(&answer.send().await.unwrap().text().await.unwrap()).unwrap();
    answer["value"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn drop_authenticator(driver: &Driver, browser: &WebDriver, number: &str) {
    let url = format!("{}/session/{}/webauthn/authenticator/{number}", driver.url(), browser.session_id());
    assert!(tests::farero::client().delete(url).send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_passkeys_log_in_without_a_name_and_can_be_taken_away() {
    let mut farero = Farero::prepared(&[("plan.yaml", PLAN)], &[]);
    let base = format!("http://localhost:{}", farero.port());
    farero.set("FARERO_PUBLIC_URL", &base);
    farero.launch();
    farero.ready().await;
    let link = farero.setup_link().await;
    let (driver, profile) = (Driver::start().await, tempfile::tempdir().unwrap());
    let browser = browser_in("es", &driver, profile.path()).await;
    browser.goto(link.trim()).await.unwrap();
    for (name, value) in [("name", "admin"), ("password", tests::farero::PASSWORD), ("again", tests::farero::PASSWORD)]
    {
        fill(&browser, name, value).await;
    }
    click(&browser, "form.stack button").await;
    at(&browser, "/welcome/place").await;
    let first = authenticator(&driver, &browser, true).await;
    browser.goto(format!("{base}/settings/security")).await.unwrap();
    browser.find(By::Id("passkey-name")).await.unwrap().send_keys("Teléfono de Ana").await.unwrap();
    click(&browser, "[data-passkey='register']").await;
    wait_for("the passkey in the list", || async { text(&browser).await.contains("Teléfono de Ana").then_some(()) })
        .await;
    // The same device again: it says itself that it is registered.
    click(&browser, "[data-passkey='register']").await;
    wait_for("a refusal", || async { text(&browser).await.contains("no dio ninguna llave").then_some(()) }).await;
    let log_out = async || {
        browser.goto(format!("{base}/settings/security")).await.unwrap();
        click(&browser, "form.who button").await;
        at(&browser, "/login").await;
    };
    log_out().await;
    click(&browser, "[data-passkey='log-in']").await;
    at(&browser, "/").await;
    browser.goto(format!("{base}/settings/security")).await.unwrap();
    assert!(text(&browser).await.contains("Llave de acceso ·"), "the session says how it began");
    log_out().await;
    // A device that does not verify its person is not enough.
    drop_authenticator(&driver, &browser, &first).await;
    let weak = authenticator(&driver, &browser, false).await;
    click(&browser, "[data-passkey='log-in']").await;
    wait_for("a refusal", || async { text(&browser).await.contains("no dio ninguna llave").then_some(()) }).await;
    drop_authenticator(&driver, &browser, &weak).await;
    // A second device, and the first one taken away.
    let second = authenticator(&driver, &browser, true).await;
    fill(&browser, "name", "admin").await;
    fill(&browser, "password", tests::farero::PASSWORD).await;
    click(&browser, "form[action='/login'] button").await;
    at(&browser, "/").await;
    browser.goto(format!("{base}/settings/security")).await.unwrap();
    browser.find(By::Id("passkey-name")).await.unwrap().send_keys("Llave USB").await.unwrap();
    click(&browser, "[data-passkey='register']").await;
    wait_for("the second passkey", || async { text(&browser).await.contains("Llave USB").then_some(()) }).await;
    click(&browser, "form[action$='/remove'] button").await;
    wait_for("one passkey less", || async { (!text(&browser).await.contains("Teléfono de Ana")).then_some(()) }).await;
    log_out().await;
    click(&browser, "[data-passkey='log-in']").await;
    at(&browser, "/").await;
    // Taken away here, the device still offers it: it is not known any more.
    browser.goto(format!("{base}/settings/security")).await.unwrap();
    click(&browser, "form[action$='/remove'] button").await;
    wait_for("no passkey left", || async { (!text(&browser).await.contains("Llave USB")).then_some(()) }).await;
    log_out().await;
    click(&browser, "[data-passkey='log-in']").await;
    wait_for("a refusal", || async { text(&browser).await.contains("is not known here").then_some(()) }).await;
    drop_authenticator(&driver, &browser, &second).await;
    browser.quit().await.unwrap();
}

/// Types a name and a password at the provider and lets it tell Farero.
async fn at_the_provider(browser: &WebDriver, provider: &OidcProvider, name: &str) {
    let host = provider.issuer();
    wait_for("the provider's page", || async {
        browser.current_url().await.ok().filter(|u| u.as_str().starts_with(&host))
    })
    .await;
    fill(browser, "login", name).await;
    fill(browser, "password", "da igual").await;
    click(browser, "button[type='submit']").await;
    wait_for("its second page, or Farero's", || async {
        let asks = browser.find(By::Css("input[name='prompt'][value='consent']")).await.is_ok();
        let back = !browser.current_url().await.ok()?.as_str().starts_with(&host);
        (asks || back).then_some(())
    })
    .await;
    if browser.current_url().await.unwrap().as_str().starts_with(&host) {
        click(browser, "button[type='submit']").await;
    }
}

async fn with_provider(algorithm: &str) -> (Farero, OidcProvider) {
    let mut farero = Farero::prepared(&[("plan.yaml", PLAN)], &[("FARERO_OIDC_SECRET", SECRET)]);
    let provider = OidcProvider::start(&farero.url(""), algorithm).await;
    let settings = format!(
        "oidc:\n  empresa:\n    label: Empresa\n    issuer: {}\n    client_id: farero\n    client_secret: \"${{env:FARERO_OIDC_SECRET}}\"\n    scopes: [openid, profile, email, groups]\n    groups:\n      - {{ group: farero-admins, role: administrator }}\n      - {{ group: guardia, role: operator }}\n",
        provider.issuer()
    );
    let path = farero.folder().join("login.yaml");
    std::fs::write(&path, settings).unwrap();
    farero.set("FARERO_LOGIN", path.to_str().unwrap());
    farero.launch();
    farero.ready().await;
    farero.log_in().await;
    (farero, provider)
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_an_account_at_a_provider_logs_in_with_the_role_of_its_groups() {
    let (farero, mut provider) = with_provider("RS256").await;
    let (driver, profile) = (Driver::start().await, tempfile::tempdir().unwrap());
    let browser = browser_in("es", &driver, profile.path()).await;
    let begin = async || {
        browser.delete_all_cookies().await.unwrap();
        browser.goto(farero.url("/login?next=/about")).await.unwrap();
        click(&browser, "a[href^='/login/provider/empresa']").await;
    };
    begin().await;
    at_the_provider(&browser, &provider, "ana").await;
    at(&browser, "/about").await;
    browser.goto(farero.url("/settings/installation")).await.unwrap();
    let shown = text(&browser).await;
    assert!(shown.contains("ana@example.org") && shown.contains("Proveedor empresa"), "{shown}");
    // Out of Farero, and a way out of the provider too.
    click(&browser, "form.who button").await;
    let way = wait_for("the way out", || async { browser.find(By::Css("a[href*='/session/end']")).await.ok() }).await;
    way.click().await.unwrap();
    wait_for("the provider's own log-out", || async {
        browser.current_url().await.ok().filter(|u| u.path() == "/session/end")
    })
    .await;
    // Nobody's groups: no way in, and words for it.
    begin().await;
    at_the_provider(&browser, &provider, "zoe").await;
    at(&browser, "/login/provider/empresa/back").await;
    assert!(text(&browser).await.contains("Nadie aquí tiene esa cuenta"), "{}", text(&browser).await);
    // The provider changes its keys, and even their kind, without telling.
    provider.change_keys("ES256").await;
    tokio::time::sleep(KEYS_PAUSE).await;
    begin().await;
    at_the_provider(&browser, &provider, "beto").await;
    at(&browser, "/about").await;
    browser.goto(farero.url("/settings/installation")).await.unwrap();
    let refused = text(&browser).await;
    assert!(
        refused.contains("No tiene permiso") || refused.contains("may not"),
        "an operator does not administer: {refused}"
    );
    browser.quit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_answers_that_belong_to_nobodys_question_let_nobody_in() {
    let (farero, _provider) = with_provider("RS256").await;
    let client = tests::farero::client();
    let back = farero.url("/login/provider/empresa/back");
    let without = client.get(format!("{back}?code=x&state=y")).send().await.unwrap();
    assert_eq!(without.status().as_u16(), 410, "no question was asked");
    // A question of this browser's, and an answer with another state.
    let provider_page = client.get(farero.url("/login/provider/empresa")).send().await.unwrap();
    assert!(provider_page.status().is_success(), "{}", provider_page.status());
    let forged = client.get(format!("{back}?code=x&state=forged")).send().await.unwrap();
    assert_eq!(forged.status().as_u16(), 409);
    assert!(forged.text().await.unwrap().contains("its state is another one"));
    let replayed = client.get(format!("{back}?code=x&state=forged")).send().await.unwrap();
    assert_eq!(replayed.status().as_u16(), 410, "a question is answered once");
    let twice = client.get(farero.url("/login/provider/empresa")).send().await.unwrap();
    assert!(twice.status().is_success());
    let double = client.get(format!("{back}?code=x&state=a&state=b")).send().await.unwrap();
    assert_eq!(double.status().as_u16(), 400);
    assert_eq!(client.get(farero.url("/login/provider/otro")).send().await.unwrap().status().as_u16(), 404);
}
