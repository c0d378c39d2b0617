//! Searching: one person, and the groups they are in.

use std::collections::{BTreeSet, HashSet};

use ldap3::{Ldap, Scope, SearchEntry, SearchOptions};

use super::Trouble;
use super::options::{GroupSearch, Groups, LdapOptions};
use super::text::{fill, first_value, is_below, plain};

/// The most groups of one person.
const MAX_GROUPS: usize = 1000;
/// How many groups are asked for in one search.
const AT_ONCE: usize = 50;
/// The most groups whose own groups are read one by one.
const MAX_READS: usize = 100;
/// Results of RFC 4511, A.1.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// A person's entry.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) dn: String,
    pub(super) subject: String,
    pub(super) name: String,
    pub(super) mail: Option<String>,
    pub(super) full_name: Option<String>,
    /// What the entry says about groups.
    said: Vec<String>,
}

/// Finds the one entry of whoever logs in as `user`; none where there is none, or more than one.
///
/// # Errors
/// What went wrong, for the log.
pub(super) async fn person(
    ldap: &mut Ldap,
    options: &LdapOptions,
    user: &str,
) -> Result<Option<Found>, Trouble> {
    let filter = fill(&options.user_filter, &[("user", user)]);
    let mut attributes = vec![
        options.name_attribute.as_str(),
        options.mail_attribute.as_str(),
        options.full_name_attribute.as_str(),
    ];
    attributes.extend(options.id_attribute.as_deref());
    if let Groups::Attribute { attribute, .. } = &options.groups {
        attributes.push(attribute);
    }
    let (mut entries, code) = search(
        ldap,
        &options.user_base,
        Scope::Subtree,
        &filter,
        attributes,
        2,
    )
    .await?;
    let Some(entry) = entries.pop() else {
        return Ok(None);
    };
    if !entries.is_empty() || code == SIZE_LIMIT_EXCEEDED {
        tracing::warn!(
            "the directory `{}` has several people for one name; none of them can log in",
            options.name
        );
        return Ok(None);
    }
    if entry.dn.trim().is_empty() {
        // A login without a name is one without a password too.
        return Err(Trouble::Entry("an entry has no name".to_owned()));
    }
    let subject = match &options.id_attribute {
        None => entry.dn.clone(),
        Some(attribute) => identifier(&entry, attribute).ok_or_else(|| {
            Trouble::Entry(format!("`{}` has not exactly one `{attribute}`", entry.dn))
        })?,
    };
    let name = only(&entry, &options.name_attribute).ok_or_else(|| {
        Trouble::Entry(format!(
            "`{}` has no `{}`",
            entry.dn, options.name_attribute
        ))
    })?;
    Ok(Some(Found {
        subject,
        name,
        mail: only(&entry, &options.mail_attribute),
        full_name: only(&entry, &options.full_name_attribute),
        said: match &options.groups {
            Groups::Attribute { attribute, .. } => values(&entry, attribute),
            _ => Vec::new(),
        },
        dn: entry.dn,
    }))
}

/// The groups of a person, by name and by distinguished name in its plain form; none where the directory has no say.
///
/// # Errors
/// What went wrong, for the log. A part of the groups is never given for the whole.
pub(super) async fn groups(
    ldap: &mut Ldap,
    options: &LdapOptions,
    found: &Found,
    user: &str,
) -> Result<Option<Vec<(String, String)>>, Trouble> {
    match &options.groups {
        Groups::None => Ok(None),
        Groups::Attribute {
            attribute,
            base,
            depth,
        } => {
            let said = said(ldap, found, attribute, *depth).await?;
            let base = plain(base);
            let below = said.into_iter().filter(|dn| is_below(&plain(dn), &base));
            let named = below.filter_map(|dn| Some((first_value(&dn)?, plain(&dn))));
            Ok(Some(named.collect()))
        }
        Groups::Search(by) => by_search(ldap, by, found, user).await.map(Some),
    }
}

/// The values of `attribute` of the person, of the groups these name, and so on.
async fn said(
    ldap: &mut Ldap,
    found: &Found,
    attribute: &str,
    depth: usize,
) -> Result<Vec<String>, Trouble> {
    let mut seen = HashSet::from([plain(&found.dn)]);
    let mut all = Vec::new();
    let mut next = found.said.clone();
    let mut reads = 0;
    for step in 1..=depth.max(1) {
        next.retain(|dn| seen.insert(plain(dn)));
        all.extend(next.iter().cloned());
        if all.len() > MAX_GROUPS {
            return Err(too_many(found));
        }
        if step == depth || next.is_empty() {
            break;
        }
        let mut further = Vec::new();
        for dn in &next {
            reads += 1;
            if reads > MAX_READS {
                return Err(too_many(found));
            }
            let (entries, _) =
                search(ldap, dn, Scope::Base, "(objectClass=*)", vec![attribute], 1).await?;
            further.extend(entries.iter().flat_map(|entry| values(entry, attribute)));
        }
        next = further;
    }
    Ok(all)
}

/// Groups that have the person as a member, groups that have those, and so on, some at a time.
async fn by_search(
    ldap: &mut Ldap,
    by: &GroupSearch,
    found: &Found,
    user: &str,
) -> Result<Vec<(String, String)>, Trouble> {
    let mut seen = HashSet::from([plain(&found.dn)]);
    let mut groups = BTreeSet::new();
    let mut next = vec![found.dn.clone()];
    for step in 1..=by.depth.max(1) {
        let mut further = Vec::new();
        for some in next.chunks(AT_ONCE) {
            let filters: String = some
                .iter()
                .map(|dn| {
                    fill(
                        &by.filter,
                        &[("dn", dn), ("user", if step == 1 { user } else { dn })],
                    )
                })
                .collect();
            let filter = if some.len() == 1 {
                filters
            } else {
                format!("(|{filters})")
            };
            let (entries, code) = search(
                ldap,
                &by.base,
                Scope::Subtree,
                &filter,
                vec![&by.name_attribute],
                MAX_GROUPS,
            )
            .await?;
            if code == SIZE_LIMIT_EXCEEDED {
                return Err(too_many(found));
            }
            for entry in entries {
                let dn = plain(&entry.dn);
                if !seen.insert(dn.clone()) {
                    continue;
                }
                if let Some(name) = only(&entry, &by.name_attribute) {
                    groups.insert((name, dn));
                }
                further.push(entry.dn);
            }
            if seen.len() > MAX_GROUPS {
                return Err(too_many(found));
            }
        }
        next = further;
        if next.is_empty() {
            break;
        }
    }
    Ok(groups.into_iter().collect())
}

/// Entries and the result code, which is 0 or that there are more. References to other directories are left out.
async fn search(
    ldap: &mut Ldap,
    base: &str,
    scope: Scope,
    filter: &str,
    attributes: Vec<&str>,
    most: usize,
) -> Result<(Vec<SearchEntry>, u32), Trouble> {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    let ldap3::SearchResult(entries, result) = ldap
        .with_search_options(SearchOptions::new().sizelimit(most).timelimit(4))
        .search(base, scope, filter, attributes)
        .await
        .map_err(|error| Trouble::Down(format!("a search failed: {error}")))?;
    if !matches!(result.rc, 0 | SIZE_LIMIT_EXCEEDED) {
        return Err(Trouble::Down(format!(
            "a search below `{base}` failed: {result}"
        )));
    }
    let entries = entries
        .into_iter()
        .filter(|entry| !entry.is_ref())
        .map(SearchEntry::construct)
        .collect();
    Ok((entries, result.rc))
}

fn too_many(found: &Found) -> Trouble {
    Trouble::Entry(format!(
        "`{}` is in too many groups, or they are nested too deep",
        found.dn
    ))
}

/// The values of an attribute, by its name in any case.
fn values(entry: &SearchEntry, attribute: &str) -> Vec<String> {
    let found = entry
        .attrs
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    found.map(|(_, values)| values.clone()).unwrap_or_default()
}

/// The first value that is there; directories give several mail addresses, the main one first.
fn only(entry: &SearchEntry, attribute: &str) -> Option<String> {
    let values = values(entry, attribute);
    let mut values = values.into_iter().map(|value| value.trim().to_owned());
    values.find(|value| !value.is_empty() && !value.chars().any(char::is_control))
}

/// The one value of an attribute that identifies: text, or bytes in hexadecimal.
fn identifier(entry: &SearchEntry, attribute: &str) -> Option<String> {
    let texts = values(entry, attribute);
    let bytes = entry
        .bin_attrs
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(attribute))
        .map_or(&[][..], |(_, values)| values.as_slice());
    match (texts.as_slice(), bytes) {
        ([text], []) if is_text(text) => Some(text.clone()),
        // Bytes that happen to be text are still bytes: one form for each value.
        ([text], []) if !text.is_empty() => Some(hex::encode(text.as_bytes())),
        ([], [bytes]) if !bytes.is_empty() => Some(hex::encode(bytes)),
        _ => None,
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
