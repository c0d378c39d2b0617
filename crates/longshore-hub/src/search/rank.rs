//! In what order repositories are shown: by how well their name fits, then by stars, by pulls, and by name.

use std::cmp::Reverse;

use longshore_meta::finds::Hit;

use super::query::Query;

/// How well a repository fits; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It is called so.
    Name,
    /// The last component of its name is.
    Last,
    /// Its name, or the last component, begins so.
    Begins,
    /// All words are in its name.
    Words,
    /// They are in what is said of it.
    Text,
    /// They would be, with a letter other in each.
    Near,
}

/// Where a repository stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    fit: Fit,
    stars: Reverse<u64>,
    pulls: Reverse<u64>,
    name: String,
}

impl Rank {
    /// The rank of what was found by a query as it was asked.
    pub(crate) fn of(query: &Query, hit: &Hit) -> Self {
        Self::with(fit(query, &hit.name), hit)
    }

    /// The rank of what was found by words that are near those that were asked for.
    pub(crate) fn near(hit: &Hit) -> Self {
        Self::with(Fit::Near, hit)
    }

    fn with(fit: Fit, hit: &Hit) -> Self {
        Self {
            fit,
            stars: Reverse(hit.stars),
            pulls: Reverse(hit.pulls),
            name: hit.name.clone(),
        }
    }

    /// As text that leads to the page after it.
    pub(crate) fn cursor(&self) -> String {
        let (stars, pulls) = (self.stars.0, self.pulls.0);
        format!("{}.{stars}.{pulls}.{}", self.fit as u8, self.name)
    }

    /// What [`Rank::cursor`] wrote; `None` when it did not.
    pub(crate) fn read(cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(4, '.');
        let fit = match parts.next()? {
            "0" => Fit::Name,
            "1" => Fit::Last,
            "2" => Fit::Begins,
            "3" => Fit::Words,
            "4" => Fit::Text,
            "5" => Fit::Near,
            _ => return None,
        };
        Some(Self {
            fit,
            stars: Reverse(parts.next()?.parse().ok()?),
            pulls: Reverse(parts.next()?.parse().ok()?),
            name: parts.next()?.to_owned(),
        })
    }
}

fn fit(query: &Query, name: &str) -> Fit {
    let last = name.rsplit('/').next().unwrap_or(name);
    if let Some(asked) = query.name.as_deref() {
        if name == asked {
            return Fit::Name;
        }
        if last == asked {
            return Fit::Last;
        }
        if name.starts_with(asked) || last.starts_with(asked) {
            return Fit::Begins;
        }
    }
    // Names are of small letters and digits of ASCII, so this is what the tokenizer makes of them, many thousands of times.
    let is_there = |(at, word): (usize, &String)| {
        let may_go_on = query.open && at + 1 == query.words.len();
        name.split(['/', '-', '_', '.'])
            .any(|of| of == word || (may_go_on && of.starts_with(word.as_str())))
    };
    if !query.words.is_empty() && query.words.iter().enumerate().all(is_there) {
        Fit::Words
    } else {
        Fit::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(name: &str, stars: u64, pulls: u64) -> Hit {
        Hit {
            repo: 1,
            name: name.to_owned(),
            stars,
            pulls,
        }
    }

    #[test]
    fn names_come_first_then_stars_then_pulls_then_the_alphabet() {
        let query = Query::parse("nginx").unwrap();
        let mut hits = [
            hit("acme/web", 900, 0),
            hit("acme/my-nginx", 5, 0),
            hit("acme/nginx-proxy", 0, 9),
            hit("acme/nginx-base", 0, 9),
            hit("acme/nginx-all", 0, 10),
            hit("nginx/unit", 0, 0),
            hit("zeta/nginx", 1, 0),
            hit("acme/nginx", 0, 0),
            hit("nginx", 0, 0),
        ];
        hits.sort_by_key(|hit| Rank::of(&query, hit));
        let order: Vec<_> = hits.iter().map(|hit| hit.name.as_str()).collect();
        assert_eq!(
            order,
            [
                "nginx",
                "zeta/nginx",
                "acme/nginx",
                "acme/nginx-all",
                "acme/nginx-base",
                "acme/nginx-proxy",
                "nginx/unit",
                "acme/my-nginx",
                "acme/web",
            ]
        );
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let query = Query::parse("web api").unwrap();
        let rank = Rank::of(&query, &hit("acme/web.v2-api", 3, 44));
        assert_eq!(rank.cursor(), "3.3.44.acme/web.v2-api");
        assert_eq!(Rank::read(&rank.cursor()), Some(rank));
        for text in ["", "9.1.1.a", "1.x.1.a", "1.1"] {
            assert_eq!(Rank::read(text), None, "{text}");
        }
    }
}
