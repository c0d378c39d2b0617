//! Directories that hold images, as other programs write and read them.
//!
//! [`distribution`] is the tree that a Distribution registry (`registry:2`, `registry:3`) keeps on a disk: read to be taken
//! over, written so that the way back is open. [`oci`] is the image layout that many programs read and write.
//!
//! All of it is plain, blocking file work over names that are parsed before they are used. Absent on purpose: databases,
//! rights, HTTP, runtimes. What cannot be used is told as a finding, one by one; nothing here decides what becomes of it.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod content;
pub mod distribution;
pub mod oci;
