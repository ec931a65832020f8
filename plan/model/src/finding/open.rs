//! `open-parameter`: a parameter without a value that something needs (PLN-10). Pure.
//!
//! ```yaml
//! parameters:
//!   gemini_url: { meaning: Dirección de Gemini que responde sin gastar cuota. }
//! services:
//!   gemini: { check: { http: "${param:gemini_url}" } }
//! ```

use plan_syntax::Diagnostic;

use super::{Advise, Review, names};

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let needed = review.loaded.open_parameters.iter().filter(|p| p.needed);
    let mut out: Vec<Diagnostic> = needed
        .map(|p| {
            let (en, es) = names(p.waiting.iter().map(String::as_str));
            review
                .finding(
                    "open-parameter",
                    &format!("parameters.{}", p.name),
                    format!("the parameter `{}` has no value; without it these do not count: {en}", p.name),
                    format!("el parámetro `{}` no tiene valor; sin él no cuentan: {es}", p.name),
                )
                .advise(format!("set `value:` here: {}", p.meaning), format!("ponga `value:` aquí: {}", p.meaning))
        })
        .collect();
    let idle: Vec<&str> =
        review.loaded.open_parameters.iter().filter(|p| p.waiting.is_empty()).map(|p| p.name.as_str()).collect();
    if let [first, ..] = idle.as_slice() {
        let path = format!("parameters.{first}");
        let (en, es) = names(idle.iter().copied());
        let en = format!("open values that nothing waits for yet: {en}");
        let es = format!("valores abiertos que nada espera todavía: {es}");
        out.push(review.finding("open-parameter-idle", &path, en, es));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn pln_10_open_values_are_listed_with_what_waits() {
        let plan = "parameters:\n  u: {meaning: x}\n  v: {meaning: y}\n  w: {meaning: z}\n\
                    services: {a: {check: {http: '${param:u}'}}, b: {state: optional, check: {http: '${param:v}'}}}\n";
        check(
            "open-parameter",
            plan,
            &["2: the parameter `u` has no value; without it these do not count: `services.a.check`"],
        );
        check("open-parameter-idle", plan, &["4: open values that nothing waits for yet: `w`"]);
    }
}
