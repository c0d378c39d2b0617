//! What a credential leaves of its principal's rights: a personal token's scope, a robot's secret's.

use longshore_spec::name::RepoName;
use longshore_spec::pattern::RepoPatterns;
use serde::{Deserialize, Serialize};

use super::action::{Action, ActionSet, Place};

/// A narrowing. It never gives anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrow {
    /// The actions it leaves.
    pub actions: ActionSet,
    /// The repositories it leaves, as patterns of whole names; `None`, and no `ids`: all, and what is no repository.
    pub repos: Option<RepoPatterns>,
    /// Repositories it leaves whatever they are called.
    pub ids: Vec<i64>,
}

/// As it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    actions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repositories: Option<Vec<String>>,
    // A version that does not know it takes the whole for unreadable, and leaves nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    repository_ids: Vec<i64>,
}

/// Why a text is no narrowing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarrowError {
    /// Not the shape of one.
    #[error("a scope is an object of `actions` and, perhaps, `repositories`")]
    Shape,
    /// An action that there is not.
    #[error("there is no action `{0}`")]
    Action(String),
    /// A word that is none of the few for actions.
    #[error("`{0}` is none of the actions pull, push and delete")]
    Word(String),
    /// A pattern that is none.
    #[error(transparent)]
    Pattern(#[from] longshore_spec::PatternError),
}

impl Narrow {
    /// Reads `{"actions": ["repository:pull"], "repositories": ["acme/**"]}`.
    ///
    /// # Errors
    /// It is not that. A scope that cannot be read is never taken for none.
    pub fn parse(json: &str) -> Result<Self, NarrowError> {
        let written: Written = serde_json::from_str(json).map_err(|_| NarrowError::Shape)?;
        let mut actions = ActionSet::NONE;
        for name in written.actions {
            match name.parse::<Action>() {
                Ok(action) => actions = actions.with(action),
                Err(_) => return Err(NarrowError::Action(name)),
            }
        }
        let repos = match written.repositories {
            None => None,
            Some(list) if list.iter().any(|word| word.contains(' ')) => {
                return Err(NarrowError::Pattern(
                    longshore_spec::PatternError::Character,
                ));
            }
            Some(list) => Some(list.join(" ").parse()?),
        };
        let ids = written.repository_ids;
        Ok(Self {
            actions,
            repos,
            ids,
        })
    }

    /// From what people write: patterns of repositories, and the words `pull`, `push` and `delete`. None of either leaves
    /// everything.
    ///
    /// # Errors
    /// Which word is none of them, or that a pattern is none.
    pub fn of_words<'a>(
        repositories: &[&str],
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Self>, NarrowError> {
        let mut words = words.into_iter().peekable();
        if repositories.is_empty() && words.peek().is_none() {
            return Ok(None);
        }
        let mut actions = if words.peek().is_none() {
            ActionSet::ALL
        } else {
            ActionSet::of(&[Action::RepositoryList])
        };
        for word in words {
            actions = actions.or(match word {
                "pull" => ActionSet::of(&[Action::RepositoryPull]),
                "push" => ActionSet::of(&[
                    Action::RepositoryPush,
                    Action::TagCreate,
                    Action::NamespaceCreateRepository,
                ]),
                "delete" => ActionSet::of(&[Action::RepositoryDelete, Action::TagDelete]),
                other => return Err(NarrowError::Word(other.to_owned())),
            });
        }
        let repos = if repositories.is_empty() {
            None
        } else {
            Some(repositories.join(" ").parse()?)
        };
        Ok(Some(Self {
            actions,
            repos,
            ids: Vec::new(),
        }))
    }

    /// As [`Narrow::parse`] reads it.
    pub fn to_json(&self) -> String {
        let written = Written {
            actions: self.actions.iter().map(|it| it.name().to_owned()).collect(),
            repositories: self
                .repos
                .as_ref()
                .map(|list| list.iter().map(ToString::to_string).collect()),
            repository_ids: self.ids.clone(),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Whether it leaves `action`, on `repo` where one is asked about: by the name that was used, and by its id where it is there.
    pub fn leaves(&self, action: Action, repo: Option<(&RepoName, Option<i64>)>) -> bool {
        if !self.actions.has(action) {
            return false;
        }
        match repo {
            _ if !self.is_of_some() => true,
            Some((name, id)) => {
                let named = |list: &RepoPatterns| list.matches(name.as_str());
                self.repos.as_ref().is_some_and(named)
                    || id.is_some_and(|id| self.ids.contains(&id))
            }
            // What is about more than repositories is more than some repositories.
            None => false,
        }
    }

    /// Whether it leaves some repositories and not all.
    pub fn is_of_some(&self) -> bool {
        self.repos.is_some() || !self.ids.is_empty()
    }

    /// Whether what it leaves is of repositories alone.
    pub fn is_of_repositories(&self) -> bool {
        self.actions
            .iter()
            .all(|action| action.about().place == Place::Repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_what_it_names_where_it_names_it() {
        let narrow =
            Narrow::parse(r#"{"actions":["repository:pull"],"repositories":["acme/**"]}"#).unwrap();
        let (acme, other) = ("acme/a/b".parse().unwrap(), "other/a".parse().unwrap());
        assert!(narrow.leaves(Action::RepositoryPull, Some((&acme, None))));
        assert!(!narrow.leaves(Action::RepositoryPull, Some((&other, Some(7)))));
        assert!(!narrow.leaves(Action::RepositoryPush, Some((&acme, None))));
        assert!(!narrow.leaves(Action::RepositoryPull, None));
        assert_eq!(Narrow::parse(&narrow.to_json()), Ok(narrow.clone()));
        assert!(narrow.is_of_repositories());
    }

    #[test]
    fn a_repository_is_left_by_its_id_under_any_name_and_a_name_by_no_other() {
        let narrow = Narrow::parse(r#"{"actions":["repository:pull"],"repository_ids":[7]}"#);
        let narrow = narrow.unwrap();
        let name = "acme/a".parse().unwrap();
        let leaves = |id| narrow.leaves(Action::RepositoryPull, Some((&name, id)));
        assert!(leaves(Some(7)) && !leaves(Some(8)) && !leaves(None));
        assert!(!narrow.leaves(Action::RepositoryPull, None));
        assert_eq!(Narrow::parse(&narrow.to_json()), Ok(narrow.clone()));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_no_narrowing() {
        for json in [
            "",
            "{}",
            "null",
            "[]",
            r#"{"actions":["fly"]}"#,
            r#"{"actions":"repository:pull"}"#,
            r#"{"actions":[],"repositories":[]}"#,
            r#"{"actions":[],"repositories":["a b"]}"#,
            r#"{"actions":[],"repositories":["***"]}"#,
            r#"{"actions":[],"repos":["a"]}"#,
        ] {
            assert!(Narrow::parse(json).is_err(), "{json}");
        }
    }
}
