//! Local passwords: which are accepted, and how they are kept.
//!
//! Argon2id with 19 MiB, 2 passes, 1 lane. What was brought from elsewhere (bcrypt, other parameters) is verified as it
//! is and kept anew at the next login.

use argon2::{Argon2, PasswordHasher as _};

use crate::htpasswd::line::{Hash, Line, parse_line};

/// How long the shortest password must be, in characters, at the least and at the most.
pub const SHORTEST: std::ops::RangeInclusive<usize> = 8..=128;
/// How long a password may be, in bytes.
pub const LONGEST: usize = 1024;
/// What our own hashes begin with.
const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// Passwords of eight or more characters that are tried first by whoever tries passwords.
const WORST: &[&str] = &[
    "password",
    "password1",
    "password12",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "00000000",
    "88888888",
    "12341234",
    "123123123",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "1q2w3e4r5t",
    "zaq12wsx",
    "asdfghjkl",
    "asdfasdf",
    "abcd1234",
    "abcdefgh",
    "a1b2c3d4",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "starwars",
    "whatever",
    "trustno1",
    "letmein1",
    "letmein123",
    "welcome1",
    "welcome123",
    "administrator",
    "admin123",
    "admin1234",
    "adminadmin",
    "administrator1",
    "changeme",
    "changeme1",
    "changeme123",
    "changeit",
    "default1",
    "rootroot",
    "toor1234",
    "harbor12345",
    "admin/harbor12345",
    "registry",
    "registry1",
    "docker123",
    "longshore",
    "longshore1",
    "secret123",
    "secretsecret",
    "testtest",
    "test1234",
    "guestguest",
    "temp1234",
    "company123",
    "monkey123",
    "dragon123",
    "master123",
    "michael1",
    "jennifer",
    "computer",
    "internet",
    "samsung1",
    "google123",
    "facebook1",
];

/// Which passwords are accepted: what NIST SP 800-63B asks for (3.1.1.2). It wants a length and a list of what is tried first, and no
/// rules about letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long one is at least, in characters; [`SHORTEST`].
    pub min_length: usize,
    /// Whether those are refused that are tried first.
    pub refuse_common: bool,
    /// Whether those are refused that are little more than the name of their user: it does not count for the length.
    pub refuse_name: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            min_length: *SHORTEST.start(),
            refuse_common: true,
            refuse_name: true,
        }
    }
}

/// Why a password is not accepted. The text is for whoever chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short, with what it would need, in characters.
    #[error("the password is too short; take {0} characters or more")]
    TooShort(usize),
    /// Too long.
    #[error("the password is too long; {LONGEST} bytes are the most")]
    TooLong,
    /// It cannot be sent by every client.
    #[error("the password has a NUL or a line break, which not every client can send")]
    Character,
    /// It is little more than the name of its user, with how long it must be without it, in characters.
    #[error(
        "the password is little more than the user's name, which is the first thing that is tried; take {0} characters or more beside it"
    )]
    Name(usize),
    /// Everybody knows it.
    #[error("this is one of the passwords that are tried first; take another")]
    Common,
    /// The library refused.
    #[error("the password cannot be hashed")]
    Hash,
}

impl Policy {
    /// Checks whether `password` may be that of `user`.
    ///
    /// # Errors
    /// It may not be.
    pub fn check(&self, user: &str, password: &[u8]) -> Result<(), PasswordError> {
        let length = characters(password);
        if length < self.min_length {
            return Err(PasswordError::TooShort(self.min_length));
        }
        if password.len() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        if password
            .iter()
            .any(|byte| matches!(byte, 0 | b'\n' | b'\r'))
        {
            return Err(PasswordError::Character);
        }
        let rest =
            length.saturating_sub(times(password, user.as_bytes()) * characters(user.as_bytes()));
        if self.refuse_name && rest < self.min_length {
            return Err(PasswordError::Name(self.min_length));
        }
        let is_worst = |worst: &&str| password.eq_ignore_ascii_case(worst.as_bytes());
        if self.refuse_common && WORST.iter().any(is_worst) {
            return Err(PasswordError::Common);
        }
        Ok(())
    }
}

/// How many characters a text has that may be UTF-8 or anything.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// How often `word` is in `text`, one after the other, whatever their case.
fn times(mut text: &[u8], word: &[u8]) -> usize {
    let mut found = 0;
    while !word.is_empty()
        && let Some((begin, rest)) = text.split_at_checked(word.len())
    {
        if begin.eq_ignore_ascii_case(word) {
            found += 1;
            text = rest;
        } else {
            text = text.get(1..).unwrap_or_default();
        }
    }
    found
}

/// What is kept of a password. Slow on purpose: some 20 ms.
///
/// # Errors
/// The library refuses.
pub fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let hash = Argon2::default()
        .hash_password(password)
        .map_err(|_| PasswordError::Hash)?;
    Ok(hash.to_string())
}

/// Reads a hash that was brought from elsewhere, by the rules of an htpasswd file.
///
/// # Errors
/// Why it cannot be used.
pub fn foreign(name: &str, hash: &str) -> Result<(), String> {
    match parse_line(&format!("{name}:{hash}"))? {
        Line::User { .. } => Ok(()),
        Line::Blank => Err("it is no hash".to_owned()),
        Line::Refused { way, .. } => Err(format!(
            "the password is kept as {way}, and only bcrypt and argon2 are accepted"
        )),
    }
}

/// Whether `password` is the one that `hash` was made of. Slow on purpose. A hash that cannot be read matches nothing.
pub(super) fn verify(hash: &str, password: &[u8]) -> bool {
    match parse_line(&format!("x:{hash}")) {
        Ok(Line::User { hash, .. }) => Hash::verify(&hash, password),
        _ => false,
    }
}

/// Whether a hash is as we make them today.
pub(super) fn is_ours(hash: &str) -> bool {
    hash.starts_with(OURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_argon2id_of_the_published_parameters_and_verify() {
        let made = hash(b"correct horse").unwrap();
        assert!(is_ours(&made), "{made}");
        assert!(verify(&made, b"correct horse"));
        assert!(!verify(&made, b"correct horse "));
        assert_ne!(made, hash(b"correct horse").unwrap(), "salted");
    }

    #[test]
    fn h06_passwords_that_differ_after_72_bytes_are_different() {
        let long = [b'p'; 100];
        let mut other = long;
        other[80] = b'q';
        let made = hash(&long).unwrap();
        assert!(verify(&made, &long) && !verify(&made, &other));
        // What bcrypt cannot tell apart it does not let in.
        let old = bcrypt::hash(&long[..72], 4).unwrap();
        assert!(verify(&old, &long[..72]));
        assert!(!verify(&old, &long) && !verify(&old, &other));
        assert!(!is_ours(&old));
    }

    #[test]
    fn the_policy_refuses_what_would_be_guessed_first_and_says_why() {
        use PasswordError::{Character, Common, Name, TooLong, TooShort};
        let check = |password: &str| {
            let policy = Policy::default();
            policy.check("alice-liddell", password.as_bytes())
        };
        for (password, why) in [
            ("short", TooShort(8)),
            ("", TooShort(8)),
            ("é€é€", TooShort(8)),
            (&"p".repeat(1025), TooLong),
            ("has\0a nul", Character),
            ("two\nlines", Character),
            ("Alice-Liddell", Name(8)),
            ("alice-liddell2024", Name(8)),
            ("!!ALICE-LIDDELL!!!!!", Name(8)),
            ("alice-liddellalice-liddell", Name(8)),
            ("Password123", Common),
            ("Harbor12345", Common),
        ] {
            assert_eq!(check(password), Err(why), "{password}");
        }
        // No rule says which characters there must be.
        for good in [
            "correct horse",
            "åäöåäöåä",
            "hhhhhhhhh",
            &"p".repeat(1024),
            "12345678x",
            "alice-liddell and her cat",
            "alice-liddel",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn each_part_of_the_policy_can_be_otherwise() {
        use PasswordError::{Common, Name, TooShort};
        let long = Policy {
            min_length: 15,
            ..Policy::default()
        };
        let lax = Policy {
            refuse_common: false,
            refuse_name: false,
            ..Policy::default()
        };
        for (policy, password, verdict) in [
            (long, "fourteen chars", Err(TooShort(15))),
            (long, "fifteen letters", Ok(())),
            (long, "bob bob fifteen let", Err(Name(15))),
            (lax, "password1", Ok(())),
            (lax, "bobbobbob", Ok(())),
            (lax, "bobbob", Err(TooShort(8))),
            (
                Policy {
                    refuse_name: true,
                    ..lax
                },
                "bobbobbob",
                Err(Name(8)),
            ),
            (
                Policy {
                    refuse_common: true,
                    ..lax
                },
                "password1",
                Err(Common),
            ),
        ] {
            assert_eq!(
                policy.check("bob", password.as_bytes()),
                verdict,
                "{password}"
            );
        }
        let said = TooShort(15).to_string();
        assert_eq!(
            said,
            "the password is too short; take 15 characters or more"
        );
    }

    #[test]
    fn foreign_hashes_are_bcrypt_or_argon2_and_whole() {
        assert!(foreign("a", &bcrypt::hash("x", 4).unwrap()).is_ok());
        assert!(foreign("a", &hash(b"x").unwrap()).is_ok());
        assert!(foreign("a", "{SHA}x").unwrap_err().contains("SHA-1"));
        assert!(foreign("a", "$2y$05$cut").is_err());
        assert!(!verify("garbage", b"garbage"));
    }
}
