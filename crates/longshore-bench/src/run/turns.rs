//! Which lines are measured in turns.

use crate::line::Line;

/// The lines in groups whose rounds take turns: a line that is compared with another one is measured right beside it.
pub(super) fn together<'a>(lines: &[&'a Line]) -> Vec<Vec<&'a Line>> {
    let mut groups: Vec<Vec<&Line>> = Vec::new();
    for line in lines {
        let group = groups.iter_mut().find(|group| {
            let compared = |other: &&Line| line.is_beside(other) || other.is_beside(line);
            group.iter().any(compared)
        });
        match group {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}
