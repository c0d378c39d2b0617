//! Runs of names, and sets of them.

use std::fmt;

/// A run of names in byte order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where it begins; a name that is this text belongs to it.
    pub from: String,
    /// Where it ends, without that itself; `None`: it has no end.
    pub to: Option<String>,
}

impl Span {
    /// Every name.
    pub fn all() -> Self {
        Self {
            from: String::new(),
            to: None,
        }
    }

    /// What lies below `path`, which itself does not.
    pub fn below(path: &str) -> Self {
        // The character after `/` is `0`.
        Self {
            from: format!("{path}/"),
            to: Some(format!("{path}0")),
        }
    }

    /// One name.
    pub fn exactly(name: &str) -> Self {
        Self {
            from: name.to_owned(),
            to: Some(format!("{name}\0")),
        }
    }

    /// What begins with `prefix`.
    pub fn beginning(prefix: &str) -> Self {
        // No name has a character beyond `z`.
        Self {
            from: prefix.to_owned(),
            to: (!prefix.is_empty()).then(|| format!("{prefix}\u{7f}")),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.from.as_str() <= name && self.to.as_deref().is_none_or(|to| name < to)
    }

    fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// What both have.
    pub(super) fn both(&self, other: &Span) -> Option<Span> {
        let from = self.from.clone().max(other.from.clone());
        let to = match (&self.to, &other.to) {
            (Some(one), Some(other)) => Some(one.min(other).clone()),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        let both = Span { from, to };
        (!both.is_empty()).then_some(both)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}..{:?}", self.from, self.to)
    }
}

/// The span that has `name`, or else the first one after it.
pub(super) fn nearest<'a>(sorted: &'a [Span], name: &str) -> Option<&'a Span> {
    let at = sorted.partition_point(|span| span.to.as_deref().is_some_and(|to| to <= name));
    sorted.get(at)
}

pub(super) fn within(sorted: &[Span], name: &str) -> bool {
    nearest(sorted, name).is_some_and(|span| span.has(name))
}

/// Sorted and joined where they touch.
pub(super) fn union(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = spans.into_iter().filter(|span| !span.is_empty()).collect();
    spans.sort();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.to.as_deref().is_none_or(|to| span.from.as_str() <= to) => {
                last.to = match (last.to.take(), span.to) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                };
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// `from` without `less`; both sorted and without overlaps.
pub(super) fn subtract(from: Vec<Span>, less: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for span in from {
        let mut rest = Some(span);
        let first = rest.as_ref().map_or(0, |span| {
            less.partition_point(|less| {
                less.to
                    .as_deref()
                    .is_some_and(|to| to <= span.from.as_str())
            })
        });
        for less in less.iter().skip(first) {
            let Some(span) = rest.take() else { break };
            if span
                .to
                .as_deref()
                .is_some_and(|to| to <= less.from.as_str())
            {
                rest = Some(span);
                break;
            }
            if span.from < less.from {
                left.push(Span {
                    from: span.from.clone(),
                    to: Some(less.from.clone()),
                });
            }
            rest = match &less.to {
                Some(to) if span.to.as_ref().is_none_or(|end| to < end) => Some(Span {
                    from: to.clone().max(span.from),
                    to: span.to,
                }),
                _ => None,
            };
        }
        left.extend(rest);
    }
    left
}
