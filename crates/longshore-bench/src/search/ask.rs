//! Searching over connections that stay open, one request after the other on each.

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::content::{Draw, repository};
use crate::job::Headers;
use crate::wire::{Connection, Request};

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The whole name of a repository.
    Name,
    /// The beginning of a word.
    Begin,
    /// A word that many have.
    Common,
    /// Two words.
    Words,
    /// A word that few have, with a letter wrong.
    Typo,
    /// Fields, alone and beside a word.
    Field,
    /// What nobody has.
    Nothing,
    /// What nearly everybody has.
    Broad,
}

pub(super) const KINDS: &[Kind] = &[
    Kind::Name,
    Kind::Begin,
    Kind::Common,
    Kind::Words,
    Kind::Typo,
    Kind::Field,
    Kind::Nothing,
    Kind::Broad,
];

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Begin => "begin",
            Self::Common => "common",
            Self::Words => "words",
            Self::Typo => "typo",
            Self::Field => "field",
            Self::Nothing => "nothing",
            Self::Broad => "broad",
        }
    }

    fn words(self, draw: &mut Draw, repositories: usize) -> Result<String> {
        let cut = |word: &str, letters: usize| word.chars().take(letters).collect::<String>();
        Ok(match self {
            Self::Name => {
                let name = repository(draw.below(repositories), 0)?.name;
                if draw.below(2) == 0 {
                    name
                } else {
                    name.rsplit('/').next().unwrap_or_default().to_owned()
                }
            }
            Self::Begin => {
                let letters = 1 + draw.below(4);
                let word = if draw.below(2) == 0 {
                    draw.common().to_owned()
                } else {
                    draw.seldom()
                };
                cut(&word, letters)
            }
            Self::Common => draw.common().to_owned(),
            Self::Words => format!("{} {}", draw.common(), draw.seldom()),
            Self::Typo => {
                let mut word = draw.seldom();
                let at = draw.below(word.len());
                word.remove(at);
                word
            }
            Self::Field => match draw.below(6) {
                0 => format!("label:team={}", draw.team()),
                1 => format!("platform:{}", draw.system()),
                2 => format!("{} label:team={}", draw.common(), draw.team()),
                3 => format!("base:{} kind:image", draw.common()),
                4 => format!(
                    "tag:{}.{}.{}",
                    draw.below(6),
                    draw.below(10),
                    draw.below(60)
                ),
                _ => {
                    let digest = repository(draw.below(repositories), 0)?
                        .row
                        .digest
                        .to_string();
                    format!("digest:{}", cut(&digest, 19))
                }
            },
            Self::Nothing => format!("zz{}zz {}", draw.seldom(), draw.common()),
            Self::Broad => [
                "image linux",
                "kind:image",
                "platform:linux",
                "the",
                "example",
                "latest",
                "a",
                "",
            ]
            .get(draw.below(8))
            .copied()
            .unwrap_or_default()
            .to_owned(),
        })
    }
}

/// How long searches took.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    took: Vec<Duration>,
    found: u64,
}

impl Times {
    pub(super) fn and(&mut self, more: Self) {
        self.took.extend(more.took);
        self.found += more.found;
    }

    /// How many repositories were found in all.
    pub(super) fn found(&self) -> u64 {
        self.found
    }

    pub(super) fn quantile(&self, percent: usize) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        let at = (took.len() * percent).div_ceil(100).saturating_sub(1);
        took.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |percent| self.quantile(percent).as_secs_f64() * 1e3;
        write!(
            f,
            "searches={} results={} p50={:.2}ms p90={:.2}ms p99={:.2}ms max={:.2}ms",
            self.took.len(),
            self.found,
            millis(50),
            millis(90),
            millis(99),
            millis(100)
        )
    }
}

/// Searches for so long, on so many connections, with the headers of whoever searches.
///
/// # Errors
/// When an answer is none.
pub(super) fn ask(
    (at, login): (SocketAddr, &Headers),
    kind: Kind,
    connections: usize,
    time: Duration,
    repositories: usize,
) -> Result<Times> {
    let end = Instant::now() + time;
    let each = |number: usize| -> Result<Times> {
        let (mut draw, mut times) = (Draw(0xbeef + number as u64), Times::default());
        let mut connection = Connection::open(at)?;
        while Instant::now() < end {
            let words = kind.words(&mut draw, repositories)?;
            let begun = Instant::now();
            let body = search(&mut connection, &words, login)?;
            times.took.push(begun.elapsed());
            let json: serde_json::Value = serde_json::from_slice(&body)?;
            times.found += json
                .get("num_results")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0);
        }
        Ok(times)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|number| scope.spawn(move || each(number)))
            .collect();
        let mut all = Times::default();
        for thread in threads {
            all.and(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
        }
        Ok(all)
    })
}

fn search(connection: &mut Connection, words: &str, login: &Headers) -> Result<Vec<u8>> {
    let words = words
        .replace(' ', "+")
        .replace('=', "%3D")
        .replace('/', "%2F");
    let headers: Vec<_> = login
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = connection.send(&Request {
        method: "GET",
        path: &format!("/v1/search?q={words}&n=25"),
        headers: &headers,
        body: &[],
    })?;
    ensure!(
        answer.status == 200,
        "`{words}`: {}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(answer.body)
}
