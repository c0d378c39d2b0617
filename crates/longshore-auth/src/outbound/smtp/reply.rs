//! Replies of a mail server: read within bounds, and shown within them.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::SmtpError;

/// The longest line, in bytes; RFC 5321 (4.5.3.1.5) says 512.
const LINE: usize = 4096;
/// The most lines of one reply.
const LINES: usize = 128;
/// How much of a reply is shown to people, in characters.
const SHOWN: usize = 300;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// Its lines, without the code.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Whether trying again is of no use.
    pub(super) fn is_final(&self) -> bool {
        self.code >= 500
    }

    /// For people: the code and the words, without what would do something to a terminal or a log.
    pub(super) fn shown(&self) -> String {
        let words = self.lines.join(" ");
        let words = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        let words: String = words.take(SHOWN).collect();
        format!("{} {}", self.code, words.trim())
    }
}

/// What was read and not yet taken. It never holds more than a line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
}

impl Lines {
    /// Whether something came that nobody has asked for.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next reply.
    ///
    /// # Errors
    /// The connection ended, or what came is no reply.
    pub(super) async fn reply(
        &mut self,
        from: &mut (impl AsyncRead + Unpin + ?Sized),
    ) -> Result<Reply, SmtpError> {
        let mut lines = Vec::new();
        let mut code = None;
        loop {
            if lines.len() == LINES {
                return Err(SmtpError::Protocol("a reply has more lines than any has"));
            }
            let line = self.line(from).await?;
            let (number, is_last, text) =
                split(&line).ok_or(SmtpError::Protocol("a line does not begin with a code"))?;
            if code.is_some_and(|code| code != number) {
                return Err(SmtpError::Protocol("the lines of a reply have two codes"));
            }
            code = Some(number);
            lines.push(String::from_utf8_lossy(text).into_owned());
            if is_last {
                return Ok(Reply {
                    code: number,
                    lines,
                });
            }
        }
    }

    async fn line(
        &mut self,
        from: &mut (impl AsyncRead + Unpin + ?Sized),
    ) -> Result<Vec<u8>, SmtpError> {
        let mut piece = [0; 512];
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                while line
                    .last()
                    .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
                {
                    line.pop();
                }
                return Ok(line);
            }
            if self.buffer.len() >= LINE {
                return Err(SmtpError::Protocol("a line does not end"));
            }
            let read = from.read(&mut piece).await;
            match read.map_err(|error| SmtpError::Lost(error.to_string()))? {
                0 => return Err(SmtpError::Lost("in the middle of a talk".to_owned())),
                count => self
                    .buffer
                    .extend_from_slice(piece.get(..count).unwrap_or_default()),
            }
        }
    }
}

/// The code of a line, whether it is the last of its reply, and its text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 = str::from_utf8(digits).ok()?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &[u8]) -> Result<Reply, SmtpError> {
        let mut from = text;
        Lines::default().reply(&mut from).await
    }

    #[tokio::test]
    async fn replies_are_lines_of_one_code_and_bounded() {
        let reply = read(b"250-one\r\n250-two\n250 three\r\n").await.unwrap();
        assert_eq!((reply.code, reply.lines.len()), (250, 3));
        assert_eq!(read(b"220\r\n").await.unwrap().code, 220);
        for bad in [
            &b"2x0 no\r\n"[..],
            b"\r\n",
            b"99 x\r\n",
            b"250-a\r\n251 b\r\n",
            b"250:x\r\n",
            b"+20 x\r\n",
            b"700 x\r\n",
        ] {
            let said = read(bad).await;
            assert!(matches!(said, Err(SmtpError::Protocol(_))), "{said:?}");
        }
        let lost = read(b"250-a\r\n").await;
        assert!(matches!(lost, Err(SmtpError::Lost(_))), "{lost:?}");
        let long = read(&vec![b'2'; 100_000]).await;
        assert_eq!(long, Err(SmtpError::Protocol("a line does not end")));
        let many = read("250-x\r\n".repeat(100_000).as_bytes()).await;
        assert!(matches!(many, Err(SmtpError::Protocol(_))), "{many:?}");
    }

    #[tokio::test]
    async fn what_is_shown_of_a_reply_does_nothing_to_a_terminal() {
        let reply = read(b"550 \x1b[2Jgo\x07 away\x00\r\n").await.unwrap();
        assert_eq!(reply.shown(), "550 [2Jgo  away");
        let long = format!("550 {}\r\n", "x".repeat(2000));
        assert!(read(long.as_bytes()).await.unwrap().shown().len() < 320);
    }
}
