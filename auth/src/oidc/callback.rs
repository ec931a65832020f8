//! What the browser brings back from the provider. Pure.

use url::form_urlencoded;

use super::{Ceremony, OidcError};
use crate::same;

/// Characters of one value that are read; codes of large providers have about two thousand.
const VALUE_BYTES: usize = 8 * 1_024;

/// The answer in the address (RFC 6749, 4.1.2; RFC 9207).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callback {
    /// The code to exchange.
    pub code: Option<String>,
    /// What was sent along.
    pub state: Option<String>,
    /// Who answers.
    pub issuer: Option<String>,
    /// Why not.
    pub error: Option<String>,
    /// Why not, in a sentence.
    pub description: Option<String>,
}

impl Callback {
    /// Reads the query of the address. A value that comes twice makes all of it void: one of the two is forged.
    pub fn read(query: &str) -> Option<Self> {
        let mut out = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut out.code,
                "state" => &mut out.state,
                "iss" => &mut out.issuer,
                "error" => &mut out.error,
                "error_description" => &mut out.description,
                _ => continue,
            };
            if place.is_some() || value.len() > VALUE_BYTES {
                return None;
            }
            *place = Some(value.chars().filter(|c| !c.is_control()).collect());
        }
        Some(out)
    }

    /// The code, once it is clear that the answer belongs to the question: the state is this browser's, and the issuer, where it
    /// is told (or must be), is the one that was asked.
    ///
    /// # Errors
    /// It does not belong, or the provider refused.
    pub fn code_for(&self, ceremony: &Ceremony, issuer: &str, issuer_is_told: bool) -> Result<&str, OidcError> {
        let state = self.state.as_deref().unwrap_or_default();
        if !same(state.as_bytes(), ceremony.state.as_bytes()) {
            return Err(OidcError::Foreign("its state is another one"));
        }
        match &self.issuer {
            Some(told) if told != issuer => return Err(OidcError::Foreign("another provider sent it")),
            None if issuer_is_told => return Err(OidcError::Foreign("it does not say which provider sent it")),
            _ => {}
        }
        if let Some(error) = &self.error {
            return Err(OidcError::Refused { error: error.clone(), description: self.description.clone() });
        }
        self.code.as_deref().filter(|c| !c.is_empty()).ok_or(OidcError::Foreign("it holds no code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceremony() -> Ceremony {
        let text = |t: &str| t.to_owned();
        Ceremony { provider: text("x"), state: text("s"), nonce: text("n"), verifier: text("v"), redirect: text("r") }
    }

    #[test]
    fn sec_12_an_answer_must_belong_to_the_question() {
        let check = |query: &str, told: bool, expect: Result<&str, &str>| {
            let Some(callback) = Callback::read(query) else { return assert_eq!(expect, Err("void"), "{query}") };
            match (callback.code_for(&ceremony(), "https://id", told), expect) {
                (Ok(code), Ok(expect)) => assert_eq!(code, expect),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{query}: {error}"),
                (got, _) => panic!("{query}: {got:?}"),
            }
        };
        check("code=a%20b&state=s", false, Ok("a b"));
        check("code=a&state=s&iss=https%3A%2F%2Fid&extra=1", true, Ok("a"));
        check("code=a&state=t", false, Err("state"));
        check("code=a", false, Err("state"));
        check("code=a&state=s&iss=https://evil", false, Err("another provider"));
        check("code=a&state=s", true, Err("which provider"));
        check("state=s", false, Err("no code"));
        check("error=access_denied&state=s&error_description=No%0A", false, Err("access_denied (No)"));
        check("error=access_denied&state=t", false, Err("state"));
        check("code=a&code=b&state=s", false, Err("void"));
    }
}
