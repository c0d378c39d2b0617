//! Stretches of files on their way to a socket, in a pipe.
//!
//! `sendfile(2)` goes through a pipe as well, one of the kernel's own with room for 64 KiB: it takes that much of the file and sends it,
//! over and over. Through a pipe of 1 MiB a processor sends a tenth more, and more than that beside a client with a processor of its own
//! (decision 0035).

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_region::Part;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// What a pipe has room for, in bytes: as much as a process without special rights may ask for (pipe(7), `pipe-max-size`).
pub(super) const SIZE: usize = 1 << 20;

/// How many there are at most. A user without special rights gets 64 of this size (`pipe-user-pages-soft`) and may have other programs.
const MOST: usize = 48;

/// How many are kept for whoever comes next.
const KEPT: usize = 8;

/// Those of this process: what the system gives, it gives to all of a user's connections together.
pub(super) static PIPES: Pipes = Pipes::new(MOST);

/// A bounded number of pipes. Who gets none sends without.
#[derive(Debug)]
pub(super) struct Pipes(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Empty ones.
    kept: Vec<Pipe>,
    /// How many there are, kept or in use.
    there: usize,
    most: usize,
}

#[derive(Debug)]
struct Pipe {
    into: OwnedFd,
    out_of: OwnedFd,
}

impl Pipe {
    fn new() -> rustix::io::Result<Self> {
        let (out_of, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        fcntl_setpipe_size(&into, SIZE)?;
        Ok(Self { into, out_of })
    }
}

impl Pipes {
    pub(super) const fn new(most: usize) -> Self {
        Self(Mutex::new(State {
            kept: Vec::new(),
            there: 0,
            most,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty one, if there is one to be had.
    fn lend(&self) -> Option<Pipe> {
        let mut state = self.lock();
        if let Some(pipe) = state.kept.pop() {
            return Some(pipe);
        }
        if state.there >= state.most {
            return None;
        }
        state.there += 1;
        drop(state);
        match Pipe::new() {
            Ok(pipe) => Some(pipe),
            Err(error) => {
                let mut state = self.lock();
                state.there -= 1;
                if error == Errno::PERM {
                    // To ask again for each stretch would cost more than a pipe saves.
                    state.most = state.there;
                    tracing::debug!(
                        pipes = state.most,
                        "the system gives this user no more pipes of 1 MiB"
                    );
                }
                None
            }
        }
    }

    /// Takes one back; what is not empty is closed.
    fn give_back(&self, pipe: Pipe, is_empty: bool) {
        let mut state = self.lock();
        if is_empty && state.kept.len() < KEPT {
            state.kept.push(pipe);
        } else {
            state.there -= 1;
        }
    }
}

/// A stretch of a file that is in a pipe.
#[derive(Debug)]
pub(super) struct Piped {
    pipes: &'static Pipes,
    /// There until this is dropped.
    pipe: Option<Pipe>,
    file: Arc<File>,
    offset: u64,
    len: usize,
    /// Whether it is all of the part that was to be sent, or the end of it.
    is_last: bool,
}

impl Piped {
    /// Takes up to `len` bytes from where `part` begins into one of `pipes`. `None` if that cannot be done, and also when there are none:
    /// `sendfile(2)` tells why.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(super) fn take(pipes: &'static Pipes, part: &Part, len: usize) -> io::Result<Option<Self>> {
        let Some(pipe) = pipes.lend() else {
            return Ok(None);
        };
        let taken = fill(&pipe, part, len.min(SIZE));
        let len = *taken.as_ref().unwrap_or(&0);
        let piped = Self {
            pipes,
            pipe: Some(pipe),
            file: Arc::clone(&part.file),
            offset: part.offset,
            len,
            is_last: len == part.len,
        };
        Ok((taken? > 0).then_some(piped))
    }

    /// Whether what is sent next is where `part` begins.
    pub(super) fn is_at(&self, part: &Part) -> bool {
        self.offset == part.offset && Arc::ptr_eq(&self.file, &part.file)
    }

    /// Sends of it what `socket` takes, in bytes.
    ///
    /// # Errors
    /// Those of the socket.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else {
            return Ok(0);
        };
        let mut flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        // What is in the pipe keeps its packets full by itself; the end of it leaves with it only where that is the end of all.
        flags.set(SpliceFlags::MORE, !self.is_last);
        let sent = splice(&pipe.out_of, None, socket, None, self.len, flags)?;
        self.len -= sent;
        self.offset += sent as u64;
        Ok(sent)
    }

    /// Whether all of it is sent.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Takes up to `len` bytes of a file into an empty pipe; none of a file that cannot be taken like that.
fn fill(pipe: &Pipe, part: &Part, len: usize) -> io::Result<usize> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    loop {
        let mut at = part.offset;
        match splice(&*part.file, Some(&mut at), &pipe.into, None, len, flags) {
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) => return Ok(0),
            taken => return Ok(taken?),
        }
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            self.pipes.give_back(pipe, self.len == 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn part(content: &[u8], offset: u64) -> Part {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Part {
            file: Arc::new(file),
            offset,
            len: content.len() - usize::try_from(offset).unwrap(),
        }
    }

    fn pipes(most: usize) -> &'static Pipes {
        Box::leak(Box::new(Pipes::new(most)))
    }

    #[test]
    fn what_is_taken_is_sent_and_the_pipe_serves_again() {
        let content: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let (pipes, part) = (pipes(1), part(&content, 5));
        let (mut client, server) = UnixStream::pair().unwrap();
        for _ in 0..3 {
            let mut piped = Piped::take(pipes, &part, 90_000).unwrap().unwrap();
            assert!(piped.is_at(&part));
            let mut got = vec![0; 90_000];
            let mut at = 0;
            while !piped.is_empty() {
                let sent = piped.send(server.as_fd()).unwrap();
                client.read_exact(&mut got[at..at + sent]).unwrap();
                at += sent;
                assert!(!piped.is_at(&part), "it is further on");
            }
            assert!(got == content[5..90_005]);
        }
        let state = pipes.lock();
        assert_eq!((state.there, state.kept.len()), (1, 1));
    }

    #[test]
    fn there_are_no_more_than_allowed_and_what_is_not_empty_is_closed() {
        let (pipes, part) = (pipes(2), part(&[7; 100], 0));
        let first = Piped::take(pipes, &part, 100).unwrap();
        let second = Piped::take(pipes, &part, 100).unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(Piped::take(pipes, &part, 100).unwrap().is_none());
        drop(first);
        assert_eq!(pipes.lock().there, 1);
        assert!(Piped::take(pipes, &part, 100).unwrap().is_some());
    }

    #[test]
    fn behind_the_end_of_a_file_nothing_is_taken() {
        let (pipes, part) = (pipes(1), part(&[7; 100], 100));
        assert!(Piped::take(pipes, &part, 1).unwrap().is_none());
        assert_eq!(pipes.lock().kept.len(), 1);
    }
}
