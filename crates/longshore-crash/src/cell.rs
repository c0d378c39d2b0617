//! What a thing may be, as far as the only client that changes it knows.

/// A value that was acknowledged, or the few values it may have while an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell<T> {
    /// Never empty; `None` is absence.
    may: Vec<Option<T>>,
}

impl<T> Default for Cell<T> {
    /// Absent, for sure.
    fn default() -> Self {
        Self { may: vec![None] }
    }
}

impl<T: Clone + PartialEq> Cell<T> {
    /// It may be `value` too: somebody asked for that, and nobody knows yet what came of it.
    pub(crate) fn asked(&mut self, value: Option<T>) {
        if !self.may.contains(&value) {
            self.may.push(value);
        }
    }

    /// It is `value`: that was acknowledged, or seen.
    pub(crate) fn is(&mut self, value: Option<T>) {
        self.may = vec![value];
    }

    /// Whether it may be `value`.
    pub(crate) fn allows(&self, value: Option<&T>) -> bool {
        self.may.iter().any(|may| may.as_ref() == value)
    }

    /// What it is for sure; `None` when that is absence or not known.
    pub(crate) fn surely(&self) -> Option<&T> {
        match self.may.as_slice() {
            [Some(value)] => Some(value),
            _ => None,
        }
    }

    /// Whether it is absent for sure.
    pub(crate) fn surely_absent(&self) -> bool {
        matches!(self.may.as_slice(), [None])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_an_answer_leaves_the_old_and_the_new_value_possible() {
        let mut cell = Cell::default();
        assert!(cell.surely_absent());
        cell.is(Some(1));
        cell.asked(Some(2));
        cell.asked(Some(2));
        assert!(cell.allows(Some(&1)) && cell.allows(Some(&2)));
        assert!(!cell.allows(None) && !cell.allows(Some(&3)));
        assert_eq!(cell.surely(), None);
        cell.is(Some(2));
        assert_eq!((cell.surely(), cell.allows(Some(&1))), (Some(&2), false));
    }
}
