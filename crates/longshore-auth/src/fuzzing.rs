//! Entries for fuzzing: every parser that reads a stranger's bytes, and the two that read an operator's.

/// Reads `bytes` as an `Authorization` value and as a token, with nobody's key. Must not panic, whatever comes.
pub fn token(bytes: &[u8]) {
    drop(crate::header::Credentials::parse([bytes]));
    crate::token::read_untrusted(bytes);
}

/// Reads `bytes` as a line of an htpasswd file, without checking a password. Must not panic, whatever comes.
pub fn htpasswd_line(bytes: &[u8]) {
    if let Ok(line) = std::str::from_utf8(bytes) {
        drop(crate::htpasswd::parse_line(line));
    }
}
