//! The lines of an answer.

use serde::{Deserialize, Serialize};

/// One line of an answer: any number of steps, then exactly one of the others. An answer without such an end was cut off, and
/// nobody knows how the operation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line<S, D> {
    /// What was done so far.
    Step(S),
    /// It came to its end.
    Done(D),
    /// It did not: what happened, why, and what to do next, for a person.
    Failed(String),
}

impl<S: Serialize, D: Serialize> Line<S, D> {
    /// The line with its end.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_else(|error| {
            // Not by a type of ours; and an answer without an end would be taken for one that was cut off.
            format!("{{\"failed\":\"the answer cannot be written: {error}\"}}")
        });
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is_and_ends_as_one() {
        let step: Line<u8, u8> = Line::Step(1);
        assert_eq!(step.text(), "{\"step\":1}\n");
        let done: Line<u8, [u8; 2]> = Line::Done([1, 2]);
        assert_eq!(done.text(), "{\"done\":[1,2]}\n");
        let read: Line<u8, u8> = serde_json::from_str("{\"failed\":\"no\\nroom\"}").unwrap();
        assert_eq!(read, Line::Failed("no\nroom".to_owned()));
        assert_eq!(read.text().lines().count(), 1);
    }
}
