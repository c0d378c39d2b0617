//! Whether there is room to write.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether the disk was found full, told from whoever finds it so to all who would fill it further. Clones are one.
///
/// When a disk is full, what frees space has to go on, and for that a little room is kept. What takes space stops as long as
/// this says so, or it would take that too. Whoever finds the disk full may say so late, when it is full no more; so who would
/// begin something looks first ([`Room::is_there`]). What is under way stops as it is told ([`Room::is_out`]): if it looked, it
/// would take what others give back.
#[derive(Clone, Default)]
pub struct Room(Arc<Inner>);

#[derive(Default)]
struct Inner {
    out: AtomicBool,
    look: OnceLock<Look>,
}

/// Looks whether there is room, and says so when there is.
type Look = Box<dyn Fn() -> bool + Send + Sync>;

impl Room {
    /// Says that there is none.
    pub fn ran_out(&self) {
        self.0.out.store(true, Ordering::Release);
    }

    /// Says that there is some again.
    pub fn is_back(&self) {
        self.0.out.store(false, Ordering::Release);
    }

    /// Whether somebody said that there is none, and nobody that there is some again.
    pub fn is_out(&self) -> bool {
        self.0.out.load(Ordering::Acquire)
    }

    /// Whether something may be begun that takes space: there was room all the time, or there is room again now. A load, and
    /// where that says no a few calls to the system.
    pub fn is_there(&self) -> bool {
        !self.is_out() || self.0.look.get().is_some_and(|look| look())
    }

    /// By what one looks whether there is room again; it has to say so as well. The first that is named stays.
    pub fn looks_by(&self, look: impl Fn() -> bool + Send + Sync + 'static) {
        let _ = self.0.look.set(Box::new(look));
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Room").field(&self.is_out()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_would_begin_looks_first() {
        let room = Room::default();
        assert!(room.is_there());
        room.ran_out();
        assert!(!room.is_there(), "nobody can look");
        let (free, said) = (Arc::new(AtomicBool::new(false)), room.clone());
        let looked = Arc::clone(&free);
        room.looks_by(move || {
            let free = looked.load(Ordering::Acquire);
            if free {
                said.is_back();
            }
            free
        });
        assert!(!room.is_there(), "it is full");
        free.store(true, Ordering::Release);
        assert!(room.is_there());
        assert!(!room.is_out());
        // Said late, by whoever found the disk full before: it keeps nobody.
        room.ran_out();
        assert!(room.is_there());
    }
}
