//! How much a store holds, and what it is called there.

/// How much a store holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Tags of [`TAGS`].
    pub(crate) tags: usize,
    /// Repositories, the named ones of this file included.
    pub(crate) repositories: usize,
    /// Manifests, all repositories together; at least one for each repository.
    pub(crate) manifests: usize,
    /// Manifests that refer to the first manifest of [`REFERRERS`].
    pub(crate) referrers: usize,
    /// Blobs that manifests need as their configs; one more is the layer of all images.
    pub(crate) blobs: usize,
}

impl Shape {
    /// What no cost may grow with.
    pub(crate) const BIG: Self = Self {
        tags: 1_000_000,
        repositories: 100_000,
        manifests: 1_000_000,
        referrers: 10_000,
        blobs: 1_000_000,
    };

    /// What to compare with.
    pub(crate) const SMALL: Self = Self {
        tags: 1_000,
        repositories: 1_000,
        manifests: 2_000,
        referrers: 10,
        blobs: 1_000,
    };

    /// A tenth of everything.
    pub(crate) fn tenth(self) -> Self {
        Self {
            tags: self.tags / 10,
            repositories: self.repositories / 10,
            manifests: self.manifests / 10,
            referrers: self.referrers / 10,
            blobs: self.blobs / 10,
        }
    }

    /// Manifests of each repository that has no name of its own here: half of all are spread over them, the others are in [`TAGS`].
    pub(crate) fn each(&self) -> usize {
        (self.manifests / 2 / self.repositories.max(1)).max(1)
    }
}

/// The repository with as many tags as the shape says. It is full: a push of a new tag to it may be refused.
pub(crate) const TAGS: &str = "big/tags";

/// The repository whose manifest `subject` has as many referrers as the shape says, and whose manifest `few` has ten.
pub(crate) const REFERRERS: &str = "big/referrers";

/// A repository with [`FEW_TAGS`] tags, whatever the shape.
pub(crate) const FEW: &str = "few/tags";

/// How many tags [`FEW`] has.
pub(crate) const FEW_TAGS: usize = 1_000;

/// The name of the `i`th repository of those without a name of their own. Each has the tag `latest`.
pub(crate) fn repository(i: usize) -> String {
    format!("many/{i:06}")
}

/// The `i`th tag of [`TAGS`] and [`FEW`], in the order of their names.
pub(crate) fn tag(i: usize) -> String {
    format!("v{i:07}")
}
