//! The stores that lines work on.

use crate::fill::Shape;
use crate::peer::Program;

/// On what a line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// On the seeded store, by the server that is up.
    Seeded,
    /// On the seeded store, by a server started for this round: what counts is its memory.
    Restarted,
    /// On an empty store, by a server started for this round; both are gone after it.
    Empty,
    /// On a store that was filled with so much, by the server that is up.
    Filled(Size),
    /// The same by a server started for this round.
    FilledRestarted(Size),
    /// On an empty store, by a server started for this round that collects only when it is told to.
    Littered,
    /// On a store of its own, by a server that keeps accounts and is up.
    Indexed,
}

/// How much a filled store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    /// A thousand of most things.
    Few,
    /// A million of most things.
    Many,
}

impl Store {
    /// How much it holds, if it is a filled one.
    pub(crate) fn size(self) -> Option<Size> {
        match self {
            Self::Filled(size) | Self::FilledRestarted(size) => Some(size),
            _ => None,
        }
    }

    /// Whether it is gone after each round.
    pub(crate) fn is_new(self) -> bool {
        matches!(self, Self::Empty | Self::Littered)
    }

    /// Whether a server is started for each round.
    pub(crate) fn restarts(self) -> bool {
        matches!(self, Self::Restarted | Self::FilledRestarted(_))
    }
}

impl Size {
    /// What `program` is given. With `quick`, much is a tenth of it.
    pub(crate) fn shape(self, program: Program, quick: bool) -> Shape {
        let shape = match (self, quick) {
            (Self::Few, _) => Shape::SMALL,
            (Self::Many, false) => Shape::BIG,
            (Self::Many, true) => Shape::BIG.tenth(),
        };
        // The others keep a directory for each tag: more would take longer to write than all that is measured.
        match program {
            Program::Longshore => shape,
            _ => Shape {
                tags: shape.tags.min(100_000),
                repositories: 1_000,
                ..shape
            },
        }
    }
}
