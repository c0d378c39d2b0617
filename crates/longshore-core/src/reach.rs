//! Which repositories a right reaches: ranges of names with exceptions, so that a list of what somebody may see reads the
//! rows that are shown, and few others, however many there are.

mod span;

use std::sync::Arc;

use longshore_spec::name::RepoName;
use longshore_spec::pattern::RepoPattern;

pub use span::Span;
use span::{nearest, subtract, union, within};

/// One rule about names: those of a span without some, and of them those that look in some way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// Where they lie.
    pub span: Span,
    /// What of it is not meant.
    pub except: Vec<Span>,
    /// How they look, as a pattern of whole names.
    pub pattern: Option<RepoPattern>,
    /// Whether only names of one component are meant.
    pub plain: bool,
}

impl From<Span> for Part {
    fn from(span: Span) -> Self {
        Self {
            span,
            except: Vec::new(),
            pattern: None,
            plain: false,
        }
    }
}

impl Part {
    /// The names that `pattern` means, as a pattern of whole names.
    pub fn like(pattern: RepoPattern) -> Self {
        if pattern.is_exact() {
            return Span::exactly(pattern.as_str()).into();
        }
        Self {
            span: Span::beginning(pattern.prefix()),
            except: Vec::new(),
            pattern: Some(pattern),
            plain: false,
        }
    }

    fn is_whole(&self) -> bool {
        self.pattern.is_none() && !self.plain
    }

    fn has(&self, name: &str) -> bool {
        self.span.has(name)
            && !self.except.iter().any(|span| span.has(name))
            && !(self.plain && name.contains('/'))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.matches(name))
    }
}

/// The repositories that some right reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Reach {
    /// Sorted, without overlaps: each name that is reached lies in one of them.
    cover: Vec<Span>,
    /// The part of `cover` in which it does not matter how a name looks.
    sure: Vec<Span>,
    /// What the rest must be like.
    like: Vec<Part>,
    /// What none may be like.
    unlike: Vec<Part>,
    /// What must reach them, too.
    also: Vec<Arc<Reach>>,
    /// Names that are reached whatever else is said here, sorted.
    named: Vec<RepoName>,
}

impl Reach {
    /// No repository.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Every repository.
    pub fn all() -> Self {
        Self::new(vec![Span::all().into()], Vec::new())
    }

    /// These, in any order.
    pub fn only(mut names: Vec<RepoName>) -> Self {
        names.sort();
        names.dedup();
        Self {
            cover: union(names.iter().map(|name| Span::exactly(name.as_str()))),
            named: names,
            ..Self::default()
        }
    }

    /// What any of `allow` means and none of `deny` does.
    pub fn new(allow: Vec<Part>, deny: Vec<Part>) -> Self {
        let (denied, unlike): (Vec<_>, Vec<_>) = deny.into_iter().partition(Part::is_whole);
        let denied = union(denied.into_iter().flat_map(|part| spans(&part)));
        let cover = subtract(union(allow.iter().flat_map(spans)), &denied);
        let whole = allow.iter().filter(|part| part.is_whole()).flat_map(spans);
        let sure = subtract(union(whole), &denied);
        let like = allow.into_iter().filter(|part| !part.is_whole()).collect();
        Self {
            cover,
            sure,
            like,
            unlike,
            named: Vec::new(),
            also: Vec::new(),
        }
    }

    /// The same and these names, whatever was said about them.
    #[must_use]
    pub fn and(mut self, names: Vec<RepoName>) -> Self {
        let more = names.iter().map(|name| Span::exactly(name.as_str()));
        self.cover = union(std::mem::take(&mut self.cover).into_iter().chain(more));
        self.named.extend(names);
        self.named.sort();
        self.named.dedup();
        self
    }

    /// What both reach.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        if self.is_all() {
            return other;
        }
        if other.is_all() {
            return self;
        }
        let mut cover = Vec::new();
        for span in &self.cover {
            let from = other
                .cover
                .partition_point(|it| it.to.as_deref().is_some_and(|to| to <= span.from.as_str()));
            let near = other.cover.iter().skip(from);
            let both = near.map_while(|it| span.both(it));
            cover.extend(both);
        }
        let named = self
            .named
            .into_iter()
            .filter(|name| other.has(name.as_str()));
        let named = named.collect();
        let mut also = self.also;
        also.push(Arc::new(other));
        Self {
            cover,
            also,
            named,
            ..self
        }
    }

    /// Whether `name` is reached.
    pub fn has(&self, name: &str) -> bool {
        if self
            .named
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
        {
            return true;
        }
        within(&self.cover, name)
            && (within(&self.sure, name) || self.like.iter().any(|part| part.has(name)))
            && !self.unlike.iter().any(|part| part.has(name))
            && self.also.iter().all(|other| other.has(name))
    }

    /// Whether no repository can be reached, whatever its name.
    pub fn is_nothing(&self) -> bool {
        self.cover.is_empty()
    }

    /// Whether every repository is reached.
    pub fn is_all(&self) -> bool {
        self.unlike.is_empty()
            && self.also.is_empty()
            && matches!(self.sure.as_slice(), [span] if span.from.is_empty() && span.to.is_none())
    }

    /// The names that are reached, where they are listed one by one and nothing else is.
    pub fn names(&self) -> Option<&[RepoName]> {
        (self.sure.is_empty() && self.like.is_empty() && self.also.is_empty())
            .then_some(&self.named)
    }

    /// The next names to look at, from `from` on: a span, and whether all of it is reached.
    pub fn next(&self, from: &str) -> Option<(Span, bool)> {
        let cover = nearest(&self.cover, from)?;
        let from = from.max(cover.from.as_str());
        let mut span = Span {
            from: from.to_owned(),
            to: cover.to.clone(),
        };
        let sure = nearest(&self.sure, from).and_then(|sure| sure.both(&span));
        let dense = match sure {
            Some(sure) if sure.from == span.from => {
                span = sure;
                self.unlike.is_empty() && self.also.is_empty()
            }
            // Up to where all of it is reached.
            Some(sure) => {
                span.to = Some(sure.from);
                false
            }
            None => false,
        };
        Some((span, dense))
    }

    /// From where on to go on after `name`, which is not reached: at least past it, and over what cannot be.
    pub fn past(&self, name: &str) -> Option<String> {
        let next = || format!("{name}\0");
        let mut best: Option<String> = None;
        let mut offer = |place: String| {
            if best.as_ref().is_none_or(|best| place < *best) {
                best = Some(place);
            }
        };
        let later = |span: &Span| {
            if span.from.as_str() > name {
                Some(span.from.clone())
            } else {
                span.has(name).then(next)
            }
        };
        if let Some(place) = nearest(&self.sure, name).and_then(later) {
            offer(place);
        }
        let at = self.named.partition_point(|known| known.as_str() <= name);
        if let Some(known) = self.named.get(at) {
            offer(known.as_str().to_owned());
        }
        for part in &self.like {
            let Some(place) = later(&part.span) else {
                continue;
            };
            match (part.plain, name.split_once('/')) {
                // Nothing below the first component is of one component.
                (true, Some((first, _))) if part.span.has(name) => offer(format!("{first}0")),
                _ => offer(place),
            }
        }
        best
    }
}

/// A part's span without what it leaves out.
fn spans(part: &Part) -> Vec<Span> {
    subtract(vec![part.span.clone()], &union(part.except.iter().cloned()))
}

#[cfg(test)]
mod tests;
