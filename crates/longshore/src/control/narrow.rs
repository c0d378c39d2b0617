//! What a token is narrowed to, as people write it.

use longshore_auth::rights::{Action, ActionSet, Narrow};

/// Reads patterns of repositories, and the words `pull`, `push` and `delete`; none of either leaves everything.
///
/// # Errors
/// Which word is none of them, or which pattern is none.
pub(super) fn read(repositories: &[String], words: &[String]) -> anyhow::Result<Option<Narrow>> {
    if repositories.is_empty() && words.is_empty() {
        return Ok(None);
    }
    let mut actions = if words.is_empty() {
        ActionSet::ALL
    } else {
        ActionSet::of(&[Action::RepositoryList])
    };
    for word in words {
        actions = actions.or(match word.as_str() {
            "pull" => ActionSet::of(&[Action::RepositoryPull]),
            "push" => ActionSet::of(&[
                Action::RepositoryPush,
                Action::TagCreate,
                Action::NamespaceCreateRepository,
            ]),
            "delete" => ActionSet::of(&[Action::RepositoryDelete, Action::TagDelete]),
            other => anyhow::bail!("`{other}` is none of the actions pull, push and delete"),
        });
    }
    let repos = if repositories.is_empty() {
        None
    } else {
        Some(repositories.join(" ").parse()?)
    };
    Ok(Some(Narrow { actions, repos }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_and_patterns_narrow_and_nothing_leaves_everything() {
        assert_eq!(read(&[], &[]).unwrap(), None);
        let narrow = read(&words(&["acme/**"]), &words(&["pull"]))
            .unwrap()
            .unwrap();
        let (acme, other) = ("acme/a".parse().unwrap(), "b/a".parse().unwrap());
        assert!(narrow.leaves(Action::RepositoryPull, Some(&acme)));
        assert!(!narrow.leaves(Action::RepositoryPush, Some(&acme)));
        assert!(!narrow.leaves(Action::RepositoryPull, Some(&other)));
        assert!(read(&[], &words(&["fly"])).is_err());
        assert!(read(&words(&["***"]), &[]).is_err());
    }
}
