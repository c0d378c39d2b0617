//! Finding repositories by words.
//!
//! What a repository is found by is a set of tokens, which whoever writes them makes of names, texts and facts. The set is
//! asked with *and* and *or* alone; what is found is ranked by who asks, from rows, so the order is the same on every engine:
//! SQLite has the sets in an FTS5 table, PostgreSQL will have them in a column with a GIN index. The table holds nothing that the
//! rows do not say, so it is no part of the schema: [`find_open`] makes it.

use std::fmt::Write as _;

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

/// Only whether a token is there: neither where in the text nor how often.
pub(crate) const OPEN: &str = "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(tokens, content='', contentless_delete=1, \
                               detail=none, tokenize=ascii)";
const CLOSE: &str = "DROP TABLE IF EXISTS search";
const FORGET: &str =
    "DELETE FROM find WHERE repo IN (SELECT repo FROM find ORDER BY repo LIMIT ?1)";
const FORGET_WORDS: &str =
    "DELETE FROM find_word WHERE word IN (SELECT word FROM find_word ORDER BY word LIMIT ?1)";
const FORGET_NEAR: &str = "DELETE FROM find_near WHERE (less, word) IN (SELECT less, word FROM find_near ORDER BY less, word LIMIT ?1)";
const HELD: &str = "SELECT last, words, description, print FROM find WHERE repo = ?1";
const PUT: &str = "INSERT INTO find (repo, last, words, description, print) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (repo) \
                   DO UPDATE SET last = excluded.last, words = excluded.words, description = excluded.description, \
                   print = excluded.print";
const DROP: &str = "DELETE FROM find WHERE repo = ?1";
const INDEX: &str = "INSERT INTO search (rowid, tokens) VALUES (?1, ?2)";
const UNINDEX: &str = "DELETE FROM search WHERE rowid = ?1";
const WORD_MORE: &str = "INSERT INTO find_word (word, uses) VALUES (?1, 1) ON CONFLICT (word) DO UPDATE SET uses = find_word.uses + 1 \
                         RETURNING uses";
const WORD_LESS: &str = "UPDATE find_word SET uses = uses - 1 WHERE word = ?1 RETURNING uses";
const WORD_GONE: &str = "DELETE FROM find_word WHERE word = ?1";
const NEAR_PUT: &str =
    "INSERT INTO find_near (less, word) VALUES (?1, ?2) ON CONFLICT (less, word) DO NOTHING";
const NEAR_GONE: &str = "DELETE FROM find_near WHERE less = ?1 AND word = ?2";
const NEAR: &str = "SELECT word FROM find_near WHERE less = ?1 ORDER BY word LIMIT ?2";
const MATCH: &str = "SELECT r.id, r.name, coalesce(p.stars, 0), coalesce(p.pulls, 0) FROM \
                     (SELECT rowid AS id FROM search WHERE search MATCH ?1 ORDER BY rowid LIMIT ?2) s \
                     CROSS JOIN repository r ON r.id = s.id LEFT JOIN profile p ON p.repo = r.id \
                     WHERE r.manifests > 0";
pub(crate) const NAMED: &str = "SELECT r.id, r.name, coalesce(p.stars, 0), coalesce(p.pulls, 0) FROM repository r \
                     LEFT JOIN profile p ON p.repo = r.id \
                     WHERE r.manifests > 0 AND r.name >= ?1 AND r.name < ?2 ORDER BY r.name LIMIT ?3";
const LAST: &str = "SELECT r.id, r.name, coalesce(p.stars, 0), coalesce(p.pulls, 0) FROM find f \
                    CROSS JOIN repository r ON r.id = f.repo LEFT JOIN profile p ON p.repo = r.id \
                    WHERE f.last >= ?1 AND f.last < ?2 AND r.manifests > 0 ORDER BY f.last, f.repo LIMIT ?3";
pub(crate) const OF: &str = "SELECT r.id, r.name, coalesce(p.stars, 0), coalesce(p.pulls, 0) FROM repository r \
                  LEFT JOIN profile p ON p.repo = r.id WHERE r.id = ?1 AND r.manifests > 0";
const DESCRIPTION: &str = "SELECT description FROM find WHERE repo = ?1";
const ALSO: &str = "SELECT 1 FROM search WHERE search MATCH ?1 AND rowid = ?2";
const HAVE_MANIFEST: &str = "SELECT digest, repo FROM manifest WHERE digest >= ?1 AND digest <= ?2 ORDER BY digest, repo LIMIT ?3";
const HAVE_BLOB: &str = "SELECT b.digest, h.repo FROM blob b JOIN link h ON h.repo = b.home AND h.digest = b.digest AND h.shared = 0 \
                         WHERE b.digest >= ?1 AND b.digest <= ?2 \
                         UNION ALL SELECT digest, repo FROM link WHERE shared = 1 AND digest >= ?1 AND digest <= ?2 \
                         ORDER BY 1, 2 LIMIT ?3";
const PROFILE: &str = "SELECT description, readme, labels FROM profile WHERE repo = ?1";
const REPO: &str = "SELECT name, manifests FROM repository WHERE id = ?1";

/// What a repository is found by, and what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// The last component of its name.
    pub last: String,
    /// The words of its name.
    pub words: Vec<String>,
    /// What is shown.
    pub description: String,
    /// All it is found by: letters and digits of ASCII alone, parted by blanks.
    pub tokens: String,
    /// The hash of all that.
    pub print: Vec<u8>,
}

/// Whoever has all of these tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Each of these.
    pub all: Vec<String>,
    /// One that begins so, for each of these.
    pub begins: Vec<String>,
    /// One of these, for each of these.
    pub any: Vec<Vec<String>>,
}

/// A repository that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub repo: i64,
    /// Its name.
    pub name: String,
    /// How many have starred it.
    pub stars: u64,
    /// How often it was pulled.
    pub pulls: u64,
}

/// What people say of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// In a sentence.
    pub description: String,
    /// At length, in Markdown.
    pub readme: String,
    /// Names with values: JSON.
    pub labels: String,
}

impl Asked {
    /// The question in the words of FTS5; `None` where nothing is asked.
    pub(crate) fn words(&self) -> Option<String> {
        let mut words = String::new();
        let and = |words: &mut String| {
            if !words.is_empty() {
                words.push_str(" AND ");
            }
        };
        // Tokens hold no quotation marks: they are letters and digits.
        for token in &self.all {
            and(&mut words);
            let _ = write!(words, "\"{token}\"");
        }
        for token in &self.begins {
            and(&mut words);
            let _ = write!(words, "\"{token}\"*");
        }
        for tokens in &self.any {
            and(&mut words);
            let each: Vec<_> = tokens.iter().map(|token| format!("\"{token}\"")).collect();
            let _ = write!(words, "({})", each.join(" OR "));
        }
        (!words.is_empty()).then_some(words)
    }
}

pub(crate) type Columns = (i64, String, u64, u64);

pub(crate) fn hits(rows: Vec<Columns>) -> Vec<Hit> {
    let hit = |(repo, name, stars, pulls): Columns| Hit {
        repo,
        name,
        stars,
        pulls,
    };
    rows.into_iter().map(hit).collect()
}

/// Makes what is searched, if it is not there.
///
/// # Errors
/// `Unavailable`.
pub async fn find_open(tx: &mut Tx<'_>) -> Result<()> {
    tx.exec(OPEN, &[]).await.map(drop)
}

/// Removes a part of all that is searched, at most `limit` rows of each kind; true when nothing is left.
///
/// # Errors
/// `Unavailable`.
pub async fn find_forget(tx: &mut Tx<'_>, limit: usize) -> Result<bool> {
    tx.exec(CLOSE, &[]).await?;
    let mut gone = 0;
    for sql in [FORGET, FORGET_WORDS, FORGET_NEAR] {
        gone += tx.exec(sql, &values![limit]).await?;
    }
    Ok(gone == 0)
}

/// Writes what a repository is found by; false when that was so already. `near` gives what a word is found by when a letter is
/// wrong.
///
/// # Errors
/// `Unavailable`.
pub async fn find_put(
    tx: &mut Tx<'_>,
    repo: i64,
    doc: &Doc,
    near: fn(&str) -> Vec<String>,
) -> Result<bool> {
    type Held = (String, String, String, Vec<u8>);
    let held = tx.one::<Held>(HELD, &values![repo]).await?;
    let mut words = String::new();
    if let Some((_, held_words, _, print)) = held {
        if print == doc.print {
            return Ok(false);
        }
        words = held_words;
        tx.exec(UNINDEX, &values![repo]).await?;
    }
    tx.exec(INDEX, &values![repo, doc.tokens.as_str()]).await?;
    let new = doc.words.join(" ");
    if new != words {
        words_less(tx, &words, near).await?;
        for word in &doc.words {
            let uses = tx.one::<(u64,)>(WORD_MORE, &values![word.as_str()]).await?;
            if uses == Some((1,)) {
                for less in near(word) {
                    tx.exec(NEAR_PUT, &values![less.as_str(), word.as_str()])
                        .await?;
                }
            }
        }
    }
    let values = values![
        repo,
        doc.last.as_str(),
        new.as_str(),
        doc.description.as_str(),
        doc.print.as_slice()
    ];
    tx.exec(PUT, &values).await?;
    Ok(true)
}

/// A repository is found no more.
///
/// # Errors
/// `Unavailable`.
pub async fn find_drop(tx: &mut Tx<'_>, repo: i64, near: fn(&str) -> Vec<String>) -> Result<()> {
    type Held = (String, String, String, Vec<u8>);
    let Some((_, words, ..)) = tx.one::<Held>(HELD, &values![repo]).await? else {
        return Ok(());
    };
    words_less(tx, &words, near).await?;
    tx.exec(UNINDEX, &values![repo]).await?;
    tx.exec(DROP, &values![repo]).await.map(drop)
}

async fn words_less(tx: &mut Tx<'_>, words: &str, near: fn(&str) -> Vec<String>) -> Result<()> {
    for word in words.split_whitespace() {
        let uses = tx.one::<(i64,)>(WORD_LESS, &values![word]).await?;
        if uses.is_some_and(|(uses,)| uses <= 0) {
            tx.exec(WORD_GONE, &values![word]).await?;
            for less in near(word) {
                tx.exec(NEAR_GONE, &values![less.as_str(), word]).await?;
            }
        }
    }
    Ok(())
}

/// Repositories that have all that is asked for, in the order of their ids, the first `limit`.
///
/// # Errors
/// `Unavailable`.
pub async fn find_match(tx: &mut Tx<'_>, asked: &Asked, limit: usize) -> Result<Vec<Hit>> {
    match asked.words() {
        Some(words) => {
            let values = values![words.as_str(), limit];
            Ok(hits(tx.all(MATCH, &values).await?))
        }
        None => Ok(Vec::new()),
    }
}

/// Those of `repos` that have all that is asked for.
///
/// # Errors
/// `Unavailable`.
pub async fn find_among(tx: &mut Tx<'_>, asked: &Asked, repos: &[i64]) -> Result<Vec<Hit>> {
    let words = asked.words();
    let mut found = Vec::new();
    for repo in repos {
        if let Some(words) = &words
            && tx
                .one::<(i64,)>(ALSO, &values![words.as_str(), *repo])
                .await?
                .is_none()
        {
            continue;
        }
        found.extend(hits(tx.all(OF, &values![*repo]).await?));
    }
    Ok(found)
}

/// Repositories whose name begins with `prefix`, by name.
///
/// # Errors
/// `Unavailable`.
pub async fn find_named(tx: &mut Tx<'_>, prefix: &str, limit: usize) -> Result<Vec<Hit>> {
    let values = values![prefix, beyond(prefix).as_str(), limit];
    Ok(hits(tx.all(NAMED, &values).await?))
}

/// Repositories the last component of whose name begins with `prefix`, the shortest first where one is the beginning of another.
///
/// # Errors
/// `Unavailable`.
pub async fn find_last(tx: &mut Tx<'_>, prefix: &str, limit: usize) -> Result<Vec<Hit>> {
    let values = values![prefix, beyond(prefix).as_str(), limit];
    Ok(hits(tx.all(LAST, &values).await?))
}

/// What comes after all that begins with `prefix`: names are of ASCII.
pub(crate) fn beyond(prefix: &str) -> String {
    format!("{prefix}\u{7f}")
}

/// Words of names that are found by `less`.
///
/// # Errors
/// `Unavailable`.
pub async fn find_near(tx: &mut Tx<'_>, less: &str, limit: usize) -> Result<Vec<String>> {
    let rows = tx.all::<(String,)>(NEAR, &values![less, limit]).await?;
    Ok(rows.into_iter().map(|(word,)| word).collect())
}

/// Repositories that have a manifest or a blob whose key is from `from` to `to`, each once, at most about `limit`.
///
/// # Errors
/// `Unavailable`.
pub async fn find_holders(
    tx: &mut Tx<'_>,
    from: &[u8],
    to: &[u8],
    limit: usize,
) -> Result<Vec<i64>> {
    let mut repos = Vec::new();
    for sql in [HAVE_MANIFEST, HAVE_BLOB] {
        let rows = tx
            .all::<(Digest, i64)>(sql, &values![from, to, limit])
            .await?;
        repos.extend(rows.into_iter().map(|(_, repo)| repo));
    }
    repos.sort_unstable();
    repos.dedup();
    repos.truncate(limit);
    Ok(repos)
}

/// What is shown of a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn find_description(tx: &mut Tx<'_>, repo: i64) -> Result<String> {
    let row = tx.one::<(String,)>(DESCRIPTION, &values![repo]).await?;
    Ok(row.map_or_else(String::new, |(description,)| description))
}

/// What people say of a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn find_said(tx: &mut Tx<'_>, repo: i64) -> Result<Said> {
    let row = tx
        .one::<(String, String, String)>(PROFILE, &values![repo])
        .await?;
    Ok(row
        .map(|(description, readme, labels)| Said {
            description,
            readme,
            labels,
        })
        .unwrap_or_default())
}

/// A repository's name, and how many manifests it holds.
///
/// # Errors
/// `Unavailable`.
pub async fn find_repo(tx: &mut Tx<'_>, repo: i64) -> Result<Option<(String, u64)>> {
    tx.one(REPO, &values![repo]).await
}
