//! What is to go wrong, and when.

use rustix::io::Errno;

/// A kind of operation that changes a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Create,
    MakeDir,
    Write,
    Length,
    Sync,
    SyncDir,
    Rename,
    Unlink,
}

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It fails, once.
    Fails(Errno),
    /// It and all that need room fail from now on, until the plan is lifted.
    Full,
    /// Half of it is done, then it fails; only writes can be halved.
    Torn(Errno),
    /// The power goes before it.
    CutBefore,
    /// The power goes after it, before anybody hears of it.
    CutAfter,
}

/// What is to go wrong.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// At which operations, counted from 0 where the plan is made.
    pub(crate) at: Vec<usize>,
    pub(crate) how: How,
}

/// What to do with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Fail(Errno),
    Half(Errno),
    /// Do it, and then be cut off.
    GoAndCut,
}

/// The plan under way, and what has been seen of operations.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    plan: Option<Plan>,
    /// Every operation since the plan was made.
    pub(crate) seen: Vec<(Class, String)>,
    /// What was made to go wrong.
    pub(crate) fired: Vec<Class>,
    /// Whether the power is gone.
    pub(crate) cut: bool,
    full: bool,
}

impl Fate {
    /// Begins to count anew, with this plan.
    pub(crate) fn plan(&mut self, plan: Option<Plan>) {
        *self = Self {
            plan,
            cut: self.cut,
            ..Self::default()
        };
    }

    /// Decides about an operation on the file `name`.
    pub(crate) fn judge(&mut self, class: Class, name: &str) -> Verdict {
        if self.cut {
            return Verdict::Fail(Errno::IO);
        }
        let number = self.seen.len();
        self.seen.push((class, name.to_owned()));
        let needs_room = matches!(class, Class::Create | Class::MakeDir | Class::Write);
        if self.full && needs_room {
            return Verdict::Fail(Errno::NOSPC);
        }
        let Some(plan) = self.plan.as_ref().filter(|plan| plan.at.contains(&number)) else {
            return Verdict::Go;
        };
        self.fired.push(class);
        match plan.how {
            How::Full => {
                self.full = true;
                if needs_room {
                    Verdict::Fail(Errno::NOSPC)
                } else {
                    Verdict::Go
                }
            }
            How::Torn(errno) if class == Class::Write => Verdict::Half(errno),
            How::Fails(errno) | How::Torn(errno) => Verdict::Fail(errno),
            How::CutBefore => {
                self.cut = true;
                Verdict::Fail(Errno::IO)
            }
            How::CutAfter => {
                self.cut = true;
                Verdict::GoAndCut
            }
        }
    }
}
