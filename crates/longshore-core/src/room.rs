//! Whether there is room to write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the disk was found full, told from whoever finds it so to all who would fill it further. Clones are one.
///
/// When a disk is full, what frees space has to go on, and for that a little room is kept. What takes space stops as long as
/// this says so, or it would take that too.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<AtomicBool>);

impl Room {
    /// Says that there is none.
    pub fn ran_out(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Says that there is some again.
    pub fn is_back(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether there is none.
    pub fn is_out(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
