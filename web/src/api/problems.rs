//! What any endpoint may answer when it does not do what was asked, written into the OpenAPI document once for all. Pure.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};

/// Adds the problem documents that limits, the guard and the reading of a request give.
pub(super) struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        for item in document.paths.paths.values_mut() {
            let reads = [&mut item.get, &mut item.head];
            let changes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            reads.into_iter().flatten().for_each(|operation| add(operation, false));
            changes.into_iter().flatten().for_each(|operation| add(operation, true));
        }
    }
}

fn add(operation: &mut Operation, changes: bool) {
    // What an endpoint names itself keeps its words; every failure leaves as a problem document.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            response.content = problem("").content;
        }
    }
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let in_path = parameters.iter().any(|p| matches!(p, RefOr::T(p) if p.parameter_in == ParameterIn::Path));
    let given = operation.request_body.is_some() || !parameters.is_empty();
    let all: [(bool, &str, &str); 11] = [
        (given, "400", "The request makes no sense; the detail says what is wrong with it."),
        (true, "401", "Nobody is logged in, or the token is not good."),
        (true, "403", "This is not allowed; also when a browser sent it from another site."),
        (in_path, "404", "There is no such thing, or it may not be seen."),
        (changes, "409", "It was tried and did not work; the detail says why."),
        (true, "408", "The request took too long to come."),
        (true, "413", "The request is too large."),
        (true, "421", "This Farero does not answer under that name."),
        (changes, "422", "The request is well formed and cannot be done."),
        (true, "429", "Too many requests; `Retry-After` says when to come back."),
        (true, "503", "Too much is being done; come back later."),
    ];
    for (_, status, description) in all.into_iter().filter(|(may_be, ..)| *may_be) {
        let known = operation.responses.responses.contains_key(status);
        if !known {
            operation.responses.responses.insert(status.to_owned(), RefOr::T(problem(description)));
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}
