//! Requests for approval: asking, answering, and what follows. How a request stands is decided by `decide::access::approval`.
//! I/O: state, the loops.

use decide::access::{ApprovalRule, Standing, Vote, decide_standing, decide_vote};
use kernel::access::{Grant, Kind, Object, Request, Verb};
use kernel::{Language, Timestamp};
use plan_model::{ApprovalOf, Plan};
use serde::{Deserialize, Serialize};
use state::{Approval, ApprovalFilter, Holder, NewApproval};

use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::limits::NOTE_LONGEST;
use crate::pages::visit::Visit;
use crate::people;

/// How long a request waits when the plan does not say: over a weekend and a short holiday.
pub const WAITS: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

/// Longest subject of a request: a version, a tag, a hash.
const SUBJECT_LONGEST: usize = 200;

/// Longest description of what would change.
const DETAILS_LONGEST: usize = 20_000;

/// The rule of a plan as it is kept with a request: a later plan does not change what an older request needs.
pub fn rule_of(approval: &plan_model::Approval) -> ApprovalRule {
    ApprovalRule { need: approval.need, four_eyes: approval.four_eyes, by: approval.by.clone() }
}

/// A request, read.
pub(crate) struct Read {
    pub(crate) id: i64,
    pub(crate) asked: NewApproval,
    pub(crate) rule: ApprovalRule,
    pub(crate) votes: Vec<Vote>,
    pub(crate) standing: Standing,
    /// When it was decided.
    pub(crate) decided_at: Option<Timestamp>,
}

impl Read {
    fn new(stored: Approval, now: Timestamp) -> Self {
        // A rule that cannot be read asks for more people than there are: nothing passes by a mistake.
        let unreadable = ApprovalRule { need: u32::MAX, four_eyes: true, by: Vec::new() };
        let rule: ApprovalRule = serde_json::from_str(&stored.asked.rule).unwrap_or(unreadable);
        let vote = |(by, at, yes, note)| Vote { by, at, yes, note };
        let votes: Vec<Vote> = stored.votes.into_iter().map(vote).collect();
        let standing = match Standing::parse(&stored.standing) {
            Some(decided) if decided != Standing::Waiting => decided,
            _ => decide_standing(&rule, &stored.asked.requested_by, &votes, stored.asked.expires_at, now),
        };
        Self { id: stored.id, asked: stored.asked, rule, votes, standing, decided_at: stored.decided_at }
    }

    /// What it is about, for the decision on access.
    pub(crate) fn object(&self) -> Object<'_> {
        let kind = if self.asked.what == ApprovalOf::Administrator.as_str() { Kind::People } else { Kind::System };
        let environment = Some(self.asked.environment.as_str()).filter(|e| !e.is_empty());
        let environment = if kind == Kind::People { None } else { environment };
        Object { kind, system: Some(&self.asked.system), environment, name: None }
    }

    /// Whether somebody may say yes or no to it.
    pub(crate) fn may_answer(&self, visit: &Visit) -> Result<(), String> {
        let request = Request::new(Verb::Approve, self.object());
        visit.access.decide(&request, &[]).map_err(|d| d.text(visit.language))?;
        let voter = visit.account();
        let names: Vec<&str> = visit.access.names_in(&self.asked.system).collect();
        let people = (self.asked.requested_by.as_str(), voter.as_str());
        decide_vote(&self.rule, people, &self.votes, self.standing, |name| names.contains(&name))
            .map_err(|why| why.text(visit.language).to_owned())
    }
}

/// Whether somebody sees a request: they see its system.
fn sees(app: &App, access: &Access, asked: &NewApproval) -> bool {
    access.sees_all() || access.seen(app).system(&asked.system, |_| ()).is_some()
}

/// Requests, newest first, of the systems that are seen.
pub(crate) async fn list(app: &App, access: &Access, waiting: bool, limit: usize) -> Result<Vec<Read>, Failure> {
    let filter = ApprovalFilter { system: None, waiting: false, limit: crate::api::MOST_ROWS };
    let (now, all) = (app.clock.now(), app.db(move |s| s.approvals(&filter)).await?);
    let seen = all.into_iter().filter(|a| sees(app, access, &a.asked)).map(|a| Read::new(a, now));
    Ok(seen.filter(|r| !waiting || r.standing == Standing::Waiting).take(limit).collect())
}

/// One request.
pub(crate) async fn one(app: &App, id: i64) -> Result<Option<Read>, Failure> {
    let (now, found) = (app.clock.now(), app.db(move |s| s.approval(id)).await?);
    Ok(found.map(|a| Read::new(a, now)))
}

/// What is carried out when somebody may become administrator.
#[derive(Serialize, Deserialize)]
struct Administrator {
    user: Option<i64>,
    team: Option<i64>,
    name: String,
    grant: Grant,
}

/// Asks for approval of an administrator where the plan of a system concerned says so: the number of the request.
pub(crate) async fn of_administrator(
    app: &App,
    visit: &Visit,
    holder: Holder,
    name: &str,
    grant: &Grant,
) -> Result<Option<i64>, Failure> {
    let concerned = |plan: &Plan| grant.systems.has(Some(&plan.system));
    let rules = app.live.systems(|s| {
        let rule = s.plan().approval(ApprovalOf::Administrator, s.environment()).filter(|_| concerned(s.plan()));
        rule.map(|r| (s.name().to_owned(), s.environment().unwrap_or_default().to_owned(), r.clone()))
    });
    // Of several systems the one that asks for the most people speaks for all.
    let Some((system, environment, approval)) = rules.into_iter().flatten().max_by_key(|(_, _, r)| r.need) else {
        return Ok(None);
    };
    let (user, team) = match holder {
        Holder::User(id) => (Some(id), None),
        Holder::Team(id) => (None, Some(id)),
    };
    let payload = Administrator { user, team, name: name.to_owned(), grant: grant.clone() };
    let wanted = Wanted {
        what: ApprovalOf::Administrator,
        system,
        environment,
        subject: format!("{name}: {}", grant.systems),
        details: format!("{name} → {}", people::in_words(grant, Language::En)),
        payload: serde_json::to_string(&payload).unwrap_or_default(),
    };
    ask(app, visit, wanted, &approval).await.map(Some)
}

/// A request to be asked.
pub(crate) struct Wanted {
    pub(crate) what: ApprovalOf,
    pub(crate) system: String,
    pub(crate) environment: String,
    pub(crate) subject: String,
    pub(crate) details: String,
    pub(crate) payload: String,
}

/// Asks for approval by a plan's rule; returns the request's number.
pub(crate) async fn ask(
    app: &App,
    visit: &Visit,
    wanted: Wanted,
    approval: &plan_model::Approval,
) -> Result<i64, Failure> {
    let now = app.clock.now();
    let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
    let subject = cut(wanted.subject, SUBJECT_LONGEST);
    let deed = visit
        .deed(now, "approval.ask")
        .on(wanted.what.as_str(), &subject)
        .in_system(&wanted.system)
        .in_environment(&wanted.environment);
    let new = NewApproval {
        what: wanted.what.as_str().to_owned(),
        system: wanted.system,
        environment: wanted.environment,
        subject,
        details: cut(wanted.details, DETAILS_LONGEST),
        payload: wanted.payload,
        rule: serde_json::to_string(&rule_of(approval)).unwrap_or_default(),
        requested_by: visit.account(),
        requested_at: now,
        expires_at: now + approval.within.map_or(WAITS, |d| d.std()),
    };
    app.db(move |s| s.ask_approval(&new, &deed)).await.map(|(id, _)| id)
}

/// Asks that something may be deployed; who may ask is whoever may have things done in that environment.
pub(crate) async fn of_deployment(
    app: &App,
    visit: &Visit,
    (system, environment): (&str, &str),
    (subject, details): (&str, &str),
) -> Result<i64, Failure> {
    let subject = subject.trim();
    if subject.is_empty() {
        return Err(Failure::invalid("say what is to be deployed: a version, a tag, a commit"));
    }
    let wanted = Some(environment).filter(|e| !e.is_empty());
    let object = Object { kind: Kind::System, system: Some(system), environment: wanted, name: None };
    visit
        .access
        .decide(&Request::new(Verb::Run, object), &[])
        .map_err(|d| Failure::forbidden(d.text(visit.language)))?;
    let rule = visit.seen(app).system(system, |s| {
        let known = wanted.is_none_or(|e| s.plan().environments.contains_key(e));
        known.then(|| s.plan().approval(ApprovalOf::Deployment, wanted).cloned())
    });
    let rule = rule.ok_or_else(|| Failure::not_found(system))?;
    let rule = rule.ok_or_else(|| Failure::invalid(format!("the plan has no environment `{environment}`")))?;
    let rule = rule.ok_or_else(|| Failure::refused("the plan asks for no approval there: deploy"))?;
    let wanted = Wanted {
        what: ApprovalOf::Deployment,
        system: system.to_owned(),
        environment: environment.to_owned(),
        subject: subject.to_owned(),
        details: details.trim().to_owned(),
        payload: String::new(),
    };
    ask(app, visit, wanted, &rule).await
}

/// Says yes or no to a request, and carries out what follows from it; gives how it stands then.
pub(crate) async fn answer(app: &App, visit: &Visit, id: i64, yes: bool, note: &str) -> Result<Standing, Failure> {
    let read = one(app, id).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    read.may_answer(visit).map_err(Failure::refused)?;
    let now = app.clock.now();
    let note: String = note.trim().chars().take(NOTE_LONGEST).collect();
    let deed = |action: &str| {
        let deed = visit.deed(now, action).on(&read.asked.what, &read.asked.subject);
        deed.in_system(&read.asked.system).in_environment(&read.asked.environment).saying(&note)
    };
    let (voter, told, said) = (visit.account(), deed(if yes { "approval.yes" } else { "approval.no" }), note.clone());
    if !app.db(move |s| s.vote(id, (&voter, yes, &said), now, &told)).await? {
        return Err(Failure::refused("the request was answered or decided a moment ago"));
    }
    let after = one(app, id).await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    if after.standing == Standing::Waiting {
        return Ok(Standing::Waiting);
    }
    let (standing, told) = (after.standing, deed("approval.decide").set("standing", after.standing.as_str()));
    let is_plan = ApprovalOf::parse(&after.asked.what) == Some(ApprovalOf::Plan);
    if app.db(move |s| s.decide_approval(id, standing.as_str(), now, &told)).await? {
        match standing {
            Standing::Approved => carry_out(app, visit, &after.asked).await?,
            // Read again too, so that its page says that it was refused and no longer that it waits.
            Standing::Rejected if is_plan => app.control.reload().await?,
            _ => {}
        }
    }
    Ok(standing)
}

/// Does what was approved. A plan is put in use by the loop that reads plans, which looks for the approval itself.
async fn carry_out(app: &App, visit: &Visit, asked: &NewApproval) -> Result<(), Failure> {
    match ApprovalOf::parse(&asked.what) {
        Some(ApprovalOf::Plan) => Ok(app.control.reload().await?),
        Some(ApprovalOf::Administrator) => {
            let read: Result<Administrator, _> = serde_json::from_str(&asked.payload);
            let wanted = read.map_err(|e| Failure::internal("read what was approved", e))?;
            let holder = match (wanted.user, wanted.team) {
                (Some(id), _) => Holder::User(id),
                (None, Some(id)) => Holder::Team(id),
                (None, None) => return Err(Failure::internal("read what was approved", "it names nobody")),
            };
            people::store(app, visit, holder, &wanted.name, wanted.grant).await.map(|_| ())
        }
        Some(ApprovalOf::Deployment) | None => Ok(()),
    }
}
