//! The text of a cursor. It says after what a part of a list begins, and that may be something that whoever gets it may not see: a part
//! ends where looking ended, at a row that was shown or not. So it is sealed with the key of the index, which all its nodes have, for
//! one list of one thing as one caller sees it.

use longshore_core::Error;

use crate::ask::Ask;
use crate::problem::Problem;

/// What is sealed is as long as so many bytes, or twice that: the length of a name is the same secret.
const BLOCK: usize = 128;
/// How long the text of a cursor is at the most.
pub(crate) const LONGEST: usize = 2048;
/// What stands behind a key, before what fills it up. No key has it.
const END: u8 = b'\n';

/// A key as a cursor of the list that is asked for. The same gives the same.
///
/// # Errors
/// Never in practice.
pub(crate) fn seal(ask: &Ask, key: &str) -> Result<String, Problem> {
    let mut plain = key.as_bytes().to_vec();
    plain.push(END);
    plain.resize(plain.len().next_multiple_of(BLOCK), 0);
    let sealed = ask.index.hand_out(&purpose(ask), &plain);
    Ok(hex::encode(sealed.map_err(Error::internal)?))
}

/// The key in a cursor; nothing where it is none of the list that is asked for.
pub(crate) fn open(ask: &Ask, text: &str) -> Option<String> {
    let sealed = (text.len() <= LONGEST).then(|| hex::decode(text).ok())??;
    let mut plain = ask.index.take_back(&purpose(ask), &sealed)?;
    while plain.pop_if(|byte| *byte == 0).is_some() {}
    plain.pop_if(|byte| *byte == END)?;
    String::from_utf8(plain).ok()
}

/// The list, what it is of, and who asks.
fn purpose(ask: &Ask) -> String {
    let mut purpose = format!("cursors\n{}\n{}", ask.endpoint.id, ask.caller.who.id());
    for (_, value) in &ask.values {
        purpose.push('\n');
        purpose.push_str(value);
    }
    purpose
}
