//! Directories: the keys of `[index.ldap.NAME]` and what they amount to.

use std::path::PathBuf;
use std::time::Duration;

use longshore_auth::SetupError;
use longshore_auth::directory::ldap::{GroupSearch, Groups, LdapOptions};
use longshore_hub::arrivals::{RuleError, Rules, TeamRule};
use zeroize::Zeroizing;

use super::key::section;
use super::problem::Problem;
use super::reader::Reader;
use super::secret::Secret;
use super::settings::Settings;
use super::value::choice;

choice! {
    /// What kind of directory it is.
    Schema {
        /// OpenLDAP and others that follow RFC 2798.
        OpenLdap = "openldap",
        /// Active Directory.
        ActiveDirectory = "active-directory",
    }
}

section! {
    /// A directory (LDAP, Active Directory) whose people log in with their passwords there. NAME is yours: lower-case letters,
    /// digits and `-`; it is part of who these people are, so it must stay. There may be several.
    LdapKeys at "index.ldap.NAME" since "0.1.0" {
        /// Where it is: `ldaps://HOST[:PORT]`, or `ldap://HOST[:PORT]` with `start_tls`; plain `ldap` to loopback only.
        url: Option<String> = None,
        /// Secure a connection to `ldap://` before anything is said on it.
        start_tls: bool = false,
        /// A file with the certificates that are trusted there in place of the system's, PEM.
        ca_file: Option<PathBuf> = None,
        /// Who searches; unset, nobody in particular.
        bind_dn: Option<String> = None,
        /// The password of who searches.
        bind_password: Option<Secret> = None,
        /// What kind of directory it is: `openldap` or `active-directory`. The keys below have its defaults.
        schema: Schema = Schema::OpenLdap,
        /// Below which name people are.
        user_base: Option<String> = None,
        /// Which of them logs in: a filter in which `{user}` stands for the name.
        user_filter: Option<String> = None,
        /// The attribute that never changes and is never given to another (`entryUUID`, `objectGUID`).
        id_attribute: Option<String> = None,
        /// The attribute that is the user's name here (`uid`, `sAMAccountName`).
        name_attribute: Option<String> = None,
        /// The attribute with the mail address (`mail`).
        mail_attribute: Option<String> = None,
        /// The attribute with the full name (`cn`, `displayName`).
        full_name_attribute: Option<String> = None,
        /// Below which name groups are; unset, groups are not looked for.
        group_base: Option<String> = None,
        /// Which groups have a member: a filter in which `{dn}` stands for the member's distinguished name.
        group_filter: Option<String> = None,
        /// The attribute of a person that names its groups (`memberOf`), where that is to be read and no filter.
        group_attribute: Option<String> = None,
        /// The attribute that is a group's name here (`cn`).
        group_name_attribute: Option<String> = None,
        /// How many steps from a person to a group; 1 leaves groups in groups out.
        group_depth: Option<std::num::NonZeroU32> = None,
        /// The group whose members administer this system: its name or distinguished name.
        admin_group: Option<String> = None,
        /// Which groups make members of which organisations and teams: `GROUP = ORGANISATION`, `GROUP = ORGANISATION/TEAM`,
        /// or `* = ORGANISATION/*` for teams that are called as their groups. What they say takes the place of what they said
        /// at the login before.
        teams: Vec<String> = Vec::new(),
        /// Make an account for somebody who logs in for the first time.
        onboard: bool = true,
        /// Which of several directories is asked first: the one with the least number, then by name.
        order: u32 = 100,
        /// How long one login may take there; at most 5 seconds, which all directories share.
        timeout: Duration = Duration::from_secs(4),
        /// How many logins may ask at a time.
        connections: std::num::NonZeroU32 = std::num::NonZeroU32::MIN.saturating_add(3),
    }
}

/// A directory.
#[derive(Debug, Clone)]
pub struct Ldap {
    /// How it is asked.
    pub options: LdapOptions,
    /// What is done with its people.
    pub rules: Rules,
}

impl PartialEq for Ldap {
    fn eq(&self, other: &Self) -> bool {
        // Two of one name are from one table; the rest is in the settings.
        self.options.name == other.options.name && self.rules == other.rules
    }
}

/// The directories that the keys amount to, in the order in which they are asked.
pub(super) fn choose(settings: &Settings, origins: &Reader) -> Result<Vec<Ldap>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut tables: Vec<_> = settings.ldap.0.iter().collect();
    tables.sort_by_key(|(name, keys)| (keys.order, name.as_str()));
    let mut found = Vec::new();
    for (name, keys) in tables {
        let section = format!("index.ldap.{name}");
        let wrong = |key: &str, what: String| {
            let place = [format!("{section}.{key}"), section.clone()];
            let places: Vec<&str> = place.iter().map(String::as_str).collect();
            Problem::new(origins.place_of_any(&places), what)
        };
        let mut missing = |key: &str, hint: &str| {
            problems.push(wrong(key, format!("`{section}.{key}` is missing")).hint(hint));
        };
        if keys.url.is_none() {
            missing(
                "url",
                "say where the directory is, as in \"ldaps://ldap.example\"",
            );
        }
        if keys.user_base.is_none() {
            missing(
                "user_base",
                "say where its people are, as in \"ou=people,dc=example\"",
            );
        }
        if keys.timeout.is_zero() || keys.timeout > longshore_auth::directory::LOGIN_WITHIN {
            problems.push(
                wrong(
                    "timeout",
                    format!("`{section}.timeout` must be more than nothing and at most 5 seconds"),
                )
                .hint("a login is answered within 5 seconds, whatever is down"),
            );
        }
        let rules = Rules {
            onboard: keys.onboard,
            teams: team_rules(&keys.teams, |text, error| {
                problems.push(
                    wrong("teams", format!("`{section}.teams`: `{text}` is no rule"))
                        .hint(error.to_string()),
                );
            }),
        };
        if !keys.teams.is_empty() && keys.group_base.is_none() {
            problems.push(
                wrong(
                    "teams",
                    format!("`{section}.teams` is set, and groups are not looked for"),
                )
                .hint("set `group_base`"),
            );
        }
        let options = options(name, keys);
        if problems.is_empty()
            && let Err(SetupError::Option { option, problem }) = options.check()
        {
            problems.push(wrong(option, format!("`{section}.{option}`: {problem}")));
        }
        found.push(Ldap { options, rules });
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

/// The rules that texts say; what is none is told to `wrong`.
pub(super) fn team_rules(
    texts: &[String],
    mut wrong: impl FnMut(&str, RuleError),
) -> Vec<TeamRule> {
    let read = texts
        .iter()
        .filter_map(|text| text.parse().inspect_err(|error| wrong(text, *error)).ok());
    read.collect()
}

/// The keys as the library knows them.
fn options(name: &str, keys: &LdapKeys) -> LdapOptions {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut options = LdapOptions::new(name, text(&keys.url), text(&keys.user_base));
    let base = keys.group_base.clone();
    if keys.schema == Schema::ActiveDirectory {
        options = options.active_directory(base.clone().unwrap_or_default());
    }
    options.start_tls = keys.start_tls;
    options.ca_file.clone_from(&keys.ca_file);
    options.bind_dn.clone_from(&keys.bind_dn);
    let password = keys.bind_password.as_ref();
    options.bind_password = password.map(|it| Zeroizing::new(it.expose().to_owned()));
    let set = |to: &mut String, from: &Option<String>| {
        if let Some(from) = from {
            from.clone_into(to);
        }
    };
    set(&mut options.user_filter, &keys.user_filter);
    set(&mut options.name_attribute, &keys.name_attribute);
    set(&mut options.mail_attribute, &keys.mail_attribute);
    set(&mut options.full_name_attribute, &keys.full_name_attribute);
    if keys.id_attribute.is_some() {
        options.id_attribute.clone_from(&keys.id_attribute);
    }
    options.groups = match base {
        None => Groups::None,
        Some(base) => groups(base, keys, &options.groups),
    };
    options.admin_group.clone_from(&keys.admin_group);
    options.deadline = keys.timeout;
    options.connections = keys.connections.get().try_into().unwrap_or(usize::MAX);
    options
}

fn groups(base: String, keys: &LdapKeys, usual: &Groups) -> Groups {
    let depth = keys
        .group_depth
        .map(|depth| usize::try_from(depth.get()).unwrap_or(usize::MAX));
    if let Some(attribute) = &keys.group_attribute {
        return Groups::Attribute {
            attribute: attribute.clone(),
            base,
            depth: depth.unwrap_or(5),
        };
    }
    let mut search = match usual {
        Groups::Search(search) => search.clone(),
        _ => GroupSearch::below(base),
    };
    if let Some(filter) = &keys.group_filter {
        search.filter.clone_from(filter);
    }
    if let Some(name) = &keys.group_name_attribute {
        search.name_attribute.clone_from(name);
    }
    search.depth = depth.unwrap_or(search.depth);
    Groups::Search(search)
}
