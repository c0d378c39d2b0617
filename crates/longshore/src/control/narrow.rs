//! What a token is narrowed to, as people write it.

use longshore_auth::rights::Narrow;

/// Reads patterns of repositories, and the words `pull`, `push` and `delete`; none of either leaves everything.
///
/// # Errors
/// Which word is none of them, or which pattern is none.
pub(super) fn read(repositories: &[String], words: &[String]) -> anyhow::Result<Option<Narrow>> {
    let repositories: Vec<&str> = repositories.iter().map(String::as_str).collect();
    let words = words.iter().map(String::as_str);
    Ok(Narrow::of_words(&repositories, words)?)
}

#[cfg(test)]
mod tests {
    use longshore_auth::rights::Action;

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
