//! The one table of routes: method, path, needed permission, handler. The router is built from it and from nothing else,
//! so a route without a permission cannot exist. Pure.

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use crate::app::App;
use crate::auth::guard::{Guard, guard};
use crate::pages::{
    about, alerts, channels, check, deliveries, entry, intensive, overview, plan, rules, settings, users,
};
use crate::{api, assets, events};

/// What someone must be allowed to do; each includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Nothing: anyone may. Every such route says beside it why.
    Public,
    /// See what is watched.
    Read,
    /// Acknowledge, confirm, test, switch.
    Operate,
    /// Change who may do what.
    Administer,
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
    pub permission: Permission,
    /// For whom.
    pub surface: Surface,
    handler: MethodRouter<App>,
}

impl Route {
    fn new<H, T>(method: Method, surface: Surface, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self { method, path, permission, surface, handler: on(filter, handler) }
    }

    /// The handler behind its guard.
    pub(crate) fn into_guarded(self, app: &App) -> MethodRouter<App> {
        let state = Guard { app: app.clone(), permission: self.permission, surface: self.surface };
        self.handler.route_layer(from_fn_with_state(state, guard))
    }
}

fn get<H: Handler<T, App>, T: 'static>(s: Surface, path: &'static str, p: Permission, handler: H) -> Route {
    Route::new(Method::GET, s, path, p, handler)
}

fn post<H: Handler<T, App>, T: 'static>(s: Surface, path: &'static str, p: Permission, handler: H) -> Route {
    Route::new(Method::POST, s, path, p, handler)
}

/// Every route of the web.
pub fn table() -> Vec<Route> {
    let mut all = pages();
    all.extend(own_api());
    all.extend(prometheus_api());
    all.extend(machines());
    all
}

fn pages() -> Vec<Route> {
    use Permission::{Administer, Operate, Public, Read};
    use Surface::Page;
    vec![
        get(Page, "/", Read, overview::overview),
        get(Page, "/s/{system}", Read, overview::system),
        post(Page, "/s/{system}/intensive", Operate, intensive::switch),
        get(Page, "/s/{system}/{component}/{check}", Read, check::check),
        post(Page, "/s/{system}/{component}/{check}/now", Operate, check::check_now),
        get(Page, "/alerts", Read, alerts::alerts),
        get(Page, "/alerts/{id}", Read, alerts::alert),
        post(Page, "/alerts/{id}/acknowledge", Operate, alerts::acknowledge),
        get(Page, "/deliveries", Read, deliveries::deliveries),
        get(Page, "/deliveries/{*key}", Read, deliveries::delivery),
        post(Page, "/deliveries/confirm/{*key}", Operate, deliveries::confirm),
        post(Page, "/deliveries/retry/{*key}", Operate, deliveries::retry),
        get(Page, "/channels", Read, channels::channels),
        post(Page, "/channels/{system}/{channel}/test", Operate, channels::test),
        get(Page, "/plan", Read, plan::first),
        get(Page, "/plan/{system}", Read, plan::plan),
        get(Page, "/plan/{system}/documents/{*path}", Read, plan::document),
        post(Page, "/plan/{system}/reload", Operate, plan::reload),
        get(Page, "/rules", Read, rules::rules),
        get(Page, "/about", Read, about::about),
        get(Page, "/settings", Read, settings::settings),
        post(Page, "/settings/password", Read, settings::change_password),
        post(Page, "/settings/sessions/end", Read, settings::end_session),
        post(Page, "/settings/tokens", Read, settings::make_token),
        post(Page, "/settings/tokens/{id}/revoke", Read, settings::revoke_token),
        post(Page, "/settings/users", Administer, users::add),
        post(Page, "/settings/users/{id}", Administer, users::change),
        post(Page, "/settings/users/{id}/link", Administer, users::new_link),
        // The way in cannot ask for a log-in; failed tries are slowed down.
        get(Page, "/login", Public, entry::login),
        post(Page, "/login", Public, entry::log_in),
        // Whoever has the one-time link may use it, once.
        get(Page, "/setup/{token}", Public, entry::setup),
        post(Page, "/setup/{token}", Public, entry::set_up),
        // Ending one's session needs no permission; without one there is nothing to end.
        post(Page, "/logout", Public, entry::log_out),
        // Sets two cookies of the caller's own browser.
        post(Page, "/preferences", Public, entry::preferences),
    ]
}

fn own_api() -> Vec<Route> {
    use Permission::{Operate, Read};
    use Surface::Api;
    vec![
        get(Api, "/api/openapi.json", Read, api::openapi::openapi),
        get(Api, "/api/farero/v1/status", Read, api::status::status),
        get(Api, "/api/farero/v1/systems", Read, api::systems::systems),
        get(Api, "/api/farero/v1/systems/{system}/overview", Read, api::systems::overview),
        get(Api, "/api/farero/v1/systems/{system}/services", Read, api::systems::services),
        get(Api, "/api/farero/v1/systems/{system}/plan", Read, api::plan::plan),
        post(Api, "/api/farero/v1/systems/{system}/intensive", Operate, api::systems::intensive),
        post(Api, "/api/farero/v1/systems/{system}/channels/{channel}/test", Operate, api::deliveries::test),
        post(Api, "/api/farero/v1/reload", Operate, api::plan::reload),
        get(Api, "/api/farero/v1/checks", Read, api::checks::checks),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}", Read, api::checks::check),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/results", Read, api::checks::results),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/uptime", Read, api::checks::uptime),
        get(Api, "/api/farero/v1/checks/{system}/{component}/{check}/chart", Read, api::checks::chart),
        post(Api, "/api/farero/v1/checks/{system}/{component}/{check}/now", Operate, api::checks::now),
        get(Api, "/api/farero/v1/alerts", Read, api::alerts::alerts),
        get(Api, "/api/farero/v1/alerts/{id}", Read, api::alerts::alert),
        post(Api, "/api/farero/v1/alerts/{id}/acknowledge", Operate, api::alerts::acknowledge),
        get(Api, "/api/farero/v1/deliveries", Read, api::deliveries::deliveries),
        post(Api, "/api/farero/v1/deliveries/confirm/{*key}", Operate, api::deliveries::confirm),
        post(Api, "/api/farero/v1/deliveries/retry/{*key}", Operate, api::deliveries::retry),
        get(Api, "/api/farero/v1/channels", Read, api::deliveries::channels),
    ]
}

fn prometheus_api() -> Vec<Route> {
    use Permission::Read;
    use Surface::Metrics;
    use api::prometheus as p;
    vec![
        get(Metrics, "/metrics", Read, api::metrics::metrics),
        get(Metrics, "/api/v1/query", Read, p::query),
        post(Metrics, "/api/v1/query", Read, p::query),
        get(Metrics, "/api/v1/query_range", Read, p::query_range),
        post(Metrics, "/api/v1/query_range", Read, p::query_range),
        get(Metrics, "/api/v1/labels", Read, p::labels),
        post(Metrics, "/api/v1/labels", Read, p::labels),
        get(Metrics, "/api/v1/label/{name}/values", Read, p::label_values),
        get(Metrics, "/api/v1/series", Read, p::series),
        post(Metrics, "/api/v1/series", Read, p::series),
        get(Metrics, "/api/v1/rules", Read, p::rules),
        get(Metrics, "/api/v1/alerts", Read, p::alerts),
        get(Metrics, "/api/v1/status/buildinfo", Read, p::build_info),
    ]
}

fn machines() -> Vec<Route> {
    use Permission::{Public, Read};
    use Surface::Machine;
    vec![
        get(Surface::Badge, "/badge/{system}/{file}", Read, api::badge::badge),
        // Load balancers and systemd ask these; they tell nothing but yes or no.
        get(Machine, "/-/healthy", Public, api::status::healthy),
        get(Machine, "/-/ready", Public, api::status::ready),
        // The secret in the address is the permission.
        get(Machine, "/ping/{token}", Public, api::ping::success),
        post(Machine, "/ping/{token}", Public, api::ping::success),
        get(Machine, "/ping/{token}/{what}", Public, api::ping::told),
        post(Machine, "/ping/{token}/{what}", Public, api::ping::told),
        get(Surface::Api, "/events", Read, events::stream),
        // Style sheets, scripts and icons hold nothing of any system.
        get(Machine, "/assets/{bundle}/{*path}", Public, assets::serve),
    ]
}
