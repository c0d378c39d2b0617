//! Which addresses are files: the process-wide map from mapped addresses to the files behind them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A part of a file that some slice of memory is mapped from.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file, open for reading.
    pub file: Arc<File>,
    /// Where the part starts in it, in bytes.
    pub offset: u64,
    /// How long the part is, in bytes.
    pub len: usize,
}

/// Is told that a region could not be sent: what the disk said, or that the file ends too early.
pub type Watch = Arc<dyn Fn(&io::Error) + Send + Sync>;

struct Entry {
    len: usize,
    file: Arc<File>,
    watch: Option<Watch>,
}

/// Start address to what is mapped there. Mappings never overlap, so the entry that starts last at or before an address
/// is the only one that can hold it. Written twice in the life of an open file, read once per frame that is sent.
static MAPPED: RwLock<BTreeMap<usize, Entry>> = RwLock::new(BTreeMap::new());

/// How many entries there are: lets a process that serves no file skip the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The part of a file that `slice` is mapped from; `None` for all other memory and for an empty slice.
///
/// Costs one lock shared with other readers and a look-up in a tree of the open files; next to nothing while no
/// [`Region`](crate::Region) exists.
pub fn find(slice: &[u8]) -> Option<Part> {
    // Relaxed is enough: a thread that holds a slice of a region has synchronised with the one that mapped it, by
    // whatever way the slice came.
    with(slice, |offset, entry| Part {
        file: Arc::clone(&entry.file),
        offset: offset as u64,
        len: slice.len(),
    })
}

/// Says that the part of a file behind `slice` could not be read, to whoever mapped it and wants to know. Whoever sends
/// from files does this, for nobody else sees such an error.
pub fn report(slice: &[u8], error: &io::Error) {
    let watch = with(slice, |_, entry| entry.watch.clone()).flatten();
    if let Some(watch) = watch {
        watch(error);
    }
}

/// What `f` makes of the entry that holds all of `slice`, and of where the slice begins in it.
fn with<T>(slice: &[u8], f: impl FnOnce(usize, &Entry) -> T) -> Option<T> {
    if slice.is_empty() || COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let address = slice.as_ptr().addr();
    let mapped = MAPPED.read().unwrap_or_else(PoisonError::into_inner);
    let (start, entry) = mapped.range(..=address).next_back()?;
    let offset = address - start;
    let inside = offset
        .checked_add(slice.len())
        .is_some_and(|end| end <= entry.len);
    inside.then(|| f(offset, entry))
}

/// The seat of one mapping in the map; leaving it (drop) must come before the addresses are given back.
#[derive(Debug)]
pub(crate) struct Seat(usize);

impl Seat {
    /// Says that `bytes` are mapped from the start of `file`, and who is to be told when they cannot be read.
    pub(crate) fn take(bytes: &[u8], file: Arc<File>, watch: Option<Watch>) -> Self {
        let start = bytes.as_ptr().addr();
        let mut mapped = MAPPED.write().unwrap_or_else(PoisonError::into_inner);
        mapped.insert(
            start,
            Entry {
                len: bytes.len(),
                file,
                watch,
            },
        );
        COUNT.store(mapped.len(), Ordering::Relaxed);
        Self(start)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let entry = {
            let mut mapped = MAPPED.write().unwrap_or_else(PoisonError::into_inner);
            let entry = mapped.remove(&self.0);
            COUNT.store(mapped.len(), Ordering::Relaxed);
            entry
        };
        // Closing the file may take long; it is not done under the lock.
        drop(entry);
    }
}
