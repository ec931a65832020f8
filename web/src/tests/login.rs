//! Log-ins beyond the password, as browsers meet them: codes, recovery codes, policies, proofs, the sealed account, invitations.
//! Passkeys and providers need a real browser and a real provider: `tests/stories/login.rs`. I/O: a temporary database.

use ::auth::totp::TotpSecret;
use http::{StatusCode, header};

use super::{Got, Site};
use crate::auth::{Role, secret};
use crate::pages::login::code::open_secret;
use crate::sample::NOW;

const PASSWORD: &str = "cuatro+palabras+sin+orden";

/// The cookie of a name that an answer sets.
fn set(got: &Got, name: &str) -> Option<String> {
    let all = got.headers.get_all(header::SET_COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.filter_map(|v| v.split(';').next()).find(|v| v.starts_with(name) && !v.ends_with('=')).map(ToOwned::to_owned)
}

fn csrf_of(cookie: &str) -> String {
    let session = cookie.split("; ").find_map(|c| c.strip_prefix("farero_session=")).unwrap();
    secret::csrf(session)
}

fn to(got: &Got) -> &str {
    got.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// An account with a password that is known.
async fn account(site: &Site, name: &str, role: Role) -> i64 {
    let hash = crate::auth::password::hash(&site.app, PASSWORD.replace('+', " ")).await.unwrap();
    let new = state::NewUser {
        name: name.into(),
        role: role.as_str().into(),
        language: kernel::Language::Es,
        password_hash: hash,
    };
    site.app.state.create_user(&new, NOW).unwrap().id
}

async fn log_in(site: &Site, name: &str) -> Got {
    site.post("/login", "", &format!("name={name}&password={PASSWORD}&next=/alerts")).await
}

/// Sets one-time codes up over the pages; gives the secret and the recovery codes.
async fn enrol(site: &Site, cookie: &str, user: i64) -> (TotpSecret, Vec<String>) {
    let csrf = csrf_of(cookie);
    let begun = site.post("/settings/security/codes/begin", cookie, &format!("csrf={csrf}")).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.body);
    assert!(begun.body.contains("<svg class=\"qr\"") && !begun.body.contains("otpauth:"), "the drawing is in the page");
    let step = set(&begun, "farero_step=").unwrap();
    let hash = secret::hash(step.split_once('=').unwrap().1);
    let kept = site.app.state.ceremony(&hash, "totp", NOW).unwrap().unwrap();
    let shared = open_secret(&site.app, user, &kept.data).unwrap();
    let both = format!("{cookie}; {step}");
    let wrong = site.post("/settings/security/codes", &both, &format!("csrf={csrf}&code=000000")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let code = shared.code_at(NOW).unwrap();
    let done = site.post("/settings/security/codes", &both, &format!("csrf={csrf}&code={code}")).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let codes: Vec<String> =
        done.body.split("<li><code>").skip(1).filter_map(|p| p.split('<').next()).map(ToOwned::to_owned).collect();
    assert_eq!(codes.len(), 10, "{}", done.body);
    (shared, codes)
}

#[tokio::test]
async fn sec_12_codes_are_asked_for_after_the_password_and_work_once() {
    let site = Site::new(false);
    let id = account(&site, "ana", Role::Operator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let (shared, recovery) = enrol(&site, &cookie, id).await;
    // The step of the set-up was taken then; the code of the next one is still good.
    let code = shared.code_at(NOW + std::time::Duration::from_secs(30)).unwrap();
    let first = log_in(&site, "ana").await;
    assert_eq!((first.status, to(&first)), (StatusCode::SEE_OTHER, "/login/code"));
    assert!(set(&first, "farero_session=").is_none(), "the password alone lets nobody in");
    let step = set(&first, "farero_step=").unwrap();
    let used = site.post("/login/code", &step, &format!("code={}", shared.code_at(NOW).unwrap())).await;
    assert_eq!(used.status, StatusCode::UNAUTHORIZED, "the code of the set-up was used");
    let inside = site.post("/login/code", &step, &format!("code={code}")).await;
    assert_eq!((inside.status, to(&inside)), (StatusCode::SEE_OTHER, "/alerts"), "{}", inside.body);
    assert_eq!(site.post("/login/code", &step, &format!("code={code}")).await.status, StatusCode::GONE);
    // The same code again, after a second password.
    let step = set(&log_in(&site, "ana").await, "farero_step=").unwrap();
    assert_eq!(site.post("/login/code", &step, &format!("code={code}")).await.status, StatusCode::UNAUTHORIZED);
    // A recovery code, however it is typed, once.
    let typed = recovery[3].to_lowercase().replace('-', "+");
    let step = set(&log_in(&site, "ana").await, "farero_step=").unwrap();
    let saved = site.post("/login/code", &step, &format!("code={typed}")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let step = set(&log_in(&site, "ana").await, "farero_step=").unwrap();
    assert_eq!(site.post("/login/code", &step, &format!("code={typed}")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.app.state.recovery_codes_left(id).unwrap(), 9);
    let page = site.get("/settings/security", &set(&saved, "farero_session=").unwrap()).await;
    assert!(page.body.contains("Contraseña y código de recuperación"), "the session says how it began");
}

#[tokio::test]
async fn sec_12_codes_are_removed_with_the_password_only_and_not_where_they_are_required() {
    let site = Site::new(false);
    let id = account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    enrol(&site, &cookie, id).await;
    let csrf = csrf_of(&cookie);
    let remove = async |password: &str| {
        site.post("/settings/security/codes/remove", &cookie, &format!("csrf={csrf}&password={password}")).await.status
    };
    assert_eq!(remove("wrong").await, StatusCode::UNPROCESSABLE_ENTITY);
    let policy = "second_factor=administrators&idle_minutes=60&life_hours=24";
    let saved = site.post("/settings/installation", &cookie, &format!("csrf={csrf}&{policy}")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    assert_eq!(remove(PASSWORD).await, StatusCode::UNPROCESSABLE_ENTITY, "it is required");
    let policy = "second_factor=nobody&idle_minutes=60&life_hours=24";
    site.post("/settings/installation", &cookie, &format!("csrf={csrf}&{policy}")).await;
    assert_eq!(remove(PASSWORD).await, StatusCode::SEE_OTHER);
    assert!(site.app.state.totp(id).unwrap().is_none());
    assert_eq!(site.app.state.recovery_codes_left(id).unwrap(), 0);
}

#[tokio::test]
async fn sec_12_where_a_second_factor_is_required_it_is_set_up_before_anything_else() {
    let site = Site::new(false);
    let id = account(&site, "ana", Role::Administrator).await;
    account(&site, "beto", Role::Viewer).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let csrf = csrf_of(&cookie);
    let policy = "second_factor=administrators&idle_minutes=5&life_hours=1";
    site.post("/settings/installation", &cookie, &format!("csrf={csrf}&{policy}")).await;
    assert!(set(&log_in(&site, "beto").await, "farero_session=").is_some(), "viewers need none");
    let first = log_in(&site, "ana").await;
    assert_eq!(to(&first), "/login/code");
    assert!(set(&first, "farero_session=").is_none());
    let step = set(&first, "farero_step=").unwrap();
    let page = site.get("/login/code", &step).await;
    assert!(page.body.contains("<svg class=\"qr\""), "{}", page.body);
    let hash = secret::hash(step.split_once('=').unwrap().1);
    let kept = site.app.state.ceremony(&hash, "enrol", NOW).unwrap().unwrap();
    let sealed = serde_json::from_str::<serde_json::Value>(&kept.data).unwrap()["secret"].as_str().unwrap().to_owned();
    let code = open_secret(&site.app, id, &sealed).unwrap().code_at(NOW).unwrap();
    let inside = site.post("/login/code", &step, &format!("code={code}")).await;
    assert_eq!(inside.status, StatusCode::OK);
    assert!(inside.body.matches("<li><code>").count() == 10 && set(&inside, "farero_session=").is_some());
}

#[tokio::test]
async fn sec_12_the_limits_of_sessions_are_the_installations_and_hold_for_those_that_began() {
    let site = Site::new(false);
    account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let policy = format!("csrf={}&second_factor=nobody&idle_minutes=30&life_hours=2", csrf_of(&cookie));
    site.post("/settings/installation", &cookie, &policy).await;
    let hash = secret::hash(cookie.split_once('=').unwrap().1);
    let minutes = |n: u64| std::time::Duration::from_secs(n * 60);
    let alive = |after| site.app.state.session(&hash, NOW + after).unwrap().is_some();
    assert!(alive(minutes(29)) && !alive(minutes(30)), "the shorter idle limit holds at once");
    let (session, _) = site.app.state.session(&hash, NOW).unwrap().unwrap();
    assert_eq!(session.ends_at, NOW + minutes(120));
}

#[tokio::test]
async fn sec_12_grave_changes_ask_for_a_fresh_proof_and_give_the_session_a_new_secret() {
    let site = Site::new(false);
    account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let hash = secret::hash(cookie.split_once('=').unwrap().1);
    // As if the log-in were an hour old.
    let (session, _) = site.app.state.session(&hash, NOW).unwrap().unwrap();
    let old = state::Session { proved_at: NOW - std::time::Duration::from_secs(3_600), ..session };
    assert!(site.app.state.rotate_session(&hash, &old).unwrap());
    let csrf = csrf_of(&cookie);
    for (path, form) in [
        ("/settings/tokens", "name=x&scope=read&days=30"),
        ("/people", "name=nuevo&kind=person&role=viewer"),
        ("/settings/security/codes/begin", ""),
        ("/settings/installation/seal", ""),
        ("/settings/installation", "second_factor=everybody&idle_minutes=60&life_hours=24"),
    ] {
        let got = site.post(path, &cookie, &format!("csrf={csrf}&{form}")).await;
        assert!(
            to(&got).starts_with(&format!("/confirm?next=/{}", &path[1..7])),
            "{path}: {} {}",
            got.status,
            to(&got)
        );
    }
    let wrong = site.post("/confirm", &cookie, &format!("csrf={csrf}&password=wrong&next=/settings")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let proved = site.post("/confirm", &cookie, &format!("csrf={csrf}&password={PASSWORD}&next=/settings")).await;
    assert_eq!((proved.status, to(&proved)), (StatusCode::SEE_OTHER, "/settings"));
    let fresh = set(&proved, "farero_session=").unwrap();
    assert_ne!(fresh, cookie);
    assert_eq!(to(&site.get("/settings", &cookie).await), "/login?next=/settings", "the old secret is worth nothing");
    let made =
        site.post("/settings/tokens", &fresh, &format!("csrf={}&name=x&scope=read&days=30", csrf_of(&fresh))).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
}

#[tokio::test]
async fn sec_12_a_log_in_ends_the_session_that_the_browser_had() {
    let site = Site::new(false);
    account(&site, "ana", Role::Viewer).await;
    account(&site, "beto", Role::Viewer).await;
    let first = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let csrf = csrf_of(&first);
    let second = site.post("/login", &first, &format!("csrf={csrf}&name=beto&password={PASSWORD}")).await;
    let second = set(&second, "farero_session=").unwrap();
    assert_ne!(first, second);
    assert_eq!(to(&site.get("/", &first).await), "/login");
    assert!(site.get("/settings/security", &second).await.body.contains("beto"));
}

#[tokio::test]
async fn sec_12_a_changed_role_holds_for_open_sessions_at_once() {
    let site = Site::new(true);
    account(&site, "ana", Role::Administrator).await;
    let beto = account(&site, "beto", Role::Viewer).await;
    let admin = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let theirs = set(&log_in(&site, "beto").await, "farero_session=").unwrap();
    let switch = async || {
        site.post("/s/sigcerh/intensive", &theirs, &format!("csrf={}&minutes=30", csrf_of(&theirs))).await.status
    };
    assert_eq!(switch().await, StatusCode::FORBIDDEN);
    let form = format!("csrf={}&role=operator&systems=sigcerh", csrf_of(&admin));
    assert_eq!(site.post(&format!("/people/{beto}/grants"), &admin, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(switch().await, StatusCode::SEE_OTHER);
    let form = format!("csrf={}&enabled=no", csrf_of(&admin));
    assert_eq!(site.post(&format!("/people/{beto}/enabled"), &admin, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(to(&site.get("/", &theirs).await), "/login", "whoever may not log in is logged out");
}

#[tokio::test]
async fn sec_12_the_seal_opens_once_tells_everybody_and_must_be_renewed() {
    let site = Site::new(true);
    account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    assert!(!site.get("/login", "").await.body.contains("/login/sealed"));
    let made = site.post("/settings/installation/seal", &cookie, &format!("csrf={}", csrf_of(&cookie))).await;
    let code = made.body.split("id=\"seal-code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(code.len(), 39, "{code}");
    assert!(!site.get("/settings/installation", &cookie).await.body.contains(&code), "shown once");
    assert!(site.get("/login", "").await.body.contains("/login/sealed"));
    let short = site.post("/login/sealed", "", &format!("code={code}&reason=x")).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = site.post("/login/sealed", "", "code=AAAA-BBBB&reason=Nadie+puede+entrar").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let typed = code.to_lowercase().replace('-', "+");
    let inside = site.post("/login/sealed", "", &format!("code={typed}&reason=Nadie+puede+entrar")).await;
    assert_eq!((inside.status, to(&inside)), (StatusCode::SEE_OTHER, "/"), "{}", inside.body);
    let told = site.app.state.outbox(&state::OutboxFilter { limit: 100, ..Default::default() }).unwrap();
    let told: Vec<_> = told.iter().filter(|r| r.entry.key.starts_with("alarm-")).collect();
    assert!(told.len() >= 2 && told.iter().all(|r| r.entry.message.text.contains("Nadie puede entrar")), "{told:?}");
    let again = site.post("/login/sealed", "", &format!("code={typed}&reason=Nadie+puede+entrar")).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "once");
    let page = site.get("/settings/installation", &cookie).await.body;
    assert!(page.contains("hay que sellarlo de nuevo") && page.contains("Nadie puede entrar"), "{page}");
    let session = set(&inside, "farero_session=").unwrap();
    let hash = secret::hash(session.split_once('=').unwrap().1);
    let (session, user) = site.app.state.session(&hash, NOW).unwrap().unwrap();
    assert_eq!((user.name.as_str(), session.method.as_str()), ("break-glass", "seal"));
    assert_eq!(session.ends_at, NOW + crate::limits::SEALED_LIFE);
}

#[tokio::test]
async fn sec_12_guessing_is_slowed_by_account_and_address_and_survives_a_restart() {
    let site = Site::new(false);
    account(&site, "ana", Role::Viewer).await;
    let known = log_in(&site, "ana").await;
    let device = set(&known, "farero_device=").unwrap();
    for _ in 0..5 {
        site.post("/login", "", "name=ana&password=wrong").await;
    }
    let held = log_in(&site, "ana").await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS);
    // The browser that was used before has a count of its own.
    let owner = site.post("/login", &device, &format!("name=ana&password={PASSWORD}")).await;
    assert_eq!(owner.status, StatusCode::SEE_OTHER, "{}", owner.body);
    // Another process on the same database: what was counted stands there.
    let mut restarted = Site::new(false);
    restarted.app.state = site.app.state.clone();
    restarted.router = crate::router(restarted.app.clone());
    assert_eq!(log_in(&restarted, "ana").await.status, StatusCode::TOO_MANY_REQUESTS);
    // A mark that was made elsewhere is none.
    let forged = restarted.post("/login", &device, &format!("name=ana&password={PASSWORD}")).await;
    assert_eq!(forged.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn sec_12_an_invitation_says_who_invites_and_ends() {
    let site = Site::new(false);
    account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let form = format!("csrf={}&name=beto&kind=person&role=viewer&systems=*&language=es&hours=1", csrf_of(&cookie));
    let made = site.post("/people", &cookie, &form).await.body;
    let link = made.split("http://127.0.0.1:9123").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let page = site.get(&link, "").await.body;
    assert!(page.contains("<strong>beto</strong>") && page.contains("Le invita <strong>ana</strong>"), "{page}");
    let hash = secret::hash(link.rsplit('/').next().unwrap());
    let good = |after: u64| {
        let at = NOW + std::time::Duration::from_secs(after);
        site.app.state.link(&hash, "set-password", at).unwrap().is_some()
    };
    assert!(good(3_599) && !good(3_600));
    let weak = site.post(&link, "", "password=contraseña2026&again=contraseña2026").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.body.contains("de las primeras que se adivinan"), "{}", weak.body);
}

#[tokio::test]
async fn sec_12_what_people_and_farero_do_to_log_ins_is_in_the_trail() {
    let site = Site::new(false);
    let id = account(&site, "ana", Role::Administrator).await;
    site.post("/login", "", "name=ana&password=wrong").await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    enrol(&site, &cookie, id).await;
    site.post("/logout", &cookie, &format!("csrf={}", csrf_of(&cookie))).await;
    let actions = super::deeds(&site);
    for expect in ["session.begin refused", "session.begin done", "login.codes.begin done", "session.end done"] {
        assert!(actions.iter().any(|a| a == expect), "{expect} is missing in {actions:?}");
    }
}

#[tokio::test]
async fn the_assistant_writes_tests_and_goes_on() {
    let site = Site::new(false);
    account(&site, "ana", Role::Administrator).await;
    let cookie = set(&log_in(&site, "ana").await, "farero_session=").unwrap();
    let csrf = csrf_of(&cookie);
    let post = async |path: &str, form: &str| site.post(path, &cookie, &format!("csrf={csrf}&{form}")).await;
    assert_eq!(to(&site.get("/welcome", &cookie).await), "/welcome/place");
    let bad = post("/welcome/place", "label=Equipo&timezone=Marte%2FOlimpo&language=es").await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let placed = post("/welcome/place", "label=Equipo&timezone=America%2FLima&language=es").await;
    assert_eq!(to(&placed), "/welcome/channel", "{}", placed.body);
    for kind in ["email", "telegram", "slack", "discord", "teams", "ntfy", "webhook"] {
        let page = site.get(&format!("/welcome/channel?kind={kind}"), &cookie).await;
        assert!(page.status.is_success() && page.body.contains(&format!("name=\"kind\" value=\"{kind}\"")), "{kind}");
    }
    let sent = post("/welcome/channel", "kind=telegram&secret=123%3Aabc&chat=-100").await;
    assert!(sent.body.contains("250 2.0.0 Ok: queued") && !sent.body.contains("123:abc"), "{}", sent.body);
    let kept = site.app.state.setting("welcome.answers").unwrap().unwrap();
    assert!(kept.contains("${file:/var/lib/farero/secrets/aviso}") && !kept.contains("123:abc"), "{kept}");
    let unknown = post("/welcome/check", "address=javascript%3Aalert(1)").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let broken = post("/welcome/place", "label=broken&timezone=UTC&language=es").await;
    assert!(broken.body.contains("plan.yaml:3: error"), "{}", broken.body);
    assert!(site.get("/welcome/done", &cookie).await.body.contains("farero-plan"));
}
