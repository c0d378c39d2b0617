//! Words with one letter wrong.
//!
//! A word is kept under itself and under itself without each of its letters. So are the words that are asked for: two words of
//! which one became the other by a letter too many, too few, another, or two that changed places, have one of these in
//! common. What they have in common is only a hint, and [`is_near`] decides.

/// Shorter words are what they are: with a letter wrong they are other words.
const SHORTEST: usize = 4;
/// Longer words are not kept like this, in bytes: nobody types them.
const LONGEST: usize = 32;

/// What a word is found by when a letter is wrong.
pub(crate) fn near(word: &str) -> Vec<String> {
    // One letter less than the shortest that is asked for.
    if word.len() < SHORTEST - 1 || word.len() > LONGEST || !word.is_ascii() {
        return Vec::new();
    }
    let mut all = vec![word.to_owned()];
    for at in 0..word.len() {
        let (before, rest) = word.split_at(at);
        all.push(format!("{before}{}", rest.get(1..).unwrap_or_default()));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a word that is asked for may be meant as another.
pub(crate) fn may_be_wrong(word: &str) -> bool {
    word.len() >= SHORTEST && word.len() <= LONGEST && word.is_ascii()
}

/// Whether one word becomes the other by one letter more, less or other, or by two that change places. Takes time in
/// proportion to their length.
pub(crate) fn is_near(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len().abs_diff(right.len()) > 1 {
        return false;
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let before = left.iter().zip(right).take_while(same).count();
    let after = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take_while(same)
        .count();
    let rest = |word: &[u8]| word.len().saturating_sub(before + after);
    match (rest(left), rest(right)) {
        (0 | 1, 0 | 1) => true,
        (2, 2) => {
            left.get(before) == right.get(before + 1) && left.get(before + 1) == right.get(before)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_letter_is_forgiven_and_two_are_not() {
        for (asked, word) in [
            ("nginx", "nginx"),
            ("ngnix", "nginx"),
            ("ngix", "nginx"),
            ("nginxx", "nginx"),
            ("nginy", "nginx"),
            ("postgress", "postgres"),
            ("aab", "ab"),
        ] {
            assert!(is_near(asked, word) && is_near(word, asked), "{asked}");
        }
        for (asked, word) in [("ngxni", "nginx"), ("redis", "redict"), ("abcd", "badc")] {
            assert!(!is_near(asked, word), "{asked}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_near_has_something_in_common(word in "[a-d]{4,9}", at in 0_usize..9, letter in "[a-d]", how in 0..4) {
            let at = at.min(word.len() - 1);
            let mut asked = word.clone();
            match how {
                0 => asked.insert_str(at, &letter),
                1 => drop(asked.remove(at)),
                2 => asked.replace_range(at..=at, &letter),
                _ if at > 0 => {
                    let swapped: String = [&word[at..=at], &word[at - 1..at]].concat();
                    asked.replace_range(at - 1..=at, &swapped);
                }
                _ => {}
            }
            prop_assert!(is_near(&asked, &word), "{asked} {word}");
            let kept = near(&word);
            if may_be_wrong(&asked) {
                prop_assert!(near(&asked).iter().any(|less| kept.contains(less)), "{asked} {word}");
            }
        }

        #[test]
        fn near_means_the_same_as_a_distance_of_one(left in "[ab]{0,6}", right in "[ab]{0,6}") {
            prop_assert_eq!(is_near(&left, &right), distance(left.as_bytes(), right.as_bytes()) <= 1);
        }
    }

    /// Letters more, less, other, and neighbours that change places.
    fn distance(a: &[u8], b: &[u8]) -> usize {
        let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if i == 0 || j == 0 {
                    d[i][j] = i + j;
                    continue;
                }
                let other = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (d[i - 1][j] + 1)
                    .min(d[i][j - 1] + 1)
                    .min(d[i - 1][j - 1] + other);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(d[i - 2][j - 2] + 1);
                }
                d[i][j] = least;
            }
        }
        d[a.len()][b.len()]
    }
}
