//! The table of roles, made from the table that decides. I/O: HTTP.

use askama::Template;
use axum::extract::State;
use decide::access::page as table;
use kernel::access::{Kind, Role, Verb};

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, page};
use crate::app::App;
use crate::text::text;

/// A role, its name, and what it may do by the kind of thing.
type Row = (Role, &'static str, Vec<(&'static str, String)>);

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    f: Frame,
    kinds: Vec<&'static str>,
    rows: Vec<Row>,
    verbs: Vec<(&'static str, &'static str)>,
}

/// `GET /roles`
pub(crate) async fn roles(State(app): State<App>, visit: Visit) -> Answer {
    let language = visit.language;
    let row = |role: &Role| {
        let cells = Kind::ALL.iter().map(|k| (k.label(language), table::cell(*role, *k, language)));
        (*role, role.label(language), cells.collect())
    };
    Ok(page(&RolesPage {
        kinds: Kind::ALL.iter().map(|k| k.label(language)).collect(),
        rows: Role::ALL.iter().map(row).collect(),
        verbs: Verb::ALL.iter().map(|v| (v.label(language), table::meaning(*v, language))).collect(),
        f: Frame::new(&app, &visit, Nav::Roles, text(language).people.roles_title),
    }))
}
