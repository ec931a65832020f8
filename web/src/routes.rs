//! The one table of routes: method, path, needed permission, handler. The router is built from it and from nothing else,
//! so a route without a permission cannot exist. Pure.

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use crate::app::App;
use crate::auth::guard::{Guard, guard};
use crate::{assets, events, pages};

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

/// One route.
pub struct Route {
    /// HTTP method; `GET` answers `HEAD` too.
    pub method: Method,
    /// Path as axum writes it.
    pub path: &'static str,
    /// Who may.
    pub permission: Permission,
    handler: MethodRouter<App>,
}

impl Route {
    fn new<H, T>(method: Method, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self { method, path, permission, handler: on(filter, handler) }
    }

    /// The handler behind its guard.
    pub(crate) fn into_guarded(self, app: &App) -> MethodRouter<App> {
        let state = Guard { app: app.clone(), permission: self.permission };
        self.handler.route_layer(from_fn_with_state(state, guard))
    }
}

fn get<H: Handler<T, App>, T: 'static>(path: &'static str, permission: Permission, handler: H) -> Route {
    Route::new(Method::GET, path, permission, handler)
}

/// Every route of the web.
pub fn table() -> Vec<Route> {
    use Permission::{Public, Read};
    vec![
        // Style sheets, scripts and icons hold nothing of any system.
        get("/assets/{bundle}/{*path}", Public, assets::serve),
        get("/", Read, pages::overview::overview),
        get("/s/{system}", Read, pages::overview::system),
        get("/events", Read, events::stream),
    ]
}
