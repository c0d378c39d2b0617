//! The order of indexes: those that are listed come first.

use std::collections::HashMap;

use longshore_spec::digest::Digest;

use super::links::Link;

/// An index, until those it lists are known.
pub(super) struct Waiting {
    pub(super) link: Link,
    pub(super) children: Vec<Digest>,
}

/// How many levels of manifests lie below each of these, as far as they are here or in `known`. None can lie below itself:
/// digests are hashes. Another registry decided how deep they nest, so this does not recurse.
pub(super) fn depths(indexes: &[Waiting], known: &HashMap<Digest, u64>) -> HashMap<Digest, u64> {
    let all: HashMap<_, _> = indexes
        .iter()
        .map(|index| (index.link.digest, index))
        .collect();
    let mut depths: HashMap<Digest, u64> = HashMap::new();
    for index in indexes {
        // The path from an index down to the one that is looked at, and how far its children were gone through.
        let mut path = vec![(index, 0)];
        while let Some((index, next)) = path.pop() {
            if depths.contains_key(&index.link.digest) {
                continue;
            }
            let rest = index.children.iter().enumerate().skip(next);
            let open = rest
                .filter_map(|(at, child)| Some((at, *all.get(child)?)))
                .find(|(_, child)| !depths.contains_key(&child.link.digest));
            if let Some((at, child)) = open {
                path.push((index, at + 1));
                path.push((child, 0));
                continue;
            }
            let below = index.children.iter().filter_map(|child| {
                let depth = depths.get(child).or_else(|| known.get(child))?;
                Some(depth.saturating_add(1))
            });
            depths.insert(index.link.digest, below.max().unwrap_or_default());
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use longshore_spec::digest::Algorithm;

    use super::*;

    fn digest(of: usize) -> Digest {
        Digest::of(Algorithm::Sha256, &of.to_le_bytes())
    }

    fn index(of: usize, children: &[usize]) -> Waiting {
        Waiting {
            link: Link {
                digest: digest(of),
                made: SystemTime::UNIX_EPOCH,
            },
            children: children.iter().copied().map(digest).collect(),
        }
    }

    #[test]
    fn an_index_is_one_level_above_the_deepest_it_lists_and_absent_ones_do_not_count() {
        let known = HashMap::from([(digest(100), 0)]);
        let all = [
            index(0, &[1, 2]),
            index(1, &[2, 100]),
            index(2, &[100, 999]),
            index(3, &[999]),
        ];
        let depths = depths(&all, &known);
        let depth = |of| depths[&digest(of)];
        assert_eq!((depth(0), depth(1), depth(2), depth(3)), (3, 2, 1, 0));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_overflow_the_stack() {
        let all: Vec<_> = (0..100_000).map(|of| index(of, &[of + 1])).collect();
        let depths = depths(&all, &HashMap::from([(digest(100_000), 0)]));
        assert_eq!(depths[&digest(0)], 100_000);
    }
}
