//! Where a chunked body ends (RFC 9112, 7.1), read strictly and without touching the data.

/// The most a body may say in chunk extensions, which nobody uses.
const EXTENSIONS: usize = 4096;

/// A chunked body being read.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    extensions: usize,
    trailers: usize,
    trailers_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many digits of a size that is this till now.
    Size(u8, u64),
    Extension(u64),
    /// After the CR of a size line.
    SizeLf(u64),
    /// So many bytes of data to come.
    Data(u64),
    DataCr,
    DataLf,
    /// In a trailer line; whether it is empty till now.
    Trailer(bool),
    TrailerLf(bool),
    Over,
}

/// The bytes are no chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotChunks {
    /// How many bytes before the first wrong one were well formed.
    pub(super) good: usize,
}

impl Chunks {
    /// A body of which nothing has come; its trailers may have `trailers_max` bytes.
    pub(super) fn new(trailers_max: usize) -> Self {
        Self {
            state: State::Size(0, 0),
            extensions: 0,
            trailers: 0,
            trailers_max,
        }
    }

    /// Whether the body has ended.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Reads on; says how many of `bytes` belong to the body. Fewer than all means that it has ended.
    ///
    /// # Errors
    /// [`NotChunks`], after which there is nothing to read any more.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<usize, NotChunks> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let State::Data(left) = self.state {
                let here = (bytes.len() - at) as u64;
                let taken = left.min(here);
                self.state = if taken == left {
                    State::DataCr
                } else {
                    State::Data(left - taken)
                };
                // Not more than `here`, which came from a usize.
                at += usize::try_from(taken).unwrap_or(usize::MAX);
                continue;
            }
            if self.state == State::Over {
                break;
            }
            self.state = self.step(*byte).ok_or(NotChunks { good: at })?;
            at += 1;
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        Some(match (self.state, byte) {
            (State::Size(digits, size), byte) if byte.is_ascii_hexdigit() => {
                // 15 digits are an exbibyte; no sum of them can wrap.
                if digits == 15 {
                    return None;
                }
                State::Size(
                    digits + 1,
                    size << 4 | u64::from(char::from(byte).to_digit(16)?),
                )
            }
            (State::Size(1.., size), b';') => State::Extension(size),
            (State::Size(1.., size) | State::Extension(size), b'\r') => State::SizeLf(size),
            (State::Extension(size), byte) if byte == b'\t' || (byte >= 0x20 && byte != 0x7f) => {
                self.extensions += 1;
                if self.extensions > EXTENSIONS {
                    return None;
                }
                State::Extension(size)
            }
            (State::SizeLf(0) | State::TrailerLf(false), b'\n') => State::Trailer(true),
            (State::SizeLf(size), b'\n') => State::Data(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size(0, 0),
            (State::Trailer(empty), b'\r') => State::TrailerLf(empty),
            (State::Trailer(_), byte) if byte == b'\t' || (byte >= 0x20 && byte != 0x7f) => {
                self.trailers += 1;
                if self.trailers > self.trailers_max {
                    return None;
                }
                State::Trailer(false)
            }
            (State::TrailerLf(true), b'\n') => State::Over,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<usize, NotChunks> {
        Chunks::new(1024).read(body)
    }

    #[test]
    fn a_body_ends_where_it_says_however_it_is_cut() {
        let body = b"5;name=value\r\nhello\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
        let with_next = [body, b"GET / HTTP/1.1".as_slice()].concat();
        assert_eq!(read(&with_next), Ok(body.len()));
        for cut in 0..body.len() {
            let mut chunks = Chunks::new(1024);
            assert_eq!(chunks.read(&with_next[..cut]), Ok(cut));
            assert!(!chunks.is_over());
            assert_eq!(chunks.read(&with_next[cut..]), Ok(body.len() - cut));
            assert!(chunks.is_over());
        }
    }

    #[test]
    fn what_is_no_chunk_is_found_at_its_first_wrong_byte() {
        for (body, good) in [
            ("-1\r\n", 0),
            ("\r\n", 0),
            ("g\r\n", 0),
            (" 5\r\nhello\r\n", 0),
            ("5 \r\nhello\r\n", 1),
            ("0x5\r\nhello\r\n", 1),
            ("5\nhello\r\n", 1),
            ("5\r\nhelloXX", 8),
            ("5\r\nhello\n", 8),
            ("FFFFFFFFFFFFFFFFF\r\n", 15),
            ("0\r\nA: b\n\n", 7),
        ] {
            assert_eq!(read(body.as_bytes()), Err(NotChunks { good }), "{body:?}");
        }
        let long = format!("5;{}\r\n", "x".repeat(1 << 20));
        assert!(read(long.as_bytes()).is_err());
        let long = format!("0\r\n{}\r\n", "x".repeat(2000));
        assert!(read(long.as_bytes()).is_err());
    }

    #[test]
    fn a_size_that_no_file_has_is_waited_for_and_not_added_up() {
        assert_eq!(read(b"16345785d8a0000\r\nabc"), Ok(20));
    }
}
