//! Suggestions for misspelt words. Pure.

/// The candidate that was most likely meant, when one is near enough: a third of its letters may differ, or only case,
/// hyphens and underscores, or it begins with what was written.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(written);
    if wanted.is_empty() || wanted.len() > LONGEST_COMPARED {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = plain(candidate);
        let distance = strsim::damerau_levenshtein(&wanted, &other);
        let allowed = (wanted.chars().count().max(other.chars().count()) / 3).max(1);
        let near = distance <= allowed || (wanted.len() >= 3 && other.starts_with(&wanted));
        if near && distance < other.chars().count() && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longer words are not compared: the distance costs the product of both lengths.
const LONGEST_COMPARED: usize = 64;

/// Names in a row for a message, at most `most` of them: `` `a`, `b` or `c` ``.
pub fn listing<'a>(names: impl IntoIterator<Item = &'a str>, most: usize, last: &str) -> String {
    let all: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = all.iter().take(most).map(|n| format!("`{n}`")).collect();
    match (shown.as_slice(), all.len().saturating_sub(most)) {
        ([], _) => String::new(),
        ([one], 0) => one.clone(),
        ([init @ .., end], 0) => format!("{} {last} {end}", init.join(", ")),
        (some, more) => format!("{} and {more} more", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let keys = ["timeout", "attempts", "slow", "slow_severity", "every"];
        let check = |written: &str, expect: Option<&str>| assert_eq!(nearest(written, keys), expect, "{written}");
        check("timout", Some("timeout"));
        check("tiemout", Some("timeout"));
        check("attempt", Some("attempts"));
        check("slow-severity", Some("slow_severity"));
        check("Every", Some("every"));
        check("interval", None);
        check("", None);
    }

    #[test]
    fn listings_are_short() {
        assert_eq!(listing(["a"], 3, "or"), "`a`");
        assert_eq!(listing(["a", "b", "c"], 3, "or"), "`a`, `b` or `c`");
        assert_eq!(listing(["a", "b", "c"], 2, "or"), "`a`, `b` and 1 more");
    }
}
