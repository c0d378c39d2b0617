//! Filters and names: what a stranger typed goes into a filter as text, never as a part of it.

use std::borrow::Cow;

/// A filter with what stands for it filled in, escaped (RFC 4515, 3). In one go: what is filled in is not looked at again.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filter = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filter.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let after = from
                .strip_prefix('{')?
                .strip_prefix(name)?
                .strip_prefix('}')?;
            Some((value, after))
        });
        if let Some((value, after)) = found {
            filter.push_str(&ldap3::ldap_escape(Cow::Borrowed(*value)));
            rest = after;
        } else {
            filter.push('{');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    filter.push_str(rest);
    filter
}

/// The value of the first part of a distinguished name (RFC 4514): `web` of `cn=web,ou=groups,dc=example`.
pub(super) fn first_value(dn: &str) -> Option<String> {
    let (_, rest) = dn.split_once('=')?;
    let mut bytes = Vec::new();
    let mut input = rest.bytes();
    while let Some(byte) = input.next() {
        match byte {
            b',' | b'+' => break,
            b'\\' => {
                let next = input.next()?;
                match char::from(next).to_digit(16) {
                    Some(high) => {
                        let low = char::from(input.next()?).to_digit(16)?;
                        bytes.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None => bytes.push(next),
                }
            }
            byte => bytes.push(byte),
        }
    }
    let value = String::from_utf8(bytes).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A distinguished name in the form in which names are compared here: without case, and without spaces around commas and
/// equals signs.
pub(super) fn plain(dn: &str) -> String {
    let mut plain = String::with_capacity(dn.len());
    let mut escaped = false;
    let mut after_border = true;
    let mut spaces = 0;
    for c in dn.chars() {
        if c == ' ' && !escaped {
            spaces += 1;
            continue;
        }
        let is_border = !escaped && matches!(c, ',' | '=' | '+');
        if !is_border && !after_border {
            plain.extend(std::iter::repeat_n(' ', spaces));
        }
        spaces = 0;
        after_border = is_border;
        escaped = c == '\\' && !escaped;
        plain.extend(c.to_lowercase());
    }
    plain
}

/// Whether `dn` is below `base`, or is it. Both are in their [`plain`] form.
pub(super) fn is_below(dn: &str, base: &str) -> bool {
    dn.strip_suffix(base).is_some_and(|before| {
        base.is_empty() || before.is_empty() || before.ends_with(',') && !before.ends_with("\\,")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stays_text() {
        let filter = |user: &str| {
            fill(
                "(&(objectClass=person)(uid={user}))",
                &[("user", user), ("dn", "x")],
            )
        };
        for (typed, expected) in [
            ("alice", "alice"),
            ("*", "\\2a"),
            ("*)(uid=*", "\\2a\\29\\28uid=\\2a"),
            ("admin)(|(uid=*", "admin\\29\\28|\\28uid=\\2a"),
            ("a\\2a", "a\\5c2a"),
            ("\0", "\\00"),
            ("{user}", "{user}"),
            ("{dn}", "{dn}"),
            ("é", "é"),
        ] {
            let filled = filter(typed);
            assert_eq!(filled, format!("(&(objectClass=person)(uid={expected}))"));
            assert!(ldap3::parse_filter(&filled).is_ok(), "{filled}");
        }
        assert_eq!(
            fill("(a={user})(b={dn}){", &[("user", "1"), ("dn", "2")]),
            "(a=1)(b=2){"
        );
        assert_eq!(fill("(a={userx})", &[("user", "1")]), "(a={userx})");
    }

    #[test]
    fn the_first_value_of_a_name_is_unescaped() {
        for (dn, value) in [
            ("cn=web,ou=groups,dc=example", Some("web")),
            ("CN=Web Team,OU=x", Some("Web Team")),
            ("cn=a\\,b,ou=x", Some("a,b")),
            ("cn=a\\2Cb,ou=x", Some("a,b")),
            ("cn=\\C3\\A9quipe,ou=x", Some("équipe")),
            ("cn=a+uid=b,ou=x", Some("a")),
            ("cn=,ou=x", None),
            ("cn=\\zz", Some("zz")),
            ("cn=a\\", None),
            ("cn=a\\f", None),
            ("nothing", None),
        ] {
            assert_eq!(first_value(dn).as_deref(), value, "{dn}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_idle_spaces() {
        assert_eq!(
            plain("CN=Web  Team , OU = Groups,dc=X"),
            "cn=web  team,ou=groups,dc=x"
        );
        assert_eq!(plain("cn=a\\, b,dc=x"), "cn=a\\, b,dc=x");
        assert!(is_below("cn=web,ou=groups,dc=x", "ou=groups,dc=x"));
        assert!(is_below("ou=groups,dc=x", "ou=groups,dc=x"));
        assert!(is_below("cn=web", ""));
        assert!(!is_below("cn=web,ou=moregroups,dc=x", "groups,dc=x"));
        assert!(!is_below("cn=web\\,ou=groups,dc=x", "ou=groups,dc=x"));
        assert!(!is_below("cn=web,ou=other,dc=x", "ou=groups,dc=x"));
    }
}
