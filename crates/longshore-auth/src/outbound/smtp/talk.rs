//! What is said to a mail server (RFC 5321), and what its answers mean.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::SmtpError;
use super::link::Stream;
use super::reply::{Lines, Reply};

/// How long a server is waited for that has taken the message and is told goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection, and what the server said it can.
pub(super) struct Talk {
    stream: Box<dyn Stream>,
    lines: Lines,
    offers: Vec<String>,
    patience: Duration,
}

impl Talk {
    /// A talk in which each answer may take as long as `patience`.
    pub(super) fn new(stream: Box<dyn Stream>, patience: Duration) -> Self {
        Talk {
            patience,
            stream,
            lines: Lines::default(),
            offers: Vec::new(),
        }
    }

    async fn hear(&mut self) -> Result<Reply, SmtpError> {
        let heard = timeout(self.patience, self.lines.reply(&mut self.stream)).await;
        heard.map_err(|_| SmtpError::Slow)?
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SmtpError> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.patience, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(SmtpError::Lost(error.to_string())),
            Err(_) => Err(SmtpError::Slow),
        }
    }

    /// Says one line and hears the answer.
    async fn say(&mut self, line: &str) -> Result<Reply, SmtpError> {
        let line = Zeroizing::new(format!("{line}\r\n"));
        self.write(line.as_bytes()).await?;
        self.hear().await
    }

    /// What the server says first.
    pub(super) async fn greeting(&mut self) -> Result<(), SmtpError> {
        let said = self.hear().await?;
        match said.code {
            220 => Ok(()),
            _ => Err(SmtpError::Refused(said.shown())),
        }
    }

    /// Says hello, and learns what the server can.
    pub(super) async fn hello(&mut self, name: &str) -> Result<(), SmtpError> {
        let said = self.say(&format!("EHLO {name}")).await?;
        if said.code != 250 {
            return Err(SmtpError::Refused(said.shown()));
        }
        let offers = said.lines.iter().skip(1);
        self.offers = offers.map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// What the server offers under a word.
    fn offer(&self, word: &str) -> Option<Vec<&str>> {
        let mut all = self.offers.iter();
        all.find_map(|line| {
            let mut words = line.split([' ', '=']);
            (words.next() == Some(word)).then(|| words.collect())
        })
    }

    /// Asks for TLS; gives the connection to be secured.
    pub(super) async fn start_tls(mut self) -> Result<Box<dyn Stream>, SmtpError> {
        if self.offer("STARTTLS").is_none() {
            return Err(SmtpError::NoTls);
        }
        let said = self.say("STARTTLS").await?;
        if said.code != 220 {
            return Err(SmtpError::NoTls);
        }
        // What follows in the clear was put there by somebody else, to be taken for what comes after.
        if self.lines.has_more() {
            return Err(SmtpError::Tls(
                "something was said in the clear after it was agreed upon".to_owned(),
            ));
        }
        Ok(self.stream)
    }

    /// Logs in.
    pub(super) async fn login(&mut self, user: &str, password: &str) -> Result<(), SmtpError> {
        let ways = self.offer("AUTH").unwrap_or_default();
        let (plain, login) = (ways.contains(&"PLAIN"), ways.contains(&"LOGIN"));
        let said = if plain {
            let both = Zeroizing::new(format!("\0{user}\0{password}"));
            let both = Zeroizing::new(STANDARD.encode(both.as_bytes()));
            let line = Zeroizing::new(format!("AUTH PLAIN {}", *both));
            self.say(&line).await?
        } else if login {
            let mut said = self.say("AUTH LOGIN").await?;
            for word in [user, password] {
                if said.code != 334 {
                    break;
                }
                let word = Zeroizing::new(STANDARD.encode(word));
                said = self.say(&word).await?;
            }
            said
        } else {
            return Err(SmtpError::NoLogin);
        };
        match said.code {
            235 => Ok(()),
            _ => Err(SmtpError::Login(said.shown())),
        }
    }

    /// Says from whom the message is and for whom.
    pub(super) async fn envelope(&mut self, from: &str, to: &str) -> Result<(), SmtpError> {
        let said = self.say(&format!("MAIL FROM:<{from}>")).await?;
        if said.code != 250 {
            return Err(SmtpError::Sender(said.shown()));
        }
        let said = self.say(&format!("RCPT TO:<{to}>")).await?;
        if !matches!(said.code, 250 | 251) {
            return Err(SmtpError::Recipient(said.shown(), said.is_final()));
        }
        Ok(())
    }

    /// Hands the message over. `sent` is set when all of it was written, so that it may have arrived whatever comes then.
    pub(super) async fn message(
        &mut self,
        message: &[u8],
        sent: &mut bool,
    ) -> Result<(), SmtpError> {
        let said = self.say("DATA").await?;
        if said.code != 354 {
            return Err(SmtpError::Message(said.shown(), said.is_final()));
        }
        let body = Zeroizing::new(stuffed(message));
        *sent = true;
        self.write(&body).await.map_err(|_| SmtpError::Unanswered)?;
        let said = match self.hear().await {
            Ok(said) => said,
            Err(SmtpError::Slow | SmtpError::Lost(_)) => return Err(SmtpError::Unanswered),
            Err(other) => return Err(other),
        };
        match said.code {
            250 => Ok(()),
            _ => Err(SmtpError::Message(said.shown(), said.is_final())),
        }
    }

    /// Says goodbye; the answer changes nothing.
    pub(super) async fn quit(mut self) {
        timeout(GOODBYE, self.say("QUIT")).await.ok();
    }
}

/// The message as it is sent: lines that begin with a dot have one more, every line ends with CR LF, and a dot ends it.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    for line in message.split(|byte| *byte == b'\n') {
        // A carriage return alone is taken for an end of line by some, and so for a way to smuggle a message in.
        let mut line = line.iter().filter(|byte| **byte != b'\r').peekable();
        if line.peek() == Some(&&b'.') {
            out.push(b'.');
        }
        out.extend(line);
        out.extend_from_slice(b"\r\n");
    }
    if message.ends_with(b"\n") {
        out.truncate(out.len() - 2);
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_message_ends_it() {
        let said = |text: &str| String::from_utf8(stuffed(text.as_bytes())).unwrap();
        assert_eq!(said("a\r\nb\r\n"), "a\r\nb\r\n.\r\n");
        assert_eq!(said("a\r\n.\r\nb"), "a\r\n..\r\nb\r\n.\r\n");
        assert_eq!(said("a\n.\nb\n"), "a\r\n..\r\nb\r\n.\r\n");
        assert_eq!(said("a\r.\r\nb\r.\rQUIT"), "a.\r\nb.QUIT\r\n.\r\n");
        for text in ["\r\n.\r\n", ".\n.\n", "x\r\r\n.\r\n", "x\n\r.\r\n", "\r.\n"] {
            let said = said(text);
            assert_eq!(said.matches("\r\n.\r\n").count(), 1, "{said:?}");
        }
    }
}
