//! A file system in memory that knows what of it survives a power cut.
//!
//! Every file and every directory is there twice: as programs see it now, and as it was when it was last synced. What happened in
//! between is a list of changes, of which a cut keeps none, all, or some in any combination. That is all POSIX promises, and
//! less than any journal keeps: a name that was not synced with its directory may be gone although the file was synced.

use std::collections::BTreeMap;

use longshore_testkit::content::Draw;
use rustix::io::Errno;

use super::change::{Change, Ino, Move, Names, apply, enter, put};

/// The number of the root.
pub(crate) const ROOT: Ino = 1;

/// The unit in which a disk writes whole.
const SECTOR: usize = 512;

/// What of the changes that were not synced a power cut keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// None: what was synced, and nothing else.
    Nothing,
    /// Any of them, in any combination, writes also by half; this number decides.
    Some(u64),
    /// All: the process was killed and the machine ran on.
    Everything,
}

#[derive(Debug, Clone)]
enum Kind {
    File {
        now: Vec<u8>,
        safe: Vec<u8>,
        since: Vec<Change>,
    },
    Dir {
        now: Names,
        safe: Names,
        since: Vec<Move>,
    },
}

#[derive(Debug, Clone)]
struct Node {
    mode: u32,
    kind: Kind,
}

/// The file system.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    nodes: BTreeMap<Ino, Node>,
    next: Ino,
}

/// What `stat` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) ino: Ino,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    pub(crate) is_dir: bool,
}

type Done<T> = Result<T, Errno>;

impl Image {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let root = Node {
            mode: 0o755,
            kind: dir(),
        };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
        }
    }

    /// How many bytes the files hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.nodes
            .values()
            .map(|node| match &node.kind {
                Kind::File { now, .. } => now.len() as u64,
                Kind::Dir { .. } => 0,
            })
            .sum()
    }

    fn node(&mut self, ino: Ino) -> Done<&mut Node> {
        self.nodes.get_mut(&ino).ok_or(Errno::NOENT)
    }

    fn names(&self, dir: Ino) -> Done<&Names> {
        match self.nodes.get(&dir).map(|node| &node.kind) {
            Some(Kind::Dir { now, .. }) => Ok(now),
            Some(Kind::File { .. }) => Err(Errno::NOTDIR),
            None => Err(Errno::NOENT),
        }
    }

    fn dir_mut(&mut self, dir: Ino) -> Done<(&mut Names, &mut Vec<Move>)> {
        match &mut self.node(dir)?.kind {
            Kind::Dir { now, since, .. } => Ok((now, since)),
            Kind::File { .. } => Err(Errno::NOTDIR),
        }
    }

    fn file_mut(&mut self, file: Ino) -> Done<(&mut Vec<u8>, &mut Vec<Change>)> {
        match &mut self.node(file)?.kind {
            Kind::File { now, since, .. } => Ok((now, since)),
            Kind::Dir { .. } => Err(Errno::ISDIR),
        }
    }

    pub(crate) fn about(&self, ino: Ino) -> Done<About> {
        let node = self.nodes.get(&ino).ok_or(Errno::NOENT)?;
        let (size, is_dir) = match &node.kind {
            Kind::File { now, .. } => (now.len() as u64, false),
            Kind::Dir { .. } => (4096, true),
        };
        Ok(About {
            ino,
            mode: node.mode,
            size,
            is_dir,
        })
    }

    pub(crate) fn lookup(&self, dir: Ino, name: &str) -> Done<Ino> {
        self.names(dir)?.get(name).copied().ok_or(Errno::NOENT)
    }

    pub(crate) fn list(&self, dir: Ino) -> Done<Vec<(String, Ino)>> {
        Ok(self
            .names(dir)?
            .iter()
            .map(|(n, i)| (n.clone(), *i))
            .collect())
    }

    /// Some name of it, for telling what went wrong.
    pub(crate) fn name(&self, ino: Ino) -> String {
        let names = self.nodes.values().filter_map(|node| match &node.kind {
            Kind::Dir { now, .. } => now.iter().find(|(_, entry)| **entry == ino),
            Kind::File { .. } => None,
        });
        names
            .map(|(name, _)| name.clone())
            .next()
            .unwrap_or_default()
    }

    /// Makes a file or a directory.
    pub(crate) fn make(&mut self, parent: Ino, name: &str, mode: u32, is_dir: bool) -> Done<Ino> {
        if self.lookup(parent, name).is_ok() {
            return Err(Errno::EXIST);
        }
        let ino = self.next;
        let (names, since) = self.dir_mut(parent)?;
        names.insert(name.to_owned(), ino);
        since.push(Move::Put(name.to_owned(), ino));
        let kind = if is_dir {
            dir()
        } else {
            Kind::File {
                now: Vec::new(),
                safe: Vec::new(),
                since: Vec::new(),
            }
        };
        let mode = mode & 0o7777;
        self.nodes.insert(ino, Node { mode, kind });
        self.next += 1;
        Ok(ino)
    }

    /// Gives the file `ino` one more name.
    pub(crate) fn link(&mut self, ino: Ino, parent: Ino, name: &str) -> Done<()> {
        if self.lookup(parent, name).is_ok() {
            return Err(Errno::EXIST);
        }
        let (names, since) = self.dir_mut(parent)?;
        names.insert(name.to_owned(), ino);
        since.push(Move::Put(name.to_owned(), ino));
        Ok(())
    }

    /// Removes a name. The file goes on for those who have it open.
    pub(crate) fn remove(&mut self, parent: Ino, name: &str, is_dir: bool) -> Done<()> {
        let ino = self.lookup(parent, name)?;
        match self.names(ino) {
            Ok(inside) if is_dir && !inside.is_empty() => return Err(Errno::NOTEMPTY),
            Ok(_) if !is_dir => return Err(Errno::ISDIR),
            Err(Errno::NOTDIR) if is_dir => return Err(Errno::NOTDIR),
            _ => {}
        }
        let (names, since) = self.dir_mut(parent)?;
        names.remove(name);
        since.push(Move::Drop(name.to_owned()));
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: (Ino, &str), to: (Ino, &str), replace: bool) -> Done<()> {
        let ino = self.lookup(from.0, from.1)?;
        if !replace && self.lookup(to.0, to.1).is_ok() {
            return Err(Errno::EXIST);
        }
        self.dir_mut(from.0)?.0.remove(from.1);
        self.dir_mut(to.0)?.0.insert(to.1.to_owned(), ino);
        if from.0 == to.0 {
            let entry = Move::Rename(from.1.to_owned(), to.1.to_owned(), ino);
            self.dir_mut(from.0)?.1.push(entry);
        } else {
            self.dir_mut(from.0)?.1.push(Move::Drop(from.1.to_owned()));
            self.dir_mut(to.0)?.1.push(Move::Put(to.1.to_owned(), ino));
        }
        Ok(())
    }

    pub(crate) fn read(&self, file: Ino, at: u64, size: usize) -> Done<&[u8]> {
        match self.nodes.get(&file).map(|node| &node.kind) {
            Some(Kind::File { now, .. }) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(now.len());
                Ok(&now[at..now.len().min(at + size)])
            }
            Some(Kind::Dir { .. }) => Err(Errno::ISDIR),
            None => Err(Errno::NOENT),
        }
    }

    pub(crate) fn write(&mut self, file: Ino, at: u64, bytes: &[u8]) -> Done<()> {
        let at = usize::try_from(at).map_err(|_| Errno::FBIG)?;
        let (now, since) = self.file_mut(file)?;
        put(now, at, bytes);
        since.push(Change::Write(at, bytes.to_vec()));
        Ok(())
    }

    pub(crate) fn set_length(&mut self, file: Ino, length: u64) -> Done<()> {
        let length = usize::try_from(length).map_err(|_| Errno::FBIG)?;
        let (now, since) = self.file_mut(file)?;
        now.resize(length, 0);
        since.push(Change::Length(length));
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, ino: Ino, mode: u32) -> Done<()> {
        self.node(ino)?.mode = mode & 0o7777;
        Ok(())
    }

    /// From now on a power cut keeps what is in this file, or which names are in this directory.
    pub(crate) fn sync(&mut self, ino: Ino) -> Done<()> {
        match &mut self.node(ino)?.kind {
            Kind::File { safe, since, .. } => {
                for change in since.drain(..) {
                    apply(safe, &change, usize::MAX);
                }
            }
            Kind::Dir { now, safe, since } => {
                since.clear();
                safe.clone_from(now);
            }
        }
        Ok(())
    }

    /// What is there after the power came back.
    pub(crate) fn after_cut(&self, keep: Keep) -> Self {
        let mut draw = Draw::new(match keep {
            Keep::Some(seed) => seed,
            _ => 0,
        });
        let mut survives = || match keep {
            Keep::Nothing => 0,
            Keep::Everything => usize::MAX,
            Keep::Some(_) => match draw.below(5) {
                0 | 1 => 0,
                2 => SECTOR * (1 + draw.below(9)),
                _ => usize::MAX,
            },
        };
        let mut after = self.clone();
        for node in after.nodes.values_mut() {
            match &mut node.kind {
                Kind::File { now, safe, since } => {
                    for change in since.drain(..) {
                        apply(safe, &change, survives());
                    }
                    now.clone_from(safe);
                }
                Kind::Dir { now, safe, since } => {
                    for entry in since.drain(..) {
                        if survives() > 0 {
                            enter(safe, entry);
                        }
                    }
                    now.clone_from(safe);
                }
            }
        }
        after.forget_unnamed();
        after
    }

    /// Drops what no name leads to.
    fn forget_unnamed(&mut self) {
        let (mut named, mut next) = (BTreeMap::new(), vec![ROOT]);
        while let Some(ino) = next.pop() {
            if let Some(node) = self.nodes.remove(&ino) {
                if let Kind::Dir { now, .. } = &node.kind {
                    next.extend(now.values());
                }
                named.insert(ino, node);
            }
        }
        self.nodes = named;
    }
}

fn dir() -> Kind {
    Kind::Dir {
        now: Names::new(),
        safe: Names::new(),
        since: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(image: &Image, name: &str) -> Option<Vec<u8>> {
        let ino = image.lookup(ROOT, name).ok()?;
        Some(image.read(ino, 0, 100).unwrap().to_vec())
    }

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_a_name_only_if_its_directory_was() {
        let mut image = Image::new();
        let file = image.make(ROOT, "a", 0o600, false).unwrap();
        image.write(file, 0, b"one").unwrap();
        image.sync(file).unwrap();
        assert_eq!(content(&image.after_cut(Keep::Nothing), "a"), None);
        image.sync(ROOT).unwrap();
        image.write(file, 3, b" two").unwrap();
        image.rename((ROOT, "a"), (ROOT, "b"), true).unwrap();
        let after = image.after_cut(Keep::Nothing);
        assert_eq!(content(&after, "a").unwrap(), b"one");
        assert_eq!(content(&after, "b"), None);
        let after = image.after_cut(Keep::Everything);
        assert_eq!(content(&after, "b").unwrap(), b"one two");
        assert_eq!(content(&after, "a"), None);
    }

    #[test]
    fn some_cut_keeps_the_name_without_the_bytes_and_some_the_bytes_without_the_name() {
        let mut image = Image::new();
        let file = image.make(ROOT, "a", 0o600, false).unwrap();
        image.sync(ROOT).unwrap();
        image.write(file, 0, &[7; 2000]).unwrap();
        image.rename((ROOT, "a"), (ROOT, "b"), true).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let after = image.after_cut(Keep::Some(seed));
            let bytes = content(&after, "a").or(content(&after, "b")).unwrap();
            let whole = bytes.len() == 100 && bytes.iter().all(|byte| *byte == 7);
            seen.insert((content(&after, "b").is_some(), whole));
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
    }
}
