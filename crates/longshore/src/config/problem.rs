//! What is wrong with a configuration, in words for the person who wrote it.
//!
//! Reading goes on after a problem, so that one run shows them all.

use std::fmt;

use super::origin::Origin;

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the value was read.
    pub at: Origin,
    /// What is wrong; one sentence without a full stop.
    pub what: String,
    /// The next step, where there is an obvious one.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem that has no hint yet.
    pub fn new(at: Origin, what: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            hint: None,
        }
    }

    /// The same with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if self.at != Origin::Default {
            write!(f, "{}: ", self.at)?;
        }
        f.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Everything that keeps a configuration from being used; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// The one of `known` that `word` is most likely a slip of, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance * 3 <= candidate.chars().count().max(3))
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed or swapped with their
/// neighbour to get from one word to the other; a swap counts once because it is the commonest slip.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut two_back: Vec<usize> = Vec::new();
    let mut back: Vec<usize> = (0..=to.len()).collect();
    let mut before: Option<char> = None;
    for (row, letter) in from.chars().enumerate() {
        let mut now = vec![row + 1];
        for (column, &wanted) in to.iter().enumerate() {
            let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = cost(&back, column) + usize::from(letter != wanted);
            best = best
                .min(cost(&back, column + 1) + 1)
                .min(cost(&now, column) + 1);
            let swapped =
                column > 0 && before == Some(wanted) && to.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(cost(&two_back, column - 1) + 1);
            }
            now.push(best);
        }
        before = Some(letter);
        two_back = std::mem::replace(&mut back, now);
    }
    back.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_only_when_it_is_near() {
        let known = ["limits.manifest", "limits.page", "listen"];
        assert_eq!(nearest("limits.manfiest", known), Some("limits.manifest"));
        assert_eq!(nearest("listne", known), Some("listen"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn distance_counts_edits_and_a_swap_once() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abdc", "abcd"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
