//! The `WWW-Authenticate` values that tell a client how to log in.
//!
//! Values are quoted strings of RFC 9110, 5.6.4. Names of our own are checked at start to be printable ASCII; scopes and
//! error codes are made by the edge from parsed names, yet they are quoted as if they were not.

use crate::options::SetupError;

/// Appends `name="value"`, escaped; characters that no header may have are left out.
fn push_parameter(out: &mut String, name: &str, value: &str) {
    if !out.ends_with(' ') {
        out.push(',');
    }
    out.push_str(name);
    out.push_str("=\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            _ => {}
        }
    }
    out.push('"');
}

/// A Basic challenge (RFC 7617, 2), which has neither scope nor error.
pub(crate) fn basic(realm: &str) -> String {
    let mut out = String::from("Basic ");
    push_parameter(&mut out, "realm", realm);
    push_parameter(&mut out, "charset", "UTF-8");
    out
}

/// A Bearer challenge (Docker token specification, "How to authenticate"; RFC 6750, 3).
pub(crate) fn bearer(
    realm: &str,
    service: &str,
    scope: Option<&str>,
    error: Option<(&str, Option<&str>)>,
) -> String {
    let mut out = String::from("Bearer ");
    push_parameter(&mut out, "realm", realm);
    push_parameter(&mut out, "service", service);
    if let Some(scope) = scope {
        push_parameter(&mut out, "scope", scope);
    }
    if let Some((error, description)) = error {
        push_parameter(&mut out, "error", error);
        if let Some(description) = description {
            push_parameter(&mut out, "error_description", description);
        }
    }
    out
}

/// Refuses a value that could not be sent in a challenge as it stands.
pub(crate) fn check_value(option: &'static str, value: &str) -> Result<(), SetupError> {
    let problem = if value.is_empty() {
        "must not be empty"
    } else if !value
        .chars()
        .all(|character| matches!(character, ' '..='~'))
    {
        "goes into a header and must be printable ASCII"
    } else {
        return Ok(());
    };
    Err(SetupError::Option {
        option,
        problem: problem.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_challenge_has_its_parameters_in_the_order_clients_are_used_to() {
        assert_eq!(
            bearer(
                "https://auth.example/token",
                "registry.example",
                Some("repository:a/b:pull,push"),
                None
            ),
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#
        );
        assert_eq!(
            bearer("https://a/t", "s", None, Some(("invalid_token", None))),
            r#"Bearer realm="https://a/t",service="s",error="invalid_token""#
        );
        let lacks = Some(("insufficient_scope", Some("nothing gives `it`")));
        assert_eq!(
            bearer("https://a/t", "s", None, lacks),
            r#"Bearer realm="https://a/t",service="s",error="insufficient_scope",error_description="nothing gives `it`""#
        );
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_and_line_ends_never_pass() {
        assert_eq!(
            basic(r#"my "own" \ registry"#),
            r#"Basic realm="my \"own\" \\ registry",charset="UTF-8""#
        );
        assert_eq!(
            bearer("r", "s", Some("a\r\nSet-Cookie: x\u{e9}"), None),
            r#"Bearer realm="r",service="s",scope="aSet-Cookie: x""#
        );
    }

    #[test]
    fn a_realm_that_no_header_can_hold_is_refused_at_start() {
        assert!(check_value("realm", "Longshore").is_ok());
        for bad in ["", "a\nb", "caf\u{e9}", "a\u{7f}"] {
            assert!(check_value("realm", bad).is_err(), "{bad:?}");
        }
    }
}
