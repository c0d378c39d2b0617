//! The things that a client may do.

/// One thing that a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Image,
    Index,
    Referrer,
    Blob,
    Retag,
    Mount,
    Part,
    Extend,
    Finish,
    GiveUp,
    Lie,
    DeleteTag,
    DeleteManifest,
    DeleteBlob,
    Read,
}

/// Every deed, for those who want to try each.
pub(crate) const DEEDS: [Deed; 15] = [
    Deed::Image,
    Deed::Index,
    Deed::Referrer,
    Deed::Blob,
    Deed::Retag,
    Deed::Mount,
    Deed::Part,
    Deed::Extend,
    Deed::Finish,
    Deed::GiveUp,
    Deed::Lie,
    Deed::DeleteTag,
    Deed::DeleteManifest,
    Deed::DeleteBlob,
    Deed::Read,
];
