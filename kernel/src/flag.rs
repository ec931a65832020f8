//! Yes or no, as Go's `strconv.ParseBool` reads it. Pure.

/// Reads a yes or no.
///
/// # Errors
/// It is neither; in Go's words, as Prometheus passes them on.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}
