//! The one table of routes: method, path, what it asks for, handler. The router is built from it and from nothing else, so a
//! route that asks for nothing cannot exist by accident. Pure.

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use kernel::access::{Kind, Verb};
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::App;
use crate::auth::guard::{Guard, guard};
use crate::pages::{
    about, alerts, approvals, channels, check, confirm, dashboards, deliveries, document, entry, installation,
    intensive, kpis, login, metrics, overview, people, plan, roles, rules, security, settings, trail, welcome,
};
use crate::{api, assets, events, limits};

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Anyone. Every such route says beside it why.
    Public,
    /// Whoever is logged in or has a token: it tells nothing of any system.
    Known,
    /// A person about their own account; tokens have none.
    Own,
    /// Whoever may do this to things of this kind; the object is found so.
    Ask(Verb, Kind, Find),
}

/// How the object of a request is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Find {
    /// It is the platform itself, or all systems together.
    Platform,
    /// The system in the path.
    System,
    /// The component in the path, or in a badge's file name, and its system.
    Component,
    /// The channel in the path and its system.
    Channel,
    /// The alert in the path, with its system and restrictions.
    Alert,
    /// The document in the path, a procedure of its system.
    Document,
    /// The delivery in the path, with its system, channel, and the restrictions of the alerts it tells of.
    Delivery,
    /// The request for approval in the path: a system in the environment that it is about, or people of that system.
    Request,
    /// It is a list, or the body names it: whoever may do it to anything gets in, and the handler shows and takes only what they
    /// may, asking the same function.
    Filtered,
}

/// What kind of client a route is for: how it is refused, and what it may prove itself by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// People: a refusal leads to the log-in.
    Page,
    /// Programs: a refusal is a problem document.
    Api,
    /// Prometheus's API and Farero's own metrics, which may be opened to a closed network.
    Metrics,
    /// State badges, which may be opened.
    Badge,
    /// Programs that carry their secret in the address, or files that hold none: nobody is looked up.
    Machine,
}

/// One route.
pub struct Route {
    /// HTTP method; `GET` answers `HEAD` too.
    pub method: Method,
    /// Path as axum writes it.
    pub path: &'static str,
    /// Who may.
    pub rule: Rule,
    /// For whom.
    pub surface: Surface,
    handler: MethodRouter<App>,
    /// Whether it is one of Prometheus's, which want to be told for whom they answer.
    of_prometheus: bool,
    /// Whether bodies are samples, which are longer than forms.
    takes_samples: bool,
}

impl Route {
    fn new<H, T>(method: Method, surface: Surface, path: &'static str, rule: Rule, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self { method, path, rule, surface, handler: on(filter, handler), of_prometheus: false, takes_samples: false }
    }

    /// The handler behind its guard.
    pub(crate) fn into_guarded(self, app: &App) -> MethodRouter<App> {
        let state = Guard { app: app.clone(), rule: self.rule, surface: self.surface, path: self.path };
        let handler = match self.of_prometheus {
            true => self.handler.route_layer(from_fn_with_state(app.clone(), api::prometheus::for_whom)),
            false => self.handler,
        };
        let body_bytes = if self.takes_samples { limits::SAMPLES_BODY_BYTES } else { limits::BODY_BYTES };
        handler.route_layer(from_fn_with_state(state, guard)).route_layer(RequestBodyLimitLayer::new(body_bytes))
    }
}

fn get<H: Handler<T, App>, T: 'static>(s: Surface, path: &'static str, rule: Rule, handler: H) -> Route {
    Route::new(Method::GET, s, path, rule, handler)
}

fn post<H: Handler<T, App>, T: 'static>(s: Surface, path: &'static str, rule: Rule, handler: H) -> Route {
    Route::new(Method::POST, s, path, rule, handler)
}

/// Sees something of a system.
const fn see(find: Find) -> Rule {
    Rule::Ask(Verb::See, Kind::System, find)
}

/// Has something done.
const fn run(find: Find) -> Rule {
    Rule::Ask(Verb::Run, Kind::System, find)
}

/// Every alert, delivery and channel has one of these.
const ACKNOWLEDGE: Rule = Rule::Ask(Verb::Acknowledge, Kind::System, Find::Alert);
const SEE_DELIVERY: Rule = Rule::Ask(Verb::See, Kind::Channel, Find::Delivery);
const CONFIRM: Rule = Rule::Ask(Verb::Acknowledge, Kind::Channel, Find::Delivery);
const RETRY: Rule = Rule::Ask(Verb::Run, Kind::Channel, Find::Delivery);
const SEE_CHANNELS: Rule = Rule::Ask(Verb::See, Kind::Channel, Find::Filtered);
const TEST: Rule = Rule::Ask(Verb::Run, Kind::Channel, Find::Channel);
const SIGN: Rule = Rule::Ask(Verb::Sign, Kind::Procedure, Find::Document);
const SEE_TRAIL: Rule = Rule::Ask(Verb::See, Kind::Trail, Find::Platform);
const PANEL_DATA: &str = "/api/farero/v1/systems/{system}/dashboards/{id}/panels/{number}";
/// Sees who may do what.
const SEE_PEOPLE: Rule = Rule::Ask(Verb::See, Kind::People, Find::Filtered);
/// Gives and takes grants in some systems at least.
const GIVE: Rule = Rule::Ask(Verb::Administer, Kind::People, Find::Filtered);
/// Says yes or no to a request.
const ANSWER: Rule = Rule::Ask(Verb::Approve, Kind::System, Find::Request);
/// Lets people in, and out.
const ADMINISTER: Rule = Rule::Ask(Verb::Administer, Kind::People, Find::Platform);

/// Every route of the web.
pub fn table() -> Vec<Route> {
    let mut all = pages();
    all.extend(metric_pages());
    all.extend(dashboards());
    all.extend(log_in());
    all.extend(assistant());
    all.extend(own_api());
    all.extend(prometheus_api());
    all.extend(machines());
    all
}

fn pages() -> Vec<Route> {
    use Find::{Alert, Component, Filtered, System};
    use Rule::{Own, Public};
    use Surface::Page;
    vec![
        get(Page, "/", see(Filtered), overview::overview),
        get(Page, "/s/{system}", see(System), overview::system),
        post(Page, "/s/{system}/intensive", run(System), intensive::switch),
        get(Page, "/s/{system}/{component}/{check}", see(Component), check::check),
        post(Page, "/s/{system}/{component}/{check}/now", run(Component), check::check_now),
        get(Page, "/alerts", see(Filtered), alerts::alerts),
        get(Page, "/alerts/{id}", see(Alert), alerts::alert),
        post(Page, "/alerts/{id}/acknowledge", ACKNOWLEDGE, alerts::acknowledge),
        get(Page, "/deliveries", SEE_CHANNELS, deliveries::deliveries),
        get(Page, "/deliveries/{*key}", SEE_DELIVERY, deliveries::delivery),
        post(Page, "/deliveries/confirm/{*key}", CONFIRM, deliveries::confirm),
        post(Page, "/deliveries/retry/{*key}", RETRY, deliveries::retry),
        get(Page, "/channels", SEE_CHANNELS, channels::channels),
        post(Page, "/channels/{system}/{channel}/test", TEST, channels::test),
        get(Page, "/plan", see(Filtered), plan::first),
        get(Page, "/plan/{system}", see(System), plan::plan),
        get(Page, "/plan/{system}/documents/{*path}", see(System), document::document),
        post(Page, "/plan/{system}/sign/{*path}", SIGN, document::sign),
        get(Page, "/plan/{system}/signed/{*path}", see(System), document::signed_copy),
        post(Page, "/plan/{system}/reload", run(System), plan::reload),
        get(Page, "/rules", see(Filtered), rules::rules),
        get(Page, "/kpis", see(Filtered), kpis::kpis),
        get(Page, "/people", SEE_PEOPLE, people::people),
        post(Page, "/people", ADMINISTER, people::add),
        get(Page, "/people/{id}", SEE_PEOPLE, people::person),
        post(Page, "/people/{id}/grants", GIVE, people::give),
        post(Page, "/people/{id}/grants/{grant}/take", GIVE, people::take),
        post(Page, "/people/{id}/enabled", ADMINISTER, people::enable),
        post(Page, "/people/{id}/link", ADMINISTER, people::new_link),
        post(Page, "/people/{id}/sessions/end", ADMINISTER, people::end_sessions),
        post(Page, "/people/{id}/tokens", ADMINISTER, people::make_token),
        post(Page, "/people/{id}/tokens/{token}/revoke", ADMINISTER, people::revoke_token),
        post(Page, "/teams", ADMINISTER, people::add_team),
        get(Page, "/teams/{id}", SEE_PEOPLE, people::team),
        post(Page, "/teams/{id}/remove", ADMINISTER, people::remove_team),
        post(Page, "/teams/{id}/members", ADMINISTER, people::change_member),
        post(Page, "/teams/{id}/grants", GIVE, people::give_team),
        post(Page, "/teams/{id}/grants/{grant}/take", GIVE, people::take_team),
        get(Page, "/approvals", see(Filtered), approvals::approvals),
        post(Page, "/approvals", run(Filtered), approvals::ask),
        get(Page, "/approvals/{id}", see(Find::Request), approvals::approval),
        post(Page, "/approvals/{id}/answer", ANSWER, approvals::answer),
        get(Page, "/roles", Rule::Known, roles::roles),
        get(Page, "/about", see(Filtered), about::about),
        get(Page, "/settings", Own, settings::settings),
        post(Page, "/settings/password", Own, security::password::change),
        post(Page, "/settings/sessions/end", Own, security::sessions::end),
        post(Page, "/settings/sessions/end-others", Own, security::sessions::end_others),
        post(Page, "/settings/tokens", Own, settings::make_token),
        post(Page, "/settings/tokens/{id}/revoke", Own, settings::revoke_token),
        post(Page, "/settings/users/{id}/reset", ADMINISTER, installation::reset),
        get(Page, "/trail", SEE_TRAIL, trail::trail),
        get(Page, "/trail/export", SEE_TRAIL, trail::export),
        // The way in cannot ask for a log-in; failed tries are slowed down.
        get(Page, "/login", Public, login::login),
        post(Page, "/login", Public, login::log_in),
        // Whoever has the one-time link may use it, once.
        get(Page, "/setup/{token}", Public, entry::setup),
        post(Page, "/setup/{token}", Public, entry::set_up),
        // Ending one's session needs no permission; without one there is nothing to end.
        post(Page, "/logout", Public, entry::log_out),
        // Sets two cookies of the caller's own browser.
        post(Page, "/preferences", Public, entry::preferences),
    ]
}

/// Dashboards of plans, which look at one system each.
fn dashboards() -> Vec<Route> {
    use Surface::Page;
    vec![
        get(Page, "/dashboards", see(Find::Filtered), dashboards::list),
        get(Page, "/dashboards/{system}/{id}", see(Find::System), dashboards::dashboard),
        get(Page, "/dashboards/{system}/{id}/panels/{number}", see(Find::System), dashboards::panel),
    ]
}

/// Steps of a log-in and one's own ways to prove who one is.
fn log_in() -> Vec<Route> {
    use Rule::{Own, Public};
    use Surface::Page;
    vec![
        // Second steps of a log-in: each needs what the first one gave the browser.
        get(Page, "/login/code", Public, login::code::code),
        post(Page, "/login/code", Public, login::code::give_code),
        post(Page, "/login/passkey/begin", Public, login::passkey::begin),
        post(Page, "/login/passkey", Public, login::passkey::finish),
        get(Page, "/login/provider/{provider}", Public, login::provider::begin),
        get(Page, "/login/provider/{provider}/back", Public, login::provider::finish),
        // Whoever has the sealed code may use it, once; everybody hears of it.
        get(Page, "/login/sealed", Public, login::sealed::sealed),
        post(Page, "/login/sealed", Public, login::sealed::open),
        get(Page, "/confirm", Own, confirm::confirm),
        post(Page, "/confirm", Own, confirm::prove),
        post(Page, "/confirm/passkey/begin", Own, confirm::begin_passkey),
        post(Page, "/confirm/passkey", Own, confirm::prove_by_passkey),
        get(Page, "/confirm/provider/{provider}", Own, login::provider::prove),
        get(Page, "/settings/security", Own, security::security),
        post(Page, "/settings/security/codes/begin", Own, security::codes::begin),
        post(Page, "/settings/security/codes", Own, security::codes::confirm),
        post(Page, "/settings/security/codes/remove", Own, security::codes::remove),
        post(Page, "/settings/security/recovery", Own, security::codes::renew),
        post(Page, "/settings/security/passkeys/begin", Own, security::passkeys::begin),
        post(Page, "/settings/security/passkeys", Own, security::passkeys::finish),
        post(Page, "/settings/security/passkeys/{id}/remove", Own, security::passkeys::remove),
        get(Page, "/settings/security/provider/{provider}", Own, login::provider::link),
        post(Page, "/settings/security/unlink", Own, security::passkeys::unlink),
        get(Page, "/settings/installation", ADMINISTER, installation::installation),
        post(Page, "/settings/installation", ADMINISTER, installation::save),
        post(Page, "/settings/installation/seal", ADMINISTER, installation::seal),
        post(Page, "/settings/installation/sessions/end", ADMINISTER, installation::end_session),
    ]
}

/// Pages over series; what is on them is what whoever asks may see.
fn metric_pages() -> Vec<Route> {
    use Find::{Filtered, Platform};
    use Surface::Page;
    vec![
        get(Page, "/explore", see(Filtered), metrics::explore_page),
        get(Page, "/graph", see(Filtered), metrics::graph),
        get(Page, "/targets", see(Filtered), metrics::targets_page),
        // It tells of all systems together.
        get(Page, "/cardinality", see(Platform), metrics::cardinality_page),
    ]
}

/// The first-run assistant: it writes a plan, so it is for administrators.
fn assistant() -> Vec<Route> {
    use Surface::Page;
    vec![
        get(Page, "/welcome", ADMINISTER, welcome::begin),
        get(Page, "/welcome/place", ADMINISTER, welcome::place),
        post(Page, "/welcome/place", ADMINISTER, welcome::set_place),
        get(Page, "/welcome/channel", ADMINISTER, welcome::channel::channel),
        post(Page, "/welcome/channel", ADMINISTER, welcome::channel::set_channel),
        get(Page, "/welcome/check", ADMINISTER, welcome::check::check),
        post(Page, "/welcome/check", ADMINISTER, welcome::check::set_check),
        get(Page, "/welcome/done", ADMINISTER, welcome::check::finished),
    ]
}

fn own_api() -> Vec<Route> {
    use Find::{Alert, Component, Filtered, Platform, System};
    use Surface::Api;
    vec![
        get(Api, "/api/openapi.json", Rule::Known, api::openapi::openapi),
        get(Api, "/api/farero/v1/status", see(Filtered), api::status::status),
        get(Api, "/api/farero/v1/me", Rule::Known, api::people::me),
        get(Api, "/api/farero/v1/roles", Rule::Known, api::people::roles),
        post(Api, "/api/farero/v1/backups", ADMINISTER, api::backups::made),
        get(Api, "/api/farero/v1/people", SEE_PEOPLE, api::people::people),
        post(Api, "/api/farero/v1/people", ADMINISTER, api::people::add),
        get(Api, "/api/farero/v1/people/{id}", SEE_PEOPLE, api::people::person),
        post(Api, "/api/farero/v1/people/{id}/enabled", ADMINISTER, api::people::enable),
        post(Api, "/api/farero/v1/people/{id}/grants", GIVE, api::people::give),
        post(Api, "/api/farero/v1/people/{id}/grants/{grant}/take", GIVE, api::people::take),
        get(Api, "/api/farero/v1/teams", SEE_PEOPLE, api::teams::teams),
        post(Api, "/api/farero/v1/teams", ADMINISTER, api::teams::add),
        post(Api, "/api/farero/v1/teams/{id}/remove", ADMINISTER, api::teams::remove),
        post(Api, "/api/farero/v1/teams/{id}/members", ADMINISTER, api::teams::member),
        post(Api, "/api/farero/v1/teams/{id}/grants", GIVE, api::teams::give),
        post(Api, "/api/farero/v1/teams/{id}/grants/{grant}/take", GIVE, api::teams::take),
        get(Api, "/api/farero/v1/approvals", see(Filtered), api::approvals::approvals),
        get(Api, "/api/farero/v1/approvals/{id}", see(Find::Request), api::approvals::approval),
        post(Api, "/api/farero/v1/approvals/{id}/answer", ANSWER, api::approvals::answer),
        post(Api, "/api/farero/v1/systems/{system}/deployments", see(System), api::approvals::deploy),
        get(Api, "/api/farero/v1/systems", see(Filtered), api::systems::systems),
        get(Api, "/api/farero/v1/systems/{system}/overview", see(System), api::systems::overview),
        get(Api, "/api/farero/v1/systems/{system}/kpis", see(System), api::kpis::kpis),
        get(Api, "/api/farero/v1/systems/{system}/dashboards", see(System), api::dashboards::dashboards),
        get(Api, "/api/farero/v1/systems/{system}/dashboards/{id}", see(System), api::dashboards::dashboard),
        get(Api, PANEL_DATA, see(System), api::dashboards::panel),
        get(Api, "/api/farero/v1/systems/{system}/services", see(System), api::systems::services),
        get(Api, "/api/farero/v1/systems/{system}/plan", see(System), api::plan::plan),
        post(Api, "/api/farero/v1/systems/{system}/intensive", run(System), api::systems::intensive),
        post(Api, "/api/farero/v1/systems/{system}/channels/{channel}/test", TEST, api::deliveries::test),
        post(Api, "/api/farero/v1/reload", run(Platform), api::plan::reload),
        get(Api, "/api/farero/v1/checks", see(Filtered), api::checks::checks),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}", see(Component), api::checks::check),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/results", see(Component), api::checks::results),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/uptime", see(Component), api::checks::uptime),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/chart", see(Component), api::checks::chart),
        post(Api, "/api/farero/v1/checks/{system}/{component}/{check}/now", run(Component), api::checks::now),
        get(Api, "/api/farero/v1/alerts", see(Filtered), api::alerts::alerts),
        get(Api, "/api/farero/v1/alerts/{id}", see(Alert), api::alerts::alert),
        post(Api, "/api/farero/v1/alerts/{id}/acknowledge", ACKNOWLEDGE, api::alerts::acknowledge),
        get(Api, "/api/farero/v1/deliveries", SEE_CHANNELS, api::deliveries::deliveries),
        post(Api, "/api/farero/v1/deliveries/confirm/{*key}", CONFIRM, api::deliveries::confirm),
        post(Api, "/api/farero/v1/deliveries/retry/{*key}", RETRY, api::deliveries::retry),
        get(Api, "/api/farero/v1/channels", SEE_CHANNELS, api::deliveries::channels),
        get(Api, "/api/farero/v1/trail", SEE_TRAIL, api::trail::trail),
        get(Api, "/api/farero/v1/trail/export", SEE_TRAIL, api::trail::export),
        get(Api, "/api/farero/v1/trail/key", SEE_TRAIL, api::trail::key),
    ]
}

fn prometheus_api() -> Vec<Route> {
    use Surface::Metrics;
    let mut all = vec![get(Metrics, "/metrics", see(Find::Filtered), api::metrics::metrics)];
    for route in web_prometheus::table() {
        if let Some(rule) = api::prometheus::rule_of(&route) {
            let web_prometheus::Route { method, path, handler, purpose } = route;
            let takes_samples = purpose == web_prometheus::Purpose::Write;
            all.push(Route { method, path, rule, surface: Metrics, handler, of_prometheus: true, takes_samples });
        }
    }
    all
}

fn machines() -> Vec<Route> {
    use Rule::Public;
    use Surface::Machine;
    vec![
        get(Surface::Badge, "/badge/{system}/{file}", see(Find::Component), api::badge::badge),
        // Load balancers and systemd ask these; they tell nothing but yes or no.
        get(Machine, "/-/healthy", Public, api::status::healthy),
        get(Machine, "/-/ready", Public, api::status::ready),
        // The secret in the address is the permission.
        get(Machine, "/ping/{token}", Public, api::ping::success),
        post(Machine, "/ping/{token}", Public, api::ping::success),
        get(Machine, "/ping/{token}/{what}", Public, api::ping::told),
        post(Machine, "/ping/{token}/{what}", Public, api::ping::told),
        get(Surface::Api, "/events", see(Find::Filtered), events::stream),
        // Style sheets, scripts and icons hold nothing of any system.
        get(Machine, "/assets/{bundle}/{*path}", Public, assets::serve),
    ]
}
