//! What of a directory's answers reaches the library that reads them.
//!
//! The library reads messages recursively, buffers as much as a message claims to be long, and panics on some that have
//! another form. A directory is trusted with who somebody is, not with this process's stack and memory. So each message
//! is looked at first: its length before it is there, its form and depth when it is, and the sum of all since we last asked.

/// The longest message, in bytes. An entry of a person in some thousand groups has some hundred thousand.
const MAX_MESSAGE: usize = 1 << 20;
/// The most bytes of answers to one request.
const MAX_ANSWER: usize = 8 << 20;
/// How deep values may lie in one another. Entries need six.
const MAX_DEPTH: usize = 16;

/// Looks at what a directory sends.
#[derive(Debug, Default)]
pub(super) struct Guard {
    held: Vec<u8>,
    since_asked: usize,
}

impl Guard {
    /// We asked something.
    pub(super) fn asked(&mut self) {
        self.since_asked = 0;
    }

    /// Takes bytes that came and gives the whole messages that are there now, without a part of another.
    ///
    /// # Errors
    /// It is no message of LDAP, or too much.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        self.since_asked = self.since_asked.saturating_add(bytes.len());
        if self.since_asked > MAX_ANSWER {
            return Err("it answers without end");
        }
        self.held.extend_from_slice(bytes);
        let mut whole = 0;
        while let Some(rest) = self.held.get(whole..).filter(|rest| !rest.is_empty()) {
            let Some(length) = message(rest)? else {
                break;
            };
            whole += length;
        }
        let rest = self.held.split_off(whole);
        Ok(std::mem::replace(&mut self.held, rest))
    }
}

/// One element of BER: what it is, where its content begins and ends.
struct Element {
    tag: u8,
    content: usize,
    end: usize,
}

/// The element that `bytes` begin with; none while its head is not there. Only forms of LDAP (RFC 4511, 5.1): definite
/// lengths, tags of one byte.
fn element(bytes: &[u8]) -> Result<Option<Element>, &'static str> {
    let (Some(tag), Some(first)) = (bytes.first().copied(), bytes.get(1).copied()) else {
        return Ok(None);
    };
    if tag & 0x1f == 0x1f {
        return Err("a tag is longer than one byte");
    }
    let (content, length) = if first < 0x80 {
        (2, usize::from(first))
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 8 {
            return Err("a length is indefinite or too long");
        }
        let Some(digits) = bytes.get(2..2 + count) else {
            return Ok(None);
        };
        let length = digits
            .iter()
            .try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })
            .ok_or("a length is too long")?;
        (2 + count, length)
    };
    if length > MAX_MESSAGE {
        return Err("a message is too long");
    }
    Ok(Some(Element {
        tag,
        content,
        end: content + length,
    }))
}

/// The length of the message that `bytes` begin with; none while it is not whole.
fn message(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    if bytes.first() != Some(&0x30) {
        return Err("what it sends is not LDAP");
    }
    let Some(outer) = element(bytes)? else {
        return Ok(None);
    };
    let Some(content) = bytes.get(outer.content..outer.end) else {
        return Ok(None);
    };
    // messageID INTEGER, then the operation, then controls perhaps.
    let id = whole(content)?;
    let is_id = id.tag == 0x02 && (1..=4).contains(&(id.end - id.content));
    let is_positive = content.get(id.content).is_some_and(|first| *first < 0x80);
    if !is_id || !is_positive {
        return Err("a message has no number");
    }
    let rest = content.get(id.end..).unwrap_or_default();
    let operation = whole(rest)?;
    if operation.tag & 0xe0 != 0x60 {
        return Err("a message has no operation");
    }
    check(
        operation.tag,
        rest.get(operation.content..operation.end)
            .unwrap_or_default(),
    )?;
    let controls = rest.get(operation.end..).unwrap_or_default();
    depth(content, 1)?;
    if !controls.is_empty() {
        // Active Directory puts the name of its notice of disconnection here, as [10].
        let after = whole(controls)?;
        if after.end != controls.len() || !matches!(after.tag, 0xa0 | 0x8a) {
            return Err("a message has something behind it");
        }
        if after.tag == 0xa0 {
            return Err("a message has controls, and none were asked for");
        }
    }
    Ok(Some(outer.end))
}

/// The element that `bytes` begin with and wholly contain.
fn whole(bytes: &[u8]) -> Result<Element, &'static str> {
    element(bytes)?
        .filter(|element| element.end <= bytes.len())
        .ok_or("a message is cut off inside")
}

/// Whether the content of an operation begins as those that we read begin.
fn check(tag: u8, content: &[u8]) -> Result<(), &'static str> {
    let not = "an answer has another form than its kind";
    let primitives = |tags: &[u8]| {
        let mut at = 0;
        for expected in tags {
            let found = whole(content.get(at..).unwrap_or_default())?;
            // An integer of more than four bytes is no result code.
            if found.tag != *expected || (*expected == 0x0a && found.end - found.content > 4) {
                return Err(not);
            }
            at += found.end;
        }
        Ok(())
    };
    match tag & 0x1f {
        // Results: of a bind, a search, an extended operation. Code, matched name, message.
        1 | 5 | 24 => primitives(&[0x0a, 0x04, 0x04]),
        // An entry: name, attributes.
        4 => primitives(&[0x04, 0x30]),
        // References to elsewhere, which are not followed.
        19 => Ok(()),
        _ => Err("it answers what was not asked"),
    }
}

/// Whether all elements in `content` are whole and none lies too deep.
fn depth(content: &[u8], level: usize) -> Result<(), &'static str> {
    if level > MAX_DEPTH {
        return Err("a message is nested too deep");
    }
    let mut rest = content;
    while !rest.is_empty() {
        let element = whole(rest)?;
        if element.tag & 0x20 != 0 {
            depth(
                rest.get(element.content..element.end).unwrap_or_default(),
                level + 1,
            )?;
        }
        rest = rest.get(element.end..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An element with a length in the shortest form.
    fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut bytes = vec![tag];
        if length < 0x80 {
            bytes.push(u8::try_from(length).unwrap());
        } else {
            bytes.push(0x84);
            bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        }
        bytes.extend(content);
        bytes
    }

    fn bound() -> Vec<u8> {
        let result = [ber(0x0a, &[0]), ber(0x04, b""), ber(0x04, b"")].concat();
        ber(0x30, &[ber(0x02, &[1]), ber(0x61, &result)].concat())
    }

    fn entry(name: &[u8]) -> Vec<u8> {
        let values = ber(0x31, &ber(0x04, b"alice"));
        let attribute = ber(0x30, &[ber(0x04, b"uid"), values].concat());
        let content = [ber(0x04, name), ber(0x30, &attribute)].concat();
        ber(0x30, &[ber(0x02, &[2]), ber(0x64, &content)].concat())
    }

    #[test]
    fn whole_messages_pass_as_they_are_and_parts_wait() {
        let both = [bound(), entry(b"uid=alice")].concat();
        assert_eq!(Guard::default().take(&both), Ok(both.clone()));
        let mut guard = Guard::default();
        let mut passed = Vec::new();
        for byte in &both {
            passed.extend(guard.take(&[*byte]).unwrap());
        }
        assert_eq!(passed, both);
    }

    #[test]
    fn what_would_break_its_reader_is_refused() {
        let deep = (0..100_000).fold(Vec::new(), |inner: Vec<u8>, _| {
            if inner.len() > 1 << 19 {
                inner
            } else {
                ber(0x30, &inner)
            }
        });
        let mut nested = ber(0x04, b"x");
        for _ in 0..30 {
            nested = ber(0x30, &nested);
        }
        let with = |operation: &[u8]| ber(0x30, &[ber(0x02, &[1]), operation.to_vec()].concat());
        let rows: Vec<(&str, Vec<u8>)> = vec![
            ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            ("4 GiB", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            (
                "2^64",
                vec![0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
            ("indefinite", vec![0x30, 0x80, 0x02, 0x01, 0x01]),
            ("a long tag", with(&[0x7f, 0x81, 0x01, 0x00])),
            ("empty", ber(0x30, b"")),
            ("only a number", with(b"")),
            ("no number", ber(0x30, &ber(0x61, b""))),
            (
                "a number below zero",
                ber(0x30, &[ber(0x02, &[0xff]), ber(0x61, b"")].concat()),
            ),
            (
                "a long number",
                ber(0x30, &[ber(0x02, &[1; 5]), ber(0x61, b"")].concat()),
            ),
            ("an empty result", with(&ber(0x61, b""))),
            ("a result of texts", with(&ber(0x61, &ber(0x04, b"x")))),
            (
                "an entry without attributes",
                with(&ber(0x64, &ber(0x04, b"x"))),
            ),
            ("another operation", with(&ber(0x63, b""))),
            ("cut off inside", with(&[0x61, 0x05, 0x0a])),
            ("deep", with(&ber(0x73, &nested))),
            ("very deep", with(&ber(0x73, &deep))),
        ];
        for (what, bytes) in rows {
            assert!(Guard::default().take(&bytes).is_err(), "{what}");
        }
    }

    #[test]
    fn answers_without_end_are_cut_off_until_we_ask_again() {
        let mut guard = Guard::default();
        let entry = entry(&b"x".repeat(100_000));
        let most = MAX_ANSWER / entry.len();
        for _ in 0..most {
            guard.take(&entry).unwrap();
        }
        guard.asked();
        for _ in 0..most {
            guard.take(&entry).unwrap();
        }
        assert!(guard.take(&entry).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..60, with: u8) {
            drop(Guard::default().take(&bytes));
            let mut damaged = [bound(), entry(b"uid=alice")].concat();
            let length = damaged.len();
            damaged[at % length] = with;
            drop(Guard::default().take(&damaged));
        }
    }
}
