//! ID tokens, checked. Pure but for the library's clock.

use std::str::FromStr as _;

use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError};
use serde_json::{Map, Value};

use super::OidcError;
use crate::from_base64;

/// Bytes of an ID token that are read.
const TOKEN_BYTES: usize = 64 * 1_024;

/// Why a token was not believed, and whether newer keys could change that.
#[derive(Debug)]
pub(super) struct Disbelief {
    pub(super) error: OidcError,
    pub(super) may_be_old_keys: bool,
}

/// Checks an ID token: signature by one of the keys, issuer, this client as audience, its time, the nonce. Gives its claims.
///
/// # Errors
/// It is not to be believed.
pub fn check_id_token(
    token: &str,
    issuer: &str,
    client_id: &str,
    nonce: &str,
    keys: &str,
) -> Result<Map<String, Value>, OidcError> {
    let keys: CoreJsonWebKeySet = serde_json::from_str(keys).map_err(|e| OidcError::Token(e.to_string()))?;
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|e| OidcError::Token(e.to_string()))?;
    let all = [
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EdDsa,
    ];
    let verifier = CoreIdTokenVerifier::new_public_client(ClientId::new(client_id.to_owned()), issuer, keys);
    check(token, verifier.set_allowed_algs(all), nonce).map_err(|d| d.error)
}

/// As [`check_id_token`], with what the library holds ready.
pub(super) fn check(
    token: &str,
    verifier: CoreIdTokenVerifier<'_>,
    nonce: &str,
) -> Result<Map<String, Value>, Disbelief> {
    let final_word = |why: String| Disbelief { error: OidcError::Token(why), may_be_old_keys: false };
    if token.len() > TOKEN_BYTES {
        return Err(final_word(format!("it is longer than {TOKEN_BYTES} bytes")));
    }
    let parsed = CoreIdToken::from_str(token).map_err(|e| final_word(e.to_string()))?;
    let claims = parsed.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| Disbelief {
        may_be_old_keys: matches!(
            error,
            ClaimsVerificationError::SignatureVerification(
                // A provider that changes the kind of its keys says so in the same documents.
                SignatureVerificationError::NoMatchingKey
                    | SignatureVerificationError::CryptoError(_)
                    | SignatureVerificationError::DisallowedAlg(_)
            )
        ),
        error: OidcError::Token(error.to_string()),
    })?;
    if claims.subject().as_str().is_empty() {
        return Err(final_word("it names nobody".to_owned()));
    }
    // What was just verified, as it was written: claims of the provider's own are in it too.
    let payload = token.split('.').nth(1).and_then(from_base64).and_then(|b| serde_json::from_slice(&b).ok());
    payload.ok_or_else(|| final_word("its claims are no JSON object".to_owned()))
}
