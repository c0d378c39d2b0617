//! What a thing may be, as far as the only client that changes it knows.

/// A value that was acknowledged, or the few values it may have while an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell<T> {
    /// Never empty; `None` is absence.
    may: Vec<Option<T>>,
    /// What it may be again after a restart, because what is seen instead was promised to nobody.
    again: Vec<Option<T>>,
}

impl<T> Default for Cell<T> {
    /// Absent, for sure.
    fn default() -> Self {
        Self {
            may: vec![None],
            again: Vec::new(),
        }
    }
}

impl<T: Clone + PartialEq> Cell<T> {
    /// It may be `value` too: somebody asked for that, and nobody knows yet what came of it.
    pub(crate) fn asked(&mut self, value: Option<T>) {
        if !self.may.contains(&value) {
            self.may.push(value);
        }
    }

    /// It is `value`: that was acknowledged.
    pub(crate) fn is(&mut self, value: Option<T>) {
        self.may = vec![value];
        self.again.clear();
    }

    /// It was found to be `value`. That stays so, but on a disk that fails (`hindered`) only for as long as the server runs:
    /// when the sync of the log fails readers see a commit whose writer was refused, and the restart that must follow may
    /// find it or not.
    pub(crate) fn found(&mut self, value: Option<T>, hindered: bool) {
        if !hindered {
            return self.is(value);
        }
        let before = std::mem::replace(&mut self.may, vec![value]);
        for value in before {
            if !self.may.contains(&value) && !self.again.contains(&value) {
                self.again.push(value);
            }
        }
    }

    /// The server was started anew: what was only seen is as open as it was before.
    pub(crate) fn restarted(&mut self) {
        for value in std::mem::take(&mut self.again) {
            self.asked(value);
        }
    }

    /// Something behind it in the log was acknowledged, so what was seen stays.
    pub(crate) fn stays(&mut self) {
        self.again.clear();
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

    /// Whether it is absent for sure, and stays so.
    pub(crate) fn surely_absent(&self) -> bool {
        matches!(self.may.as_slice(), [None]) && self.again.is_empty()
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

    #[test]
    fn what_was_seen_and_never_acknowledged_may_be_gone_after_a_restart_and_nothing_else_may_be_there()
     {
        let mut cell = Cell::default();
        cell.is(Some(1));
        cell.asked(Some(2));
        cell.found(Some(2), true);
        assert!(cell.allows(Some(&2)) && !cell.allows(Some(&1)));
        let mut kept = cell.clone();
        cell.restarted();
        assert!(cell.allows(Some(&2)) && cell.allows(Some(&1)));
        assert!(!cell.allows(None) && !cell.allows(Some(&3)));
        kept.stays();
        kept.restarted();
        assert_eq!(kept.surely(), Some(&2));
    }

    #[test]
    fn what_was_acknowledged_is_in_no_doubt_after_a_restart() {
        let mut cell = Cell::default();
        cell.asked(Some(1));
        cell.found(None, true);
        assert!(!cell.surely_absent());
        cell.is(Some(3));
        cell.restarted();
        assert_eq!(cell.surely(), Some(&3));
    }
}
