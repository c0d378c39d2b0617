//! A file of immutable content, mapped for reading.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::map::{Seat, Watch};
use crate::sys::Mapping;

/// A file of immutable content, mapped for reading. Its address range is known to [`find`](crate::find) until the last
/// of the [`Bytes`] it gave out is gone, and so is the file behind it open, also when its name is removed meanwhile.
#[derive(Debug)]
pub struct Region(Option<Mapped>);

// Fields drop in order: the address range must leave the map before the kernel may use it for something else.
#[derive(Debug)]
struct Mapped {
    _seat: Seat,
    mapping: Mapping,
}

/// What a [`Bytes`] of a region owns.
struct Owner(Arc<Region>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl Region {
    /// Maps the first `len` bytes of `file`. An empty region maps nothing.
    ///
    /// The caller vouches that nobody changes or shortens the file from now on: readers of the mapping would see other
    /// bytes than they were promised, or be killed (`SIGBUS`) where there are none left. Removing its name is fine.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file is shorter than `len`, `FileTooLarge` when it does not fit into the address space,
    /// and what `mmap(2)` says (`ENOMEM` at the limit of mappings, `vm.max_map_count`).
    pub fn map(file: Arc<File>, len: u64) -> io::Result<Arc<Self>> {
        if file.metadata()?.len() < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Self::mapped(file, len, None)
    }

    /// Maps all of a file that was looked at: `found` is what it says of itself. `watch` is told of each part that
    /// [could not be read](crate::report). The caller vouches as for [`Region::map`].
    ///
    /// # Errors
    /// As [`Region::map`], without `UnexpectedEof`.
    pub fn whole(file: Arc<File>, found: &Metadata, watch: Watch) -> io::Result<Arc<Self>> {
        Self::mapped(file, found.len(), Some(watch))
    }

    fn mapped(file: Arc<File>, len: u64, watch: Option<Watch>) -> io::Result<Arc<Self>> {
        let bytes = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if bytes == 0 {
            return Ok(Arc::new(Self(None)));
        }
        let mapping = Mapping::new(&file, bytes)?;
        let seat = Seat::take(mapping.as_slice(), file, watch);
        Ok(Arc::new(Self(Some(Mapped {
            _seat: seat,
            mapping,
        }))))
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// The bytes in `range`, counted from the start of the file, without touching them. What of the range lies behind
    /// the end of the region is left out.
    #[must_use]
    pub fn bytes(self: &Arc<Self>, range: Range<u64>) -> Bytes {
        let within = |at: u64| {
            usize::try_from(at)
                .unwrap_or(usize::MAX)
                .min(self.as_slice().len())
        };
        let (start, end) = (within(range.start), within(range.end));
        if start >= end {
            return Bytes::new();
        }
        Bytes::from_owner(Owner(Arc::clone(self))).slice(start..end)
    }

    fn as_slice(&self) -> &[u8] {
        self.0
            .as_ref()
            .map_or(&[], |mapped| mapped.mapping.as_slice())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::FileExt as _;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;
    use crate::find;

    /// A new file with this content, in the directory for temporary files.
    pub(crate) fn scratch(content: &[u8]) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "longshore-region-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Such a file, open, its name gone.
    fn open(content: &[u8]) -> Arc<File> {
        let path = scratch(content);
        let file = File::open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        Arc::new(file)
    }

    fn content(len: usize, seed: usize) -> Vec<u8> {
        (0..len)
            .map(|at| u8::try_from((at * 31 + seed) % 251).unwrap())
            .collect()
    }

    #[test]
    fn a_slice_of_a_slice_is_found_with_its_place_in_the_file() {
        let whole = content(100_000, 1);
        let file = open(&whole);
        let region = Region::map(Arc::clone(&file), 100_000).unwrap();
        let bytes = region.bytes(10..99_000).slice(5..50_000);
        assert_eq!(bytes, whole[15..50_010]);

        let part = find(&bytes).unwrap();
        assert_eq!((part.offset, part.len), (15, 49_995));
        assert!(Arc::ptr_eq(&part.file, &file));
        let mut read = vec![0; part.len];
        part.file.read_exact_at(&mut read, part.offset).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn who_mapped_a_file_is_told_of_what_could_not_be_read_of_it_and_of_no_other() {
        let told = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&told);
        let watch: Watch = Arc::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let file = open(b"some content");
        let found = file.metadata().unwrap();
        let watched = Region::whole(file, &found, watch).unwrap();
        assert_eq!(watched.len(), 12);
        let other = Region::map(open(b"some content"), 12).unwrap();
        let error = io::ErrorKind::UnexpectedEof.into();
        crate::report(&other.bytes(0..12), &error);
        crate::report(b"static", &error);
        assert_eq!(told.load(Ordering::Relaxed), 0);
        crate::report(&watched.bytes(3..5), &error);
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_was_copied_is_not_found() {
        let region = Region::map(open(b"some content"), 12).unwrap();
        let bytes = region.bytes(0..12);
        assert!(find(&bytes).is_some());
        assert!(find(&Vec::from(bytes.clone())).is_none());
        assert!(find(b"static").is_none());
    }

    #[test]
    fn an_empty_file_and_an_empty_range_are_bytes_and_no_part_of_a_file() {
        let empty = Region::map(open(b""), 0).unwrap();
        assert!(empty.bytes(0..0).is_empty());
        assert!(empty.bytes(0..9).is_empty());
        let region = Region::map(open(b"abc"), 3).unwrap();
        let backwards = Range { start: 2, end: 1 };
        for range in [1..1, 3..3, 4..9, u64::MAX - 1..u64::MAX, backwards] {
            let bytes = region.bytes(range);
            assert!(bytes.is_empty());
            assert!(find(&bytes).is_none());
        }
        assert_eq!(region.bytes(1..u64::MAX), b"bc"[..]);
    }

    #[test]
    fn a_file_shorter_than_promised_is_refused_and_not_mapped() {
        assert_eq!(
            Region::map(open(b"abc"), 4).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn the_entry_and_the_descriptor_live_as_long_as_the_last_bytes() {
        let file = open(&content(20_000, 2));
        let descriptor = file.as_raw_fd();
        let watch = Arc::downgrade(&file);
        let region = Region::map(file, 20_000).unwrap();
        let first = region.bytes(0..10_000);
        let last = region.bytes(10_000..20_000);
        drop(region);
        drop(first);
        assert_eq!(find(&last).unwrap().file.as_raw_fd(), descriptor);
        assert!(watch.upgrade().is_some());
        drop(last);
        assert!(watch.upgrade().is_none(), "the file is still open");
    }

    #[test]
    fn every_thread_finds_its_own_file_while_others_come_and_go() {
        thread::scope(|scope| {
            for seed in 0..8 {
                scope.spawn(move || {
                    for round in 0..200 {
                        let len = 1 + (seed * 4099 + round * 977) % 30_000;
                        let whole = content(len, seed + round);
                        let region = Region::map(open(&whole), len as u64).unwrap();
                        let bytes = region.bytes(0..len as u64);
                        drop(region);
                        let part = find(&bytes).unwrap();
                        let mut read = vec![0; part.len];
                        part.file.read_exact_at(&mut read, part.offset).unwrap();
                        assert_eq!(read, whole, "another thread's file");
                        assert_eq!(bytes, whole);
                    }
                });
            }
        });
    }
}
