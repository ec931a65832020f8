//! What administrators change about people: accounts, teams, grants. Shared by the pages and the API. I/O: state.
//!
//! Whoever administers one system gives and takes grants in that system only; accounts and teams are the platform's.

use decide::access::administrators::{Candidate, is_administrator, some_stay};
use kernel::access::{Grant, Granted, Kind, Object, Role, Scope, Source, Verb};
use kernel::{Language, Timestamp};
use state::{AccountKind, GrantRow, Holder, NewUser, StateError, Team, User};

use crate::answer::Failure;
use crate::app::App;
use crate::approvals;
use crate::auth::{Access, link, password, rights};
use crate::limits;
use crate::pages::entry::is_name;
use crate::pages::login::sealed::ACCOUNT as SEALED;
use crate::pages::visit::Visit;

/// Longest list of names in one grant.
const NAMES_OF_A_GRANT: usize = 100;

/// Most accounts; beyond that an identity provider should hold them.
const ACCOUNTS: usize = 2_000;

/// A grant as people write it in a form: names with commas or spaces between, `*` or nothing for all.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(crate) struct Written {
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) systems: String,
    #[serde(default)]
    pub(crate) environments: String,
    #[serde(default)]
    pub(crate) procedures: String,
    #[serde(default)]
    pub(crate) channels: String,
}

/// Words with commas or spaces between.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n', '\r']).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn scope(text: &str) -> Result<Scope, Failure> {
    let names = words(text);
    if names.len() > NAMES_OF_A_GRANT {
        return Err(Failure::invalid(format!("a grant names at most {NAMES_OF_A_GRANT} things of a kind")));
    }
    Ok(Scope::of_names(names))
}

impl Written {
    /// The grant. Systems must be named, or `*`: nobody gets everything by leaving a field empty.
    pub(crate) fn grant(&self) -> Result<Grant, Failure> {
        let role: Role = self.role.parse().map_err(|e: kernel::access::UnknownWord| Failure::invalid(e.to_string()))?;
        if self.systems.trim().is_empty() {
            return Err(Failure::invalid("name the systems in which the role holds, or write *"));
        }
        Ok(Grant {
            role,
            systems: scope(&self.systems)?,
            environments: scope(&self.environments)?,
            procedures: scope(&self.procedures)?,
            channels: scope(&self.channels)?,
        })
    }
}

/// A grant in words for the trail and for pages.
pub(crate) fn in_words(grant: &Grant, language: Language) -> String {
    let mut out = format!("{} · {}", grant.role.label(language), grant.systems);
    let more = [
        (language.pick("entornos", "environments"), &grant.environments),
        (language.pick("procedimientos", "procedures"), &grant.procedures),
        (language.pick("canales", "channels"), &grant.channels),
    ];
    for (word, scope) in more.into_iter().filter(|(_, s)| !s.is_all()) {
        out.push_str(&format!(" · {word}: {scope}"));
    }
    out
}

/// Where a grant comes from, in words.
pub(crate) fn source_in_words(source: &Source, language: Language) -> String {
    match source {
        Source::Plan { system, to } => format!("{} {system} ({to})", language.pick("plan de", "plan of")),
        Source::Page => language.pick("dado aquí", "given here").to_owned(),
        Source::Team { name } => format!("{} {name}", language.pick("equipo", "team")),
        Source::Group { name } => format!("{} {name}", language.pick("grupo", "group")),
    }
}

/// Whether somebody may give and take a grant: they administer people in each of its systems.
pub(crate) fn may_give(access: &Access, grant: &Grant) -> bool {
    let platform = Object::platform(Kind::People);
    match &grant.systems {
        Scope::All => access.may(Verb::Administer, platform),
        Scope::Only(names) => {
            let may = |name: &String| access.may(Verb::Administer, Object { system: Some(name), ..platform });
            !names.is_empty() && names.iter().all(may)
        }
    }
}

/// What became of a grant that somebody wanted to give.
pub(crate) enum Given {
    /// It holds.
    Now(i64),
    /// The plan wants others to say yes first: the number of the request.
    Waits(i64),
}

/// Gives a grant, or asks for approval where a plan says so.
pub(crate) async fn give(app: &App, visit: &Visit, holder: Holder, grant: Grant) -> Result<Given, Failure> {
    if !may_give(&visit.access, &grant) {
        return Err(Failure::forbidden("you do not administer people in each of these systems"));
    }
    let name = holder_name(app, holder).await?;
    if grant.role == Role::Administrator
        && let Some(request) = approvals::of_administrator(app, visit, holder, &name, &grant).await?
    {
        return Ok(Given::Waits(request));
    }
    store(app, visit, holder, &name, grant).await.map(Given::Now)
}

/// Stores a grant that may be given.
pub(crate) async fn store(app: &App, visit: &Visit, holder: Holder, name: &str, grant: Grant) -> Result<i64, Failure> {
    let now = app.clock.now();
    let kind = if matches!(holder, Holder::User(_)) { "user" } else { "team" };
    let words = in_words(&grant, Language::En);
    let deed = visit.deed(now, "grant.give").on(kind, name).changed("grant", None, Some(&words));
    let by = visit.account();
    app.db(move |s| s.give(holder, &grant, (&by, now), &deed)).await
}

/// The name of an account or team.
pub(crate) async fn holder_name(app: &App, holder: Holder) -> Result<String, Failure> {
    let found = app.db(move |s| match holder {
        Holder::User(id) => Ok(s.user(id)?.map(|u| u.name)),
        Holder::Team(id) => Ok(s.teams()?.into_iter().find(|t| t.id == id).map(|t| t.name)),
    });
    let id = match holder {
        Holder::User(id) | Holder::Team(id) => id,
    };
    found.await?.ok_or_else(|| Failure::not_found(id.to_string()))
}

/// Whether somebody was last active so long ago that it should be asked whether the account is still needed.
pub(crate) fn is_idle(active_at: Timestamp, now: Timestamp) -> bool {
    now.since(active_at) >= limits::IDLE_ACCOUNT
}

/// Stands for an account's own role, which is a grant on all systems without a number.
pub(crate) const ROLE: i64 = 0;

/// Takes an account's own role.
async fn take_role(app: &App, visit: &Visit, id: i64) -> Result<(), Failure> {
    let user = app.db(move |s| s.user(id)).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    let role = Role::parse(&user.role).ok_or_else(|| Failure::not_found(ROLE.to_string()))?;
    let grant = Grant::everywhere(role);
    if !may_give(&visit.access, &grant) {
        return Err(Failure::forbidden("you do not administer people in each of these systems"));
    }
    if is_administrator(&grant) {
        keep_an_administrator(accounts(app).await?, |of, g| of == id && g.source == Source::Page && g.grant == grant)?;
    }
    let words = in_words(&grant, Language::En);
    let deed = visit.deed(app.clock.now(), "grant.take").on("user", &user.name).changed("grant", Some(&words), None);
    app.db(move |s| s.set_account(id, "", user.disabled, &deed)).await.map(|_| ())
}

/// Takes a grant back.
pub(crate) async fn take(app: &App, visit: &Visit, holder: Holder, id: i64) -> Result<(), Failure> {
    if let (Holder::User(user), ROLE) = (holder, id) {
        return take_role(app, visit, user).await;
    }
    let row = app.db(move |s| s.grant(id)).await?.filter(|g| g.holder == holder);
    let row: GrantRow = row.ok_or_else(|| Failure::not_found(id.to_string()))?;
    if !may_give(&visit.access, &row.grant) {
        return Err(Failure::forbidden("you do not administer people in each of these systems"));
    }
    if is_administrator(&row.grant) {
        let team = if let Holder::Team(id) = holder { Some(team(app, id).await?.name) } else { None };
        keep_an_administrator(accounts(app).await?, |id, g| {
            let from_here = match (&holder, &g.source) {
                (Holder::User(user), Source::Page) => *user == id,
                (Holder::Team(_), Source::Team { name }) => Some(name) == team.as_ref(),
                _ => false,
            };
            from_here && g.grant == row.grant
        })?;
    }
    let name = holder_name(app, holder).await?;
    let kind = if matches!(holder, Holder::User(_)) { "user" } else { "team" };
    let words = in_words(&row.grant, Language::En);
    let deed = visit.deed(app.clock.now(), "grant.take").on(kind, &name).changed("grant", Some(&words), None);
    app.db(move |s| s.take_grant(id, &deed)).await.map(|_| ())
}

/// Every account: its number, whether it can log in, and all that it was granted.
async fn accounts(app: &App) -> Result<Vec<(i64, bool, Vec<Granted>)>, Failure> {
    let live = app.live.clone();
    app.db(move |s| {
        let services = s.services()?;
        let one = |u: User| {
            let access = rights::of_account(s, &live, &u)?;
            let enters = !u.disabled && !services.contains(&u.id) && u.name != SEALED && can_prove(s, &u)?;
            Ok((u.id, enters, access.grants().to_vec()))
        };
        s.users()?.into_iter().map(one).collect()
    })
    .await
}

/// Whether an account has anything to log in with. Somebody who was invited and has not come yet has not; the break-glass account
/// is not asked, since it is for emergencies only.
fn can_prove(s: &state::State, user: &User) -> Result<bool, StateError> {
    let password = s.credentials(&user.name)?.is_some_and(|(_, hash)| hash != password::UNUSABLE);
    Ok(password || !s.passkeys(user.id)?.is_empty() || !s.identities(user.id)?.is_empty())
}

/// Whether one of these administers and can log in.
fn has_administrator(accounts: &[(i64, bool, Vec<Granted>)]) -> bool {
    let candidates: Vec<Candidate<'_>> =
        accounts.iter().map(|(id, enters, grants)| Candidate { id: *id, enters: *enters, grants }).collect();
    some_stay(&candidates)
}

/// Refuses what would leave nobody who administers and can log in, where there is somebody now. `lost` tells whether an account
/// would lose a grant.
fn keep_an_administrator(
    mut accounts: Vec<(i64, bool, Vec<Granted>)>,
    lost: impl Fn(i64, &Granted) -> bool,
) -> Result<(), Failure> {
    let before = has_administrator(&accounts);
    for (id, _, granted) in &mut accounts {
        granted.retain(|g| !lost(*id, g));
    }
    if !before || has_administrator(&accounts) {
        return Ok(());
    }
    Err(Failure::refused("nobody would be left who administers and can log in: let somebody else administer first"))
}

/// An account to be made.
pub(crate) struct NewAccount {
    pub(crate) name: String,
    pub(crate) kind: AccountKind,
    pub(crate) language: Language,
    pub(crate) grant: Option<Grant>,
    /// Hours for which the invitation is good.
    pub(crate) hours: Option<u64>,
}

/// An account that was made: its number, and for a person the path of the link to choose a password.
pub(crate) struct Made {
    pub(crate) id: i64,
    pub(crate) link: Option<String>,
}

/// Makes an account.
pub(crate) async fn add(app: &App, visit: &Visit, new: NewAccount) -> Result<Made, Failure> {
    let name = new.name.trim().to_owned();
    if !is_name(&name) {
        return Err(Failure::invalid("a user name has 2 to 64 characters, without spaces at its ends"));
    }
    if new.grant.as_ref().is_some_and(|grant| !may_give(&visit.access, grant)) {
        return Err(Failure::forbidden("you do not administer people in each of these systems"));
    }
    let now = app.clock.now();
    let deed = visit.deed(now, "user.add").on("user", &name).changed("kind", None, Some(new.kind.as_str()));
    let (kind, language, hours, by) = (new.kind, new.language, new.hours, visit.account());
    let wanted =
        NewUser { name: name.clone(), role: String::new(), language, password_hash: password::UNUSABLE.to_owned() };
    let made = app.db(move |s| {
        if s.users()?.len() >= ACCOUNTS {
            return Ok(Err("there are too many accounts; let an identity provider hold them"));
        }
        let id = match s.add_account(&wanted, kind, now, &deed) {
            Ok(id) => id,
            Err(StateError::Taken { .. }) => return Ok(Err("that user name exists already")),
            Err(error) => return Err(error),
        };
        let path = match kind {
            AccountKind::Person => Some(link::choose_password(s, id, &by, link::life_of(hours), now)?),
            AccountKind::Service => None,
        };
        Ok(Ok(Made { id, link: path }))
    });
    let made = made.await?.map_err(Failure::refused)?;
    if let Some(grant) = new.grant {
        give(app, visit, Holder::User(made.id), grant).await?;
    }
    Ok(made)
}

/// Lets an account log in, or not; whoever may not is logged out, and their tokens no longer work.
pub(crate) async fn set_enabled(app: &App, visit: &Visit, id: i64, enabled: bool) -> Result<(), Failure> {
    let user = app.db(move |s| s.user(id)).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    if !enabled {
        keep_an_administrator(accounts(app).await?, |of, _| of == id)?;
    }
    let word = |on: bool| if on { "yes" } else { "no" };
    let deed = visit.deed(app.clock.now(), "user.change").on("user", &user.name);
    let deed = deed.changed("enabled", Some(word(!user.disabled)), Some(word(enabled)));
    app.db(move |s| s.set_account(id, &user.role, !enabled, &deed)).await.map(|_| ())
}

/// A new link to choose a password.
pub(crate) async fn new_link(app: &App, visit: &Visit, id: i64) -> Result<String, Failure> {
    let user = app.db(move |s| s.user(id)).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    if app.db(move |s| s.services()).await?.contains(&id) {
        return Err(Failure::refused("a service account cannot log in; give it a token"));
    }
    let now = app.clock.now();
    let deed = visit.deed(now, "user.invite").on("user", &user.name);
    let by = visit.account();
    app.db(move |s| {
        s.record(&deed)?;
        link::choose_password(s, id, &by, link::life_of(None), now)
    })
    .await
}

/// Makes a team.
pub(crate) async fn add_team(app: &App, visit: &Visit, name: &str) -> Result<i64, Failure> {
    let name = name.trim().to_owned();
    if !is_name(&name) {
        return Err(Failure::invalid("a team's name has 2 to 64 characters, without spaces at its ends"));
    }
    let now = app.clock.now();
    let deed = visit.deed(now, "team.add").on("team", &name);
    let made = app.db(move |s| match s.create_team(&name, now, &deed) {
        Ok(id) => Ok(Some(id)),
        Err(StateError::Taken { .. }) => Ok(None),
        Err(error) => Err(error),
    });
    made.await?.ok_or_else(|| Failure::refused("there is a team of that name already"))
}

/// Takes a team away, with what it was granted.
pub(crate) async fn remove_team(app: &App, visit: &Visit, id: i64) -> Result<(), Failure> {
    let team = team(app, id).await?;
    let by_team = Source::Team { name: team.name.clone() };
    keep_an_administrator(accounts(app).await?, |_, g| g.source == by_team)?;
    let deed = visit.deed(app.clock.now(), "team.remove").on("team", &team.name);
    app.db(move |s| s.remove_team(id, &deed)).await.map(|_| ())
}

/// A team by its number.
pub(crate) async fn team(app: &App, id: i64) -> Result<Team, Failure> {
    let teams = app.db(|s| s.teams()).await?;
    teams.into_iter().find(|t| t.id == id).ok_or_else(|| Failure::not_found(id.to_string()))
}

/// Takes an account into a team, or out of it.
pub(crate) async fn set_member(app: &App, visit: &Visit, id: i64, user: i64, member: bool) -> Result<(), Failure> {
    let team = team(app, id).await?;
    let name = holder_name(app, Holder::User(user)).await?;
    if !member {
        let by_team = Source::Team { name: team.name.clone() };
        keep_an_administrator(accounts(app).await?, |of, g| of == user && g.source == by_team)?;
    }
    let deed = visit.deed(app.clock.now(), "team.change").on("team", &team.name);
    let deed =
        if member { deed.changed("member", None, Some(&name)) } else { deed.changed("member", Some(&name), None) };
    app.db(move |s| s.set_member(id, user, member, &deed)).await.map(|_| ())
}
