//! What is tried: which operations of the disk fail, and how, while what is done.

use rustix::io::Errno;

use crate::deed::Deed;
use crate::disk::plan::{Class, How, Plan};

/// The ways to fail.
pub(super) const WAYS: [How; 5] = [
    How::Fails(Errno::IO),
    How::Full,
    How::Torn(Errno::IO),
    How::CutBefore,
    How::CutAfter,
];

/// How many of a row of equal operations are tried where not all are, the first and the last among them.
pub(super) const RUN: usize = 6;
/// What is tried: while this is done, the operations with these numbers fail like this.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) act: Act,
    pub(super) plan: Plan,
}

/// What is done while the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Do(Deed),
    Start,
}

impl Act {
    pub(super) fn name(self) -> String {
        match self {
            Act::Do(deed) => format!("{deed:?}"),
            Act::Start => "Start".to_owned(),
        }
    }
}

/// An operation of the disk, and the file it was on.
pub(super) type Operation = (Class, String);

/// The places of operations worth trying where not all are: the same done to the same file again and again, as a log is written,
/// says little more by its hundredth time.
pub(super) fn some_of_each_run(seen: &[Operation]) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut begin = 0;
    for run in seen.chunk_by(|one, next| one == next) {
        let most = run.len().min(RUN);
        chosen.extend((0..most).map(|n| begin + n * (run.len() - 1) / (most - 1).max(1)));
        begin += run.len();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_equal_operations_the_first_the_last_and_some_between_are_tried_and_of_few_each() {
        let of = |class, name: &str, count| vec![(class, name.to_owned()); count];
        let seen = [
            of(Class::Create, "a", 1),
            of(Class::Write, "a", 101),
            of(Class::Sync, "a", 2),
        ];
        let chosen = some_of_each_run(&seen.concat());
        assert_eq!(chosen, [0, 1, 21, 41, 61, 81, 101, 102, 103]);
    }
}
