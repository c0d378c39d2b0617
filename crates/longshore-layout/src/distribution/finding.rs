//! What is wrong with a tree, or left over in it; each with its place and a sentence.

use std::fmt;

use longshore_spec::name::RepoName;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something that a name or a manifest promises cannot be pulled.
    Loss = 0,
    /// A leftover, or something odd that is taken all the same: nothing that could be pulled is missing.
    Left = 1,
}

impl Weight {
    /// The word for it in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Weight::Loss => "loss",
            Weight::Left => "left",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $weight:ident;)+) => {
        /// What kind of thing was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)+ }

        impl Kind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)+];

            /// The kind's name in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $text,)+ }
            }

            /// How much it matters.
            pub const fn weight(self) -> Weight {
                match self { $(Kind::$name => Weight::$weight,)+ }
            }
        }
    };
}

kinds! {
    /// A tag points to a manifest that the repository does not have, or that could not be taken.
    DanglingTag = "dangling-tag", Loss;
    /// A tag's link is missing, empty or no digest.
    BrokenTag = "broken-tag", Loss;
    /// A manifest's link is empty, no digest, or another one.
    BrokenRevision = "broken-revision", Loss;
    /// A manifest is linked, and its bytes are gone.
    MissingManifest = "missing-manifest", Loss;
    /// A manifest's bytes are not those of its digest.
    DamagedManifest = "damaged-manifest", Loss;
    /// A Docker manifest of schema 1.
    Schema1 = "schema-1", Loss;
    /// What is linked as a manifest cannot be understood as one.
    RefusedManifest = "refused-manifest", Loss;
    /// An index lists a manifest that the repository does not have, or that could not be taken.
    MissingChild = "missing-child", Loss;
    /// A manifest needs a blob that the repository holds no link to.
    UnlinkedBlob = "unlinked-blob", Loss;
    /// A manifest needs a blob whose bytes are gone.
    MissingBlob = "missing-blob", Loss;
    /// A blob's bytes are not those of its digest.
    DamagedBlob = "damaged-blob", Loss;
    /// Something cannot be read: rights, or the disk.
    Unreadable = "unreadable", Loss;
    /// A symbolic link where the registry writes none; it is not followed.
    SymbolicLink = "symbolic-link", Loss;
    /// A directory that cannot be the name of a repository; nothing below it was looked at.
    NotAName = "not-a-name", Loss;
    /// A name below a repository that is not a tag or not a digest of an algorithm that is known.
    BadEntry = "bad-entry", Loss;
    /// A repository that was written to while it was read.
    Changed = "changed", Loss;
    /// A link to a blob is empty, no digest, or another one, and no manifest needs the blob.
    BrokenLink = "broken-link", Left;
    /// A manifest says another size of a blob than it has, and the blob is right.
    SizeDiffers = "size-differs", Left;
    /// A manifest of a media type that is neither OCI's nor Docker's; it is taken.
    UnknownType = "unknown-type", Left;
    /// A link to a blob that is gone and that no manifest needs, as a garbage collection leaves it.
    LayerGone = "layer-gone", Left;
    /// A manifest or blob was deleted, and its directory remained.
    Deleted = "deleted", Left;
    /// An upload that was not finished.
    Upload = "upload", Left;
    /// A file or directory that the registry does not write.
    Strange = "strange", Left;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// In which repository; `None` outside of them.
    pub repo: Option<RepoName>,
    /// What it is about: `tag 1.0`, `manifest sha256:…`, a path below the tree.
    pub what: String,
    /// What is wrong with it, and what becomes of it.
    pub why: String,
}

impl Finding {
    /// A finding in a repository.
    pub fn new(
        kind: Kind,
        repo: &RepoName,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            repo: Some(repo.clone()),
            what: what.into(),
            why: why.into(),
        }
    }

    /// A finding outside of the repositories.
    pub fn outside(kind: Kind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            kind,
            repo: None,
            what: what.into(),
            why: why.into(),
        }
    }
}

/// One line of a report. Names of files come from a disk that somebody else wrote to: control characters are escaped.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repo = self.repo.as_ref().map_or("-", RepoName::as_str);
        write!(
            f,
            "{}  {:<17}  {repo}  {}: {}",
            self.kind.weight().as_str(),
            self.kind,
            self.what.escape_debug(),
            self.why.escape_debug()
        )
    }
}
