//! What is told about an LDAP directory.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// How people and groups are found in a directory.
#[derive(Clone)]
pub struct LdapOptions {
    /// Its name here, part of who its people are: once people have logged in, it must stay.
    pub name: String,
    /// Where it is: `ldaps://HOST[:PORT]`, or `ldap://HOST[:PORT]` with `start_tls`; plain `ldap` to loopback only.
    pub url: String,
    /// Whether a connection to `ldap://` is secured before anything is said on it.
    pub start_tls: bool,
    /// PEM certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Who searches; none: nobody in particular.
    pub bind_dn: Option<String>,
    /// The password of who searches.
    pub bind_password: Option<Zeroizing<String>>,
    /// Below which name people are.
    pub user_base: String,
    /// Which of them logs in: an RFC 4515 filter in which `{user}` stands for the name.
    pub user_filter: String,
    /// The attribute that never changes and is never given to another: `entryUUID`, or `objectGUID` of Active Directory.
    /// None: the distinguished name.
    pub id_attribute: Option<String>,
    /// The attribute that is the user's name here.
    pub name_attribute: String,
    /// The attribute with the mail address.
    pub mail_attribute: String,
    /// The attribute with the full name.
    pub full_name_attribute: String,
    /// How groups are found.
    pub groups: Groups,
    /// The group whose members administer this system: its name, or its distinguished name.
    pub admin_group: Option<String>,
    /// How long one login may take there.
    pub deadline: Duration,
    /// How many logins ask at a time; as many connections are kept.
    pub connections: usize,
}

impl LdapOptions {
    /// A directory of this name, at this URL, with people below `user_base`; the rest as OpenLDAP has it.
    pub fn new(
        name: impl Into<String>,
        url: impl Into<String>,
        user_base: impl Into<String>,
    ) -> Self {
        LdapOptions {
            name: name.into(),
            url: url.into(),
            start_tls: false,
            ca_file: None,
            bind_dn: None,
            bind_password: None,
            user_base: user_base.into(),
            user_filter: "(&(objectClass=inetOrgPerson)(uid={user}))".to_owned(),
            id_attribute: Some("entryUUID".to_owned()),
            name_attribute: "uid".to_owned(),
            mail_attribute: "mail".to_owned(),
            full_name_attribute: "cn".to_owned(),
            groups: Groups::None,
            admin_group: None,
            deadline: Duration::from_secs(4),
            connections: 4,
        }
    }

    /// The same as Active Directory has it: `sAMAccountName`, `objectGUID`, and groups by its own rule for nested ones.
    #[must_use]
    pub fn active_directory(mut self, group_base: impl Into<String>) -> Self {
        "(&(objectCategory=person)(objectClass=user)(sAMAccountName={user}))"
            .clone_into(&mut self.user_filter);
        self.id_attribute = Some("objectGUID".to_owned());
        "sAMAccountName".clone_into(&mut self.name_attribute);
        "displayName".clone_into(&mut self.full_name_attribute);
        self.groups = Groups::Search(GroupSearch {
            filter: "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))".to_owned(),
            depth: 1,
            ..GroupSearch::below(group_base)
        });
        self
    }
}

impl fmt::Debug for LdapOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapOptions")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// How the groups of a person are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Not at all: the directory has no say in them.
    None,
    /// By this attribute of the person (`memberOf`), whose values are distinguished names, and by the same attribute of
    /// those groups.
    Attribute {
        /// The attribute.
        attribute: String,
        /// Below which name groups count; the first value of the name of each is its name here.
        base: String,
        /// How many steps from a person to a group; 1: groups in groups do not count.
        depth: usize,
    },
    /// By a search for groups that have the person as a member, and then for groups that have those.
    Search(GroupSearch),
}

/// A search for groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSearch {
    /// Below which name they are.
    pub base: String,
    /// Which have the member: a filter in which `{dn}` stands for its distinguished name, and `{user}` for the user's name.
    pub filter: String,
    /// The attribute that is the group's name here.
    pub name_attribute: String,
    /// How many steps from a person to a group; 1: groups in groups do not count.
    pub depth: usize,
}

impl GroupSearch {
    /// Groups below `base` as OpenLDAP has them, five steps deep.
    pub fn below(base: impl Into<String>) -> Self {
        GroupSearch {
            base: base.into(),
            filter: "(&(objectClass=groupOfNames)(member={dn}))".to_owned(),
            name_attribute: "cn".to_owned(),
            depth: 5,
        }
    }
}
