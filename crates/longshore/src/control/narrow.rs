//! What a token is narrowed to, as people write it.

use longshore_auth::rights::{Action, Narrow};
use serde_json::{Map, Value, json};

use super::operation::State;

/// Reads patterns of repositories, and the words `pull`, `push` and `delete`; none of either leaves everything.
///
/// # Errors
/// Which word is none of them, or which pattern is none.
pub(super) fn read(repositories: &[String], words: &[String]) -> anyhow::Result<Option<Narrow>> {
    let repositories: Vec<&str> = repositories.iter().map(String::as_str).collect();
    let words = words.iter().map(String::as_str);
    Ok(Narrow::of_words(&repositories, words)?)
}

/// What a scope leaves, with repositories by the names they have now; nothing where it leaves everything.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn shown(state: &State, scope: Option<&str>) -> anyhow::Result<Option<Value>> {
    let found = state.hub()?.limits(&state.operator(), scope).await?;
    Ok(found.map(|left| {
        let actions: Vec<_> = left.actions.iter().map(Action::name).collect();
        let mut shown = Map::from_iter([("actions".to_owned(), json!(actions))]);
        if let Some(repositories) = left.repositories {
            shown.insert("repositories".to_owned(), repositories.into());
        }
        if !left.by_name.is_empty() {
            shown.insert("by_name".to_owned(), left.by_name.into());
        }
        Value::Object(shown)
    }))
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
        assert!(narrow.leaves(Action::RepositoryPull, Some((&acme, None))));
        assert!(!narrow.leaves(Action::RepositoryPush, Some((&acme, None))));
        assert!(!narrow.leaves(Action::RepositoryPull, Some((&other, None))));
        assert!(read(&[], &words(&["fly"])).is_err());
        assert!(read(&words(&["***"]), &[]).is_err());
    }
}
