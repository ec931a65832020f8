//! Where the state is kept: a folder, or a URL that may be a reference. I/O.

use std::path::Path;

use anyhow::{Context, Result};
use kernel::secret::Text;
use secrets::Sources;
use state::StateLocation;

/// The place of the state: what `--state` says, else the data folder. References are resolved here, shortly before use;
/// errors never quote what they stand for.
///
/// # Errors
/// A reference has no value, or the URL cannot be used.
pub fn state_location(data: &Path, state: Option<&str>, sources: &Sources) -> Result<StateLocation> {
    let Some(written) = state else { return Ok(StateLocation::Folder(data.to_owned())) };
    let values = sources.look_up(&serde_json::json!([written]), data);
    crate::redacting::learn(values.secrets());
    let resolved = Text::new(written).resolve(&values);
    let url = resolved.context("the place of the state is not known")?;
    if url.expose().contains("://") {
        crate::redacting::learn(secrets::telling_parts(&url));
    }
    Ok(StateLocation::parse(url.expose())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_stands_for_the_url_and_is_never_shown() {
        let given = [("STATE_URL".to_owned(), "postgres://farero:hunter22@db.example/state".to_owned())];
        let sources = Sources::new(secrets::Settings::with(given));
        let place = |written: Option<&str>| state_location(Path::new("farero-data"), written, &sources);
        assert_eq!(place(None).unwrap().to_string(), "farero-data");
        assert_eq!(place(Some("${env:STATE_URL}")).unwrap().to_string(), "postgres://farero@db.example:5432/state");
        let error = format!("{:#}", place(Some("${env:STATE_URL}?sslmode=allow")).unwrap_err());
        assert!(error.contains("sslmode") && !error.contains("hunter22"), "{error}");
        let error = format!("{:#}", place(Some("${env:FARERO_TEST_NOT_SET}")).unwrap_err());
        assert!(error.contains("is not set"), "{error}");
    }
}
