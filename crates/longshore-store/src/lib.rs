//! The registry that keeps things: metadata and blobs together.
//!
//! The only crate that sees both. What must be decided atomically is decided inside one metadata transaction; bytes are
//! published before the row that names them is committed, so a row without bytes cannot be, and bytes without a row are
//! only waste. Work that must outlive a request (publish and commit, every write's commit and what follows it) runs in a
//! task of its own that the request joins: a client that hangs up changes nothing.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod begin;
mod blobs;
mod cache;
pub mod check;
mod examine;
mod export;
mod finish;
mod fresh;
mod gc;
mod gone;
mod history;
mod import;
mod install;
mod intake;
mod integrity;
mod lease;
mod lists;
mod manifests;
mod marker;
mod options;
mod outlook;
mod place;
mod prune;
mod push;
mod recover;
mod repo;
mod room;
mod row;
mod rows;
mod scrub;
mod small;
mod store;
mod sweep;
mod takeover;
mod tasks;
mod trash;
mod unsettled;
mod uploads;

pub use export::{Chosen, ExportError, Exported, Exporter};
pub use gc::{
    Amount, Ask, Collection, Emptying, GcOptions, GcStats, Hold, Report, Shared, Untagged,
};
pub use gone::{By, Deleted, Gone, What};
pub use history::{TagCause, TagChange, restore_tag};
pub use import::{ImportError, Imported, Wanted};
pub use integrity::Found;
pub use longshore_core::past::{Outlook, Restored, TagRestored};
pub use marker::forget_run;
pub use options::{Durability, Options, UrlRule};
pub use outlook::outlook;
pub use place::file_of;
pub use repo::{Born, NewRepo};
pub use store::Store;
pub use takeover::{Arriving, Progress, Taken, Takeover, TakeoverError, is_taking_over};
pub use trash::{InTrash, restore_manifest};
