//! The OpenAPI document, generated from the handlers themselves. Pure.

use axum::Json;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problems::Problems;
use super::{
    alerts, approvals, backups, checks, dashboards, deliveries, kpis, people, plan, status, systems, teams, trail,
};

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Farero", description = "What Farero watches, decides and sends. Errors are problem documents (RFC 9457).", license(name = "Apache-2.0")),
    paths(
        systems::systems, systems::overview, kpis::kpis, systems::services, systems::intensive,
        dashboards::dashboards, dashboards::dashboard, dashboards::panel,
        checks::checks, checks::check, checks::results, checks::uptime, checks::chart, checks::now,
        alerts::alerts, alerts::alert, alerts::acknowledge,
        deliveries::deliveries, deliveries::confirm, deliveries::retry, deliveries::channels, deliveries::test,
        plan::plan, plan::reload,
        trail::trail, trail::export, trail::key, backups::made,
        status::status,
        people::people, people::person, people::add, people::enable, people::give, people::take,
        people::roles, people::me,
        teams::teams, teams::add, teams::remove, teams::member, teams::give, teams::take,
        approvals::approvals, approvals::approval, approvals::answer, approvals::deploy,
    ),
    components(schemas(crate::answer::Problem)),
    security(("token" = [])),
    modifiers(&Bearer, &Problems),
)]
struct Api;

/// The document.
pub(crate) fn document() -> Document {
    Api::openapi()
}

/// `GET /api/openapi.json`
pub(crate) async fn openapi() -> Json<Document> {
    Json(document())
}
