//! Which groups of a source make members of which organisations and teams.

use std::fmt;
use std::str::FromStr;

/// A group of a source, and what its members are here: `engineers = acme` makes them members of the organisation `acme`,
/// `engineers = acme/web` of its team `web` too, `* = acme/*` of the team that is called as the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRule {
    /// The group; none: any.
    group: Option<String>,
    pub(super) organisation: String,
    pub(super) team: Team,
}

/// Which team of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Team {
    None,
    Named(String),
    OfGroup,
}

/// A text is no such rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write `GROUP = ORGANISATION`, `GROUP = ORGANISATION/TEAM` or `* = ORGANISATION/*`")]
pub struct RuleError;

impl TeamRule {
    /// Whether it is about this group.
    pub(super) fn fits(&self, group: &str) -> bool {
        self.group.as_deref().is_none_or(|own| own == group)
    }
}

impl FromStr for TeamRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        // A group's name may have a `=` in it, a distinguished name has; those of ours have none.
        let (group, party) = text.rsplit_once('=').ok_or(RuleError)?;
        let (group, party) = (group.trim(), party.trim());
        let (organisation, team) = match party.split_once('/') {
            None => (party, Team::None),
            Some((organisation, "*")) => (organisation, Team::OfGroup),
            Some((organisation, team)) => (organisation, Team::Named(team.to_owned())),
        };
        let is_name = |name: &str| crate::names::check(name).is_ok();
        let is_team = match &team {
            Team::Named(name) => is_name(name),
            Team::None | Team::OfGroup => true,
        };
        let group = match group {
            "" => return Err(RuleError),
            // Whoever the source knows would be in one team, which needs no groups.
            "*" if team != Team::OfGroup => return Err(RuleError),
            "*" => None,
            own => Some(own.to_owned()),
        };
        if !is_name(organisation) || !is_team {
            return Err(RuleError);
        }
        Ok(Self {
            group,
            organisation: organisation.to_owned(),
            team,
        })
    }
}

impl fmt::Display for TeamRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.group.as_deref().unwrap_or("*");
        write!(f, "{group} = {}", self.organisation)?;
        match &self.team {
            Team::None => Ok(()),
            Team::Named(name) => write!(f, "/{name}"),
            Team::OfGroup => f.write_str("/*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_group_and_an_organisation_or_team_of_ours() {
        for good in [
            "staff = acme",
            "staff = acme/web",
            "* = acme/*",
            "engineers = acme/*",
            "cn=web,ou=groups = acme/web",
            "Domain Users = acme",
        ] {
            let rule: TeamRule = good.parse().unwrap();
            assert_eq!(rule.to_string(), good);
        }
        for bad in [
            "",
            "staff",
            "= acme",
            "staff =",
            "* = acme",
            "* = acme/web",
            "staff = acme/web/deep",
            "staff = Acme",
            "staff = acme/",
            "staff = */web",
        ] {
            assert_eq!(bad.parse::<TeamRule>(), Err(RuleError), "{bad}");
        }
        let one: TeamRule = "staff = acme".parse().unwrap();
        assert!(one.fits("staff") && !one.fits("Staff") && !one.fits(""));
        assert!("* = acme/*".parse::<TeamRule>().unwrap().fits("any"));
    }
}
