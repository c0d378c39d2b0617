//! Names that people, organisations, teams and namespaces may have.

use std::time::Duration;

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::{PrincipalId, principal_named};
use longshore_meta::rests::{Rest, rest_get, rest_put, rest_until};
use longshore_meta::time::span;
use longshore_spec::name::RepoName;

use crate::caller::Caller;

/// How long a name that was given up rests: it leads to what had it, or to nobody.
pub const REST: Duration = Duration::from_hours(90 * 24);

/// The longest name of a person, an organisation or a team.
const MAX: usize = 64;

/// Names that nobody may take: parts of addresses, and words that would be taken for somebody else.
const RESERVED: [&str; 25] = [
    "v1",
    "v2",
    "token",
    "auth",
    "oauth",
    "api",
    "admin",
    "administrator",
    "root",
    "system",
    "operator",
    "library",
    "robot",
    "everybody",
    "logged-in",
    "anonymous",
    "public",
    "health",
    "metrics",
    "login",
    "logout",
    "static",
    "assets",
    "search",
    "deleted",
];

/// Checks a name that somebody is to have.
///
/// # Errors
/// `NameInvalid` by the rule that it breaks.
pub fn check(name: &str) -> Result<()> {
    let invalid = |text: String| Err(Error::new(Code::NameInvalid, text));
    if RepoName::check(name).is_err() || name.contains('/') || name.len() > MAX {
        return invalid(format!(
            "`{name}` is no name: it has at most {MAX} lower-case letters and digits, joined by single '.', '_' or '-'"
        ));
    }
    if RESERVED.contains(&name) {
        return invalid(format!("the name `{name}` is reserved; choose another"));
    }
    Ok(())
}

/// Checks a name that a robot is to have, after the `+`: it can be typed in any shell without quotes.
///
/// # Errors
/// `NameInvalid` by the rule.
pub fn check_robot(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.len() <= MAX
        && name
            .bytes()
            .all(|byte| plain(byte) || b"-_.".contains(&byte))
        && name.bytes().next().is_some_and(plain);
    if fits {
        return Ok(());
    }
    Err(Error::new(
        Code::NameInvalid,
        format!(
            "`{name}` is no name of a robot: it has at most {MAX} lower-case letters, digits, '-', '_' and '.', and begins with a letter or digit"
        ),
    ))
}

/// Checks that a name at the top is nobody's and may be taken now.
///
/// # Errors
/// `ConditionFailed` when somebody has it or it rests.
pub async fn free(tx: &mut Tx<'_>, name: &str, now: i64) -> Result<()> {
    let taken = principal_named(tx, PrincipalId(0), name).await?.is_some();
    if taken || namespace_at(tx, name).await?.is_some() || rest_get(tx, name, now).await?.is_some()
    {
        // Whether it is taken or rests is nobody's business.
        return Err(Error::new(
            Code::ConditionFailed,
            format!("the name `{name}` cannot be had; choose another"),
        ));
    }
    Ok(())
}

/// The same, of a name for whoever asks: whoever manages names or accounts is told that it rests, and until when.
///
/// # Errors
/// See [`free`].
pub(crate) async fn free_for(tx: &mut Tx<'_>, caller: &Caller, name: &str) -> Result<()> {
    let now = caller.micros();
    let Err(error) = free(tx, name, now).await else {
        return Ok(());
    };
    let Some(until) = rest_until(tx, name, now).await? else {
        return Err(error);
    };
    for action in [
        Action::UserManage,
        Action::OrganisationCreate,
        Action::NamespaceCreate,
    ] {
        if allows(tx, &caller.who, action, &Object::System, caller.now).await? {
            return Err(rests(name, until));
        }
    }
    Err(error)
}

/// The answer about a name that was given up lately, to whoever could have it if it were free.
pub(crate) fn rests(name: &str, until: i64) -> Error {
    let until = jiff::Timestamp::from_microsecond(until).unwrap_or_default();
    conflict(format!(
        "the name `{name}` cannot be had: it was given up, and rests until {until:.0}, so that nobody is taken for what had it; choose \
         another, or have an administrator free it (`longshore admin name free {name}`)"
    ))
}

/// Lays a name to rest that was given up now.
///
/// # Errors
/// `Unavailable`.
pub async fn lay(tx: &mut Tx<'_>, path: &str, rest: Rest, now: i64) -> Result<()> {
    rest_put(tx, path, rest, now.saturating_add(span(REST))).await
}

/// The answer about what is not there, and about what is there and not to be known of: the same to the byte.
pub(crate) fn hidden() -> Error {
    Error::new(
        Code::NameUnknown,
        "there is nothing of that name that you may see",
    )
}

/// The answer about what is not there, to those who would be told if it were.
pub(crate) fn missing(what: &str) -> Error {
    Error::new(Code::NameUnknown, format!("there is no such {what}"))
}

/// The answer to what cannot be as things are.
pub(crate) fn conflict(text: impl Into<String>) -> Error {
    Error::new(Code::ConditionFailed, text)
}
