//! One-time codes from an app (TOTP, RFC 6238). Pure but for randomness.
//!
//! SHA-1, six digits, 30 seconds: what every app speaks. HMAC-SHA-1 is not weakened by SHA-1's collisions (RFC 4226, B.2).

use kernel::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// Seconds for which a code counts.
pub const STEP_S: u64 = 30;

/// Digits of a code.
pub const DIGITS: u8 = 6;

/// Steps before and after the present one whose codes are taken too: clocks of phones differ (RFC 6238, 5.2).
pub const WINDOW: u64 = 1;

/// Bytes of a secret: as long as SHA-1's output (RFC 4226, 4).
pub const SECRET_BYTES: usize = 20;

/// What an app and Farero share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// A new one.
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// From its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, to be sealed.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For typing into an app by hand: groups of four.
    pub fn for_typing(&self) -> String {
        let plain = Secret::new_stack(self.0).to_base32();
        let groups: Vec<&str> =
            (0..plain.len()).step_by(4).filter_map(|i| plain.get(i..(i + 4).min(plain.len()))).collect();
        groups.join(" ")
    }

    /// For scanning (`otpauth`, as all apps read it).
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let encode =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
        let secret = Secret::new_stack(self.0).to_base32();
        let (issuer, account) = (encode(&issuer.replace(':', " ")), encode(&account.replace(':', " ")));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
        )
    }

    fn generator(&self) -> Option<Totp> {
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(DIGITS).with_step_duration(STEP_S);
        builder.with_secret(Secret::new_stack(self.0)).build().ok()
    }

    /// The code of a time: what an app shows.
    pub fn code_at(&self, at: Timestamp) -> Option<String> {
        let seconds = u64::try_from(at.as_millis() / 1_000).ok()?;
        self.generator().map(|g| g.generate(seconds).to_string())
    }

    /// The step of a code that holds now and was not taken before: store it as the last one taken. `None`: the code is wrong,
    /// too old, or was used already.
    pub fn check(&self, code: &str, now: Timestamp, last_taken: Option<u64>) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != usize::from(DIGITS) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let generator = self.generator()?;
        let present = u64::try_from(now.as_millis() / 1_000).ok()? / STEP_S;
        let mut found = None;
        for step in present.saturating_sub(WINDOW)..=present + WINDOW {
            let expected = generator.generate(step * STEP_S).to_string();
            if crate::same(expected.as_bytes(), digits.as_bytes()) && last_taken.is_none_or(|last| step > last) {
                found = found.or(Some(step));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's test vectors.
    fn rfc() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn sec_12_codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(rfc().code_at(Timestamp::from_secs(seconds)).unwrap(), code);
        }
    }

    #[test]
    fn sec_12_a_code_is_taken_once_and_within_one_step() {
        let (secret, at) = (rfc(), 1_234_567_890);
        let code = secret.code_at(Timestamp::from_secs(at)).unwrap();
        let check = |seconds: i64, last| secret.check(&code, Timestamp::from_secs(seconds), last);
        let step = check(at, None).unwrap();
        assert_eq!(check(at, Some(step)), None, "a second time");
        assert_eq!(check(at, Some(step + 1)), None, "after a newer one was taken");
        assert_eq!(check(at, Some(step - 1)), Some(step));
        assert_eq!(check(at + 30, None), Some(step), "one step late");
        assert_eq!(check(at - 30, None), Some(step), "one step early");
        assert_eq!(check(at + 60, None), None);
        assert_eq!(check(at - 60, None), None);
        for bad in ["", "00592", "0059244", "00592a", "٠٠٥٩٢٤", "------"] {
            assert_eq!(secret.check(bad, Timestamp::from_secs(at), None), None, "{bad}");
        }
        assert_eq!(secret.check(" 005 924 ", Timestamp::from_secs(at), None), Some(step), "as people type it");
    }

    #[test]
    fn the_address_names_account_and_issuer() {
        let uri = rfc().uri("Farero", "ana:b c");
        assert_eq!(
            uri,
            "otpauth://totp/Farero:ana%20b%20c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Farero&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(rfc().for_typing(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(!format!("{:?}", rfc()).contains("GEZ"));
    }
}
