//! Passwords that anybody guesses first: the commonest ones, one common word with trimmings, runs of the keyboard. Pure.
//!
//! The list beside this file holds what leads the published lists of breached passwords: those of twelve characters and more,
//! the commonest words, and what people here choose first. Shorter ones are refused for their length already.

use std::collections::HashSet;
use std::sync::LazyLock;

static LIST: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().filter(|l| !l.is_empty()).collect());

/// Rows of keyboards and alphabets that runs are taken from.
const RUNS: [&str; 7] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklñzxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Fewer different characters than this are no password of twelve.
const FEWEST_CHARACTERS: usize = 5;

/// Whether a password is one that guessing begins with.
pub fn is_common(password: &str) -> bool {
    let plain: String = password.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let different: HashSet<char> = plain.chars().collect();
    if LIST.contains(plain.as_str()) || different.len() < FEWEST_CHARACTERS || is_run(&plain) {
        return true;
    }
    // One common word with digits and signs around it, or written with digits for letters, or said twice.
    let core = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let trimmed = plain.trim_matches(|c: char| !c.is_alphabetic());
    let (as_written, as_meant) = (core(&plain), core(&letters(trimmed)));
    [as_written, as_meant]
        .iter()
        .any(|word| word.chars().count() >= 4 && (LIST.contains(word.as_str()) || is_repeated(word)))
}

fn is_repeated(word: &str) -> bool {
    let half = word.len() / 2;
    word.is_char_boundary(half)
        && word.len().is_multiple_of(2)
        && word[..half] == word[half..]
        && LIST.contains(&word[..half])
}

/// Digits and signs that stand for letters, as letters.
fn letters(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

fn is_run(text: &str) -> bool {
    let backwards: String = text.chars().rev().collect();
    let longest =
        |run: &str| text == run || (text.len() >= 6 && (run.contains(text) || run.contains(backwards.as_str())));
    RUNS.iter().any(|run| longest(run) || longest(&run.repeat(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_what_guessing_begins_with_is_refused() {
        for bad in [
            "password1234",
            "P@ssw0rd2026!",
            "contraseña2026",
            "Administrador1",
            "1q2w3e4r5t6y",
            "qwertyuiop123456",
            "123456789012",
            "abcdefghijklm",
            "aaaaaaaaaaaa",
            "121212121212",
            "administrador",
            "dragon!!!!!!!!",
            "bienvenido 2026",
            "asdfghjklasdfghjkl",
            "Monkey-monkey",
        ] {
            assert!(is_common(bad), "{bad}");
        }
        for good in [
            "una-clave-bastante-larga",
            "cuatro palabras sin orden",
            "tr3n de la sierra",
            "Zq8!kW2p#LmV",
            "otras cuatro palabras",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }
}
