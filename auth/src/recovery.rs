//! Recovery codes: ten, each good once, for people whose phone is gone. Pure but for randomness.

use sha2::{Digest, Sha256};

use crate::to_base64;

/// Codes made at a time.
pub const CODES: usize = 10;

/// Crockford's base 32: no letter looks like another or like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code: 80 random bits, so that a fast hash keeps them safe.
const LENGTH: usize = 16;

/// Fresh codes, as they are shown once: `4F7K-Q2WM-…`.
pub fn fresh() -> Vec<String> {
    (0..CODES).map(|_| one()).collect()
}

fn one() -> String {
    let random: [u8; LENGTH] = rand::random();
    let mut out = String::with_capacity(LENGTH + 3);
    for (i, byte) in random.into_iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    out
}

/// What is stored of a code of an account, or looked for: the same whatever case, spaces and hyphens it was typed with. `None`
/// when it cannot be a code.
pub fn hash(account: i64, typed: &str) -> Option<String> {
    let mut plain = String::with_capacity(LENGTH);
    for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH + 1) {
        plain.push(match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c if ALPHABET.contains(&u8::try_from(c).ok()?) => c,
            _ => return None,
        });
    }
    if plain.len() != LENGTH {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(b"farero-recovery\0");
    hash.update(account.to_be_bytes());
    hash.update(plain.as_bytes());
    Some(to_base64(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_ten_codes_differ_and_are_known_however_they_are_typed() {
        let codes = fresh();
        let hashes: std::collections::BTreeSet<_> = codes.iter().filter_map(|c| hash(1, c)).collect();
        assert_eq!((codes.len(), hashes.len()), (CODES, CODES));
        let typed = codes[0].to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(hash(1, &typed), hash(1, &codes[0]));
        assert_ne!(hash(2, &codes[0]), hash(1, &codes[0]), "a code is one account's");
        for bad in ["", "4F7K", "4F7K-Q2WM-4F7K-Q2WMX", "4F7K-Q2WM-4F7K-Q2W!", "ñF7K-Q2WM-4F7K-Q2WM"] {
            assert_eq!(hash(1, bad), None, "{bad}");
        }
    }
}
