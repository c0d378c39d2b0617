//! Standard output, which may be read by somebody who has enough of it: `longshore admin audit list | head`.

use std::io::{self, ErrorKind, Stdout, Write};

/// Standard output that knows whether anybody still reads it.
#[derive(Debug)]
pub struct Out {
    inner: Stdout,
    gone: bool,
}

impl Out {
    /// That of this process.
    pub fn new() -> Self {
        Self {
            inner: io::stdout(),
            gone: false,
        }
    }

    /// Whether its reader has gone, so that nothing more needs to be said to anybody.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    fn note<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        let error = done.as_ref().err();
        self.gone |= error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
        done
    }
}

impl Default for Out {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(bytes);
        self.note(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.inner.flush();
        self.note(done)
    }
}
