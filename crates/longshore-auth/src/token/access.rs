//! The access list of a token as [`Rights`] (Docker token specification, "Docker registry token authentication: JWT").
//!
//! The shape is checked strictly, the words leniently: a list that is no list refuses the token, while a type, a name or
//! an action that means nothing here gives nothing. Token servers sign entries for other services and later versions
//! too, and an entry without meaning cannot allow anything. Names are compared whole and by bytes, so `Repository`,
//! `acme/app/` and `acme/*` are such entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_core::{Grant, On, Rights, TagLimit, Verb, Verbs};
use longshore_spec::name::RepoName;

use super::json::{Json, Object};

/// The member of an entry for the list of repositories that says which of them its bearer sees, where it is not all.
pub(crate) const SEEN: &str = "seen";

/// Reads the `access` claim, and adds what strangers may do: nobody should have less for having logged in.
///
/// Whoever may list the repositories is shown all of them, as by every registry, except by an entry that says that its bearer sees some
/// of them (`seen`, a member of our own). That gives nothing but where those are `looked_up`: beside the index that wrote it.
///
/// # Errors
/// The claim does not have the shape of an access list, or has more than `most` entries.
pub(crate) fn read(
    claim: Option<&Json>,
    most: usize,
    strangers: &Rights,
    looked_up: bool,
) -> Result<Rights, &'static str> {
    // Servers written in Go sign `null` for an empty list.
    let entries: &[Json] = match claim {
        None | Some(Json::Null) => &[],
        Some(Json::List(entries)) if entries.len() <= most => entries,
        Some(Json::List(_)) => return Err("`access` has too many entries"),
        Some(_) => return Err("`access` is not a list"),
    };
    let mut repositories: BTreeMap<RepoName, Vec<(Option<TagLimit>, Verbs)>> = BTreeMap::new();
    let (mut catalog, mut all) = (false, false);
    for entry in entries {
        let Json::Object(entry) = entry else {
            return Err("an entry of `access` is no object");
        };
        let (kind, name) = (text(entry, "type")?, text(entry, "name")?);
        let actions = actions(entry)?;
        if is_repository(kind) {
            if let Ok(name) = name.parse::<RepoName>() {
                let limit = limit(entry)?;
                let verbs = verbs_of(&actions);
                let of_name = repositories.entry(name).or_default();
                match of_name.iter_mut().find(|(known, _)| *known == limit) {
                    Some((_, known)) => *known = known.and(verbs),
                    None => of_name.push((limit, verbs)),
                }
            }
        } else if kind == "registry" && name == "catalog" {
            let lists = actions.contains(&"*");
            let is_part = entry.contains_key(SEEN);
            all |= lists && !is_part;
            catalog |= lists && (looked_up || !is_part);
        }
    }
    let mut grants: Vec<Grant> = repositories
        .into_iter()
        .flat_map(|(name, list)| list.into_iter().map(move |one| (name.clone(), one)))
        .filter(|(_, (_, verbs))| *verbs != Verbs::NONE)
        .map(|(name, (limit, verbs))| Grant {
            on: On::Repo(name),
            verbs,
            tags: limit.map(Arc::new),
        })
        .collect();
    let list = Verbs::NONE.with(Verb::Catalog);
    if catalog {
        grants.push(Grant::new(On::Catalog, list));
    }
    if all {
        grants.push(Grant::new(On::EveryRepo, list));
    }
    if let Rights::Listed(more) = strangers {
        grants.extend(more.iter().cloned());
    }
    Ok(Rights::Listed(grants.into()))
}

fn text<'a>(entry: &'a Object, name: &str) -> Result<&'a str, &'static str> {
    entry
        .get(name)
        .and_then(Json::text)
        .ok_or("an entry of `access` lacks its type or name")
}

fn actions(entry: &Object) -> Result<Vec<&str>, &'static str> {
    match entry.get("actions") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(list)) => list
            .iter()
            .map(Json::text)
            .collect::<Option<_>>()
            .ok_or("an action is not text"),
        Some(_) => Err("the actions of an entry are not a list"),
    }
}

/// The tags an entry is for: a member of our own, which an index like ours writes. Whoever cannot read a limit must not act as
/// if there were none.
fn limit(entry: &Object) -> Result<Option<TagLimit>, &'static str> {
    let words = match entry.get("tags") {
        None => return Ok(None),
        Some(Json::List(list)) => list.iter().map(Json::text).collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    let limit = words
        .filter(|words| !words.is_empty())
        .and_then(TagLimit::read);
    limit
        .map(Some)
        .ok_or("the tags of an entry are not a list of patterns")
}

/// `repository`, or with the class that it once could have, as in `repository(plugin)`.
fn is_repository(kind: &str) -> bool {
    let Some(rest) = kind.strip_prefix("repository") else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .is_some_and(|class| {
                !class.is_empty()
                    && class
                        .bytes()
                        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
            })
}

fn verbs_of(actions: &[&str]) -> Verbs {
    let all = [Verb::Pull, Verb::Push, Verb::Delete];
    all.into_iter()
        .filter(|verb| actions.contains(&verb.action()) || actions.contains(&"*"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 9;

    fn rights(access: &str) -> Result<Rights, &'static str> {
        let claims = Json::object(format!(r#"{{"access":{access}}}"#).as_bytes()).unwrap();
        read(claims.get("access"), MOST, &Rights::Nothing, false)
    }

    fn allowed(access: &str, repo: &str) -> Vec<Verb> {
        let rights = rights(access).unwrap();
        let repo = repo.parse().unwrap();
        [Verb::Pull, Verb::Push, Verb::Delete]
            .into_iter()
            .filter(|verb| rights.allow(Some(&repo), *verb))
            .collect()
    }

    #[test]
    fn entries_give_their_actions_on_the_exact_name_and_add_up() {
        let access = r#"[{"type":"repository","name":"acme/app","actions":["pull"]},
                         {"type":"repository","class":"image","name":"acme/app","actions":["push","fly"]},
                         {"type":"repository(plugin)","name":"acme/plugin","actions":["*"]}]"#;
        assert_eq!(allowed(access, "acme/app"), [Verb::Pull, Verb::Push]);
        assert_eq!(
            allowed(access, "acme/plugin"),
            [Verb::Pull, Verb::Push, Verb::Delete]
        );
        assert_eq!(allowed(access, "acme/app2"), []);
        assert_eq!(allowed(access, "acme"), []);
        assert!(!rights(access).unwrap().allow(None, Verb::Catalog));
    }

    #[test]
    fn the_catalog_needs_its_star() {
        let catalog = |actions: &str| {
            let access = format!(r#"[{{"type":"registry","name":"catalog","actions":{actions}}}]"#);
            rights(&access).unwrap().allow(None, Verb::Catalog)
        };
        assert!(catalog(r#"["*"]"#));
        assert!(!catalog(r#"["search"]"#));
        assert!(!catalog("[]"));
    }

    #[test]
    fn the_catalog_is_all_of_it_or_what_its_bearer_sees_where_that_can_be_looked_up() {
        let read = |access: &str, looked_up| {
            let claims = Json::object(format!(r#"{{"access":[{access}]}}"#).as_bytes()).unwrap();
            read(claims.get("access"), MOST, &Rights::Nothing, looked_up).unwrap()
        };
        let whole = r#"{"type":"registry","name":"catalog","actions":["*"]}"#;
        let part = r#"{"type":"registry","name":"catalog","actions":["*"],"seen":"theirs"}"#;
        for looked_up in [false, true] {
            let rights = read(whole, looked_up);
            assert!(rights.allow(None, Verb::Catalog) && rights.listed().is_all());
            assert!(rights.pullable().is_nothing());
            let rights = read(part, looked_up);
            assert_eq!(rights.allow(None, Verb::Catalog), looked_up);
            assert!(rights.listed().is_nothing());
        }
    }

    #[test]
    fn h40_words_that_are_almost_right_give_nothing() {
        for entry in [
            r#"{"type":"Repository","name":"acme/app","actions":["*"]}"#,
            r#"{"type":"repository()","name":"acme/app","actions":["*"]}"#,
            r#"{"type":"repository(Plugin)","name":"acme/app","actions":["*"]}"#,
            r#"{"type":"repository ","name":"acme/app","actions":["*"]}"#,
            r#"{"type":"repository","name":"acme/app/","actions":["*"]}"#,
            r#"{"type":"repository","name":"Acme/App","actions":["*"]}"#,
            r#"{"type":"repository","name":"*","actions":["*"]}"#,
            r#"{"type":"repository","name":"acme/app","actions":["Pull"," push"]}"#,
            r#"{"type":"repository","name":"\u0430cme/app","actions":["*"]}"#,
            r#"{"type":"registry","name":"Catalog","actions":["*"]}"#,
        ] {
            assert_eq!(
                rights(&format!("[{entry}]")),
                Ok(Rights::Listed([].into())),
                "{entry}"
            );
        }
    }

    #[test]
    fn a_list_of_another_shape_refuses_the_token() {
        for access in [
            "{}",
            r#""repository:acme/app:pull""#,
            "[1]",
            "[null]",
            r#"[{"type":"repository","name":"acme/app","actions":"pull"}]"#,
            r#"[{"type":"repository","name":"acme/app","actions":[1]}]"#,
            r#"[{"type":"repository","name":["acme/app"],"actions":["pull"]}]"#,
            r#"[{"name":"acme/app","actions":["pull"]}]"#,
        ] {
            assert!(rights(access).is_err(), "{access}");
        }
        let list = |entries| {
            let entry = r#"{"type":"repository","name":"a","actions":[]}"#;
            rights(&format!("[{}]", vec![entry; entries].join(",")))
        };
        assert!(list(MOST).is_ok() && list(MOST + 1).is_err());
        assert_eq!(rights("null"), Ok(Rights::Listed([].into())));
    }

    #[test]
    fn nobody_has_less_than_a_stranger_for_having_logged_in() {
        let rights = read(None, MOST, &Rights::reader(), false).unwrap();
        assert!(rights.allow(Some(&"acme/app".parse().unwrap()), Verb::Pull));
        assert!(!rights.allow(Some(&"acme/app".parse().unwrap()), Verb::Push));
    }

    #[test]
    fn a_limit_to_tags_is_kept_and_one_that_cannot_be_read_refuses_the_token() {
        let access = r#"[{"type":"repository","name":"a","actions":["pull"]},
            {"type":"repository","name":"a","actions":["push"],"tags":["dev-*","!dev-0"]}]"#;
        let rights = rights(access).unwrap();
        let repo = "a".parse().unwrap();
        let allows = |verb, tag: &str| {
            let tag = [tag.parse().unwrap()];
            rights.allow_named(Some(&repo), verb, longshore_core::Named::Tags(&tag))
        };
        assert!(allows(Verb::Pull, "latest") && allows(Verb::Push, "dev-1"));
        assert!(!allows(Verb::Push, "latest") && !allows(Verb::Push, "dev-0"));
        for tags in ["null", "[]", "\"dev\"", "[1]", "[\"a b\"]", "[\"**\"]"] {
            let access =
                format!(r#"[{{"type":"repository","name":"a","actions":["push"],"tags":{tags}}}]"#);
            let claims = Json::object(format!(r#"{{"access":{access}}}"#).as_bytes()).unwrap();
            assert!(
                read(claims.get("access"), MOST, &Rights::Nothing, false).is_err(),
                "{tags}"
            );
        }
    }
}
