//! One line of an htpasswd file, and the hash on it.

use argon2::{Argon2, PasswordHash, PasswordVerifier as _};

/// bcrypt sees so many bytes of a password and no more.
const BCRYPT_BYTES: usize = 72;
/// The most work a line may ask for: at more, one login would hold a core for seconds. bcrypt's cost is a power of two.
const MAX_BCRYPT_COST: u32 = 16;
/// Memory of one argon2 hash in KiB, of which four run at a time.
const MAX_ARGON2_KIB: u32 = 256 * 1024;
/// Passes over that memory times its size in KiB; the default of argon2 is 38,912.
const MAX_ARGON2_WORK: u64 = 4 * 1024 * 1024;

/// A hash that passwords can be checked against.
#[derive(Clone)]
pub(crate) enum Hash {
    Bcrypt(Box<str>),
    Argon2(Box<PasswordHash>),
}

/// What a line says.
pub(crate) enum Line {
    /// Nothing: it is blank or a comment.
    Blank,
    /// A user who can log in.
    User { name: String, hash: Hash },
    /// A user whose password is kept in a way that is not accepted, by the name of that way.
    Refused { name: String, way: &'static str },
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Hash::Bcrypt(_) => "Bcrypt(..)",
            Hash::Argon2(_) => "Argon2(..)",
        })
    }
}

impl Hash {
    /// Whether `password` is the one. Slow on purpose.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        match self {
            // `htpasswd -B` cuts a longer password silently, so its line would let in everybody who knows the first 72
            // bytes. Such a password is refused until it is set with argon2.
            Hash::Bcrypt(_) if password.len() > BCRYPT_BYTES => {
                tracing::info!(
                    "a password of more than 72 bytes was refused: bcrypt sees only 72, use argon2 for it"
                );
                false
            }
            Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Hash::Argon2(hash) => Argon2::default()
                .verify_password(password, hash.as_ref())
                .is_ok(),
        }
    }
}

/// Reads one line without its end.
///
/// # Errors
/// What is wrong with it. A half-written hash is an error, an unaccepted kind of hash is [`Line::Refused`].
pub(crate) fn parse_line(line: &str) -> Result<Line, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(Line::Blank);
    }
    let Some((name, rest)) = line.split_once(':') else {
        return Err("it has no colon; a line is `name:hash`".to_owned());
    };
    if name.is_empty()
        || name.len() > crate::header::MAX_USER_BYTES
        || name.chars().any(char::is_control)
    {
        return Err("the user name is empty, too long or has control characters".to_owned());
    }
    let name = name.to_owned();
    if ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| rest.starts_with(prefix))
    {
        let hash = bcrypt_hash(rest)
            .map_err(|problem| format!("the bcrypt hash of `{name}` {problem}"))?;
        return Ok(Line::User { name, hash });
    }
    if ["$argon2id$", "$argon2i$", "$argon2d$"]
        .iter()
        .any(|prefix| rest.starts_with(prefix))
    {
        let hash = argon2_hash(rest)
            .map_err(|problem| format!("the argon2 hash of `{name}` {problem}"))?;
        return Ok(Line::User { name, hash });
    }
    Ok(Line::Refused {
        name,
        way: way(rest),
    })
}

/// The name of an unaccepted way to keep a password, for the operator. Never any of the text itself: it may be a password.
fn way(rest: &str) -> &'static str {
    if rest.starts_with("$apr1$") || rest.starts_with("$1$") {
        "MD5"
    } else if rest.starts_with("{SHA}") || rest.starts_with("{SSHA}") {
        "SHA-1"
    } else if rest.starts_with("$5$") || rest.starts_with("$6$") || rest.starts_with("$y$") {
        "crypt"
    } else {
        "plain text, crypt or something unknown"
    }
}

fn bcrypt_hash(text: &str) -> Result<Hash, String> {
    let parts: bcrypt::HashParts = text
        .parse()
        .map_err(|_| "is malformed or cut short; a bcrypt hash has 60 characters".to_owned())?;
    let cost = parts.get_cost();
    if !(4..=MAX_BCRYPT_COST).contains(&cost) {
        return Err(format!(
            "has cost {cost}; 4 to {MAX_BCRYPT_COST} are accepted, 10 to 12 are usual"
        ));
    }
    Ok(Hash::Bcrypt(text.into()))
}

fn argon2_hash(text: &str) -> Result<Hash, String> {
    let malformed = || {
        "is malformed or cut short; it should be `$argon2id$v=19$m=..,t=..,p=..$salt$hash`"
            .to_owned()
    };
    let hash = PasswordHash::new(text).map_err(|_| malformed())?;
    let params = argon2::Params::try_from(&hash).map_err(|_| malformed())?;
    if hash.salt.is_none() || hash.hash.is_none() || !matches!(hash.version, Some(16 | 19)) {
        return Err("lacks its version (`v=19`), salt or hash".to_owned());
    }
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MAX_ARGON2_KIB || work > MAX_ARGON2_WORK {
        return Err(format!(
            "asks for m={},t={}, which is too much work for each login",
            params.m_cost(),
            params.t_cost()
        ));
    }
    Ok(Hash::Argon2(Box::new(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2y$05$rKXKsqOJ8cOOk9vJ8rAX8.xIp3jLbEVPXfPVq9ldKZ2vHi2XqgAxC";

    fn problem(line: &str) -> String {
        parse_line(line)
            .err()
            .unwrap_or_else(|| panic!("{line} was accepted"))
    }

    #[test]
    fn the_three_bcrypt_prefixes_and_argon2_are_users() {
        for prefix in ["$2a$", "$2b$", "$2y$"] {
            let line = format!("alice:{}", BCRYPT.replace("$2y$", prefix));
            assert!(
                matches!(parse_line(&line), Ok(Line::User { name, hash: Hash::Bcrypt(_) }) if name == "alice")
            );
        }
        let line = "bob:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$2kSLjNyq/wEMY+bZb5sQ3Q";
        assert!(matches!(
            parse_line(line),
            Ok(Line::User {
                hash: Hash::Argon2(_),
                ..
            })
        ));
    }

    #[test]
    fn blank_lines_and_comments_say_nothing() {
        for line in ["", "   ", "# alice:x", "\t# x"] {
            assert!(matches!(parse_line(line), Ok(Line::Blank)), "{line:?}");
        }
    }

    #[test]
    fn every_other_way_to_keep_a_password_is_named_and_refused() {
        for (rest, expected) in [
            ("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "MD5"),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
            ("$6$salt$hash", "crypt"),
            ("rl.3StKT.4T8M", "plain text, crypt or something unknown"),
            ("secret", "plain text, crypt or something unknown"),
            ("", "plain text, crypt or something unknown"),
        ] {
            let Ok(Line::Refused { name, way }) = parse_line(&format!("carol:{rest}")) else {
                panic!("{rest}")
            };
            assert_eq!((name.as_str(), way), ("carol", expected));
        }
    }

    #[test]
    fn a_line_that_cannot_be_meant_is_an_error_that_never_quotes_it() {
        assert!(problem("nocolon").contains("no colon"));
        assert!(problem(":x").contains("user name"));
        assert!(problem(&format!("alice:{}", &BCRYPT[..40])).contains("cut short"));
        assert!(problem(&format!("alice:{}", BCRYPT.replace("$05$", "$31$"))).contains("cost 31"));
        assert!(problem("alice:$argon2id$v=19$m=65536,t=3").contains("salt or hash"));
        assert!(
            problem("bob:$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzYWx0$2kSLjNyq/wEMY+bZb5sQ3Q")
                .contains("too much")
        );
        assert!(
            problem("bob:$argon2id$m=64,t=1,p=1$c29tZXNhbHRzYWx0$2kSLjNyq/wEMY+bZb5sQ3Q")
                .contains("version")
        );
        assert!(!problem("hunter2").contains("hunter2"));
    }
}
