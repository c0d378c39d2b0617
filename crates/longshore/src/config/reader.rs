//! Gathers the sources and hands each key its value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use toml::de::DeTable;

use super::key::{Key, Kind, join};
use super::node::{Datum, Node};
use super::origin::Origin;
use super::problem::{Problem, Problems, nearest};
use super::value::{Fault, Value};
use super::{settings, several};

/// Where every value that is not a default came from, by key.
pub type Origins = BTreeMap<String, Origin>;

/// What the sources said so far; a later source replaces an earlier one key by key.
#[derive(Debug)]
pub struct Reader {
    known: BTreeMap<String, Key>,
    values: BTreeMap<String, Node>,
    origins: Origins,
    problems: Vec<Problem>,
}

impl Default for Reader {
    fn default() -> Self {
        let known = settings::keys()
            .into_iter()
            .map(|key| (key.path(), key))
            .collect();
        Self {
            known,
            values: BTreeMap::new(),
            origins: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

impl Reader {
    /// Adds what `text`, the content of the TOML file `name`, says.
    pub fn file(&mut self, name: &str, text: &str) {
        let file = Arc::from(name);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            let what = error.message().replace('\n', ", ");
            self.problems
                .push(Problem::new(Origin::in_file(&file, text, offset), what));
        }
        if errors.is_empty() {
            self.table("", table.get_ref(), &file, text);
        }
    }

    fn table(&mut self, section: &str, table: &DeTable<'_>, file: &Arc<str>, text: &str) {
        for (name, value) in table {
            let path = join(section, name.get_ref());
            let at = Origin::in_file(file, text, name.span().start);
            if self.key(&path).is_some() {
                self.set(path, Node::from_toml(value, file, text));
            } else if !settings::is_section(&path) {
                let what = format!("there is no key `{path}`");
                self.unknown(Problem::new(at, what), &path, name.get_ref());
            } else if let Some(table) = value.get_ref().as_table() {
                self.section(path.clone(), at);
                self.table(&path, table, file, text);
            } else {
                let what = format!("`{path}` is a section, not a key");
                self.problems
                    .push(Problem::new(at, what).hint(format!("write its keys under [{path}]")));
            }
        }
    }

    /// The key of a path, also where it is one of several tables of a kind.
    fn key(&self, path: &str) -> Option<&Key> {
        self.known.get(&*several::known_as(path))
    }

    /// The names of the tables of a kind that stand under `section`.
    pub fn names(&self, section: &str) -> BTreeSet<String> {
        let within = |set: &String| {
            let name = set.strip_prefix(section)?.strip_prefix('.')?;
            name.split('.').next().map(str::to_owned)
        };
        self.origins.keys().filter_map(within).collect()
    }

    /// Adds the variables whose names begin with `LONGSHORE__`. An empty one counts as not set.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for (variable, text) in variables {
            let Some(name) = variable.strip_prefix("LONGSHORE__") else {
                continue;
            };
            if text.is_empty() {
                continue;
            }
            let path = name.to_lowercase().replace("__", ".");
            let at = Origin::Variable(variable.clone());
            if let Some(kind) = self.key(&path).map(|key| key.kind.clone()) {
                let node = Node::from_text(&kind, &text, at);
                self.set(path, node);
            } else {
                self.unknown_variable(&variable);
            }
        }
    }

    fn unknown_variable(&mut self, variable: &str) {
        let known: Vec<_> = self.known.values().map(Key::variable).collect();
        let hint = match nearest(variable, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`longshore config schema --format markdown` lists them all".to_owned(),
        };
        let at = Origin::Variable(variable.to_owned());
        self.problems
            .push(Problem::new(at, "no key has this variable").hint(hint));
    }

    /// Adds the value of a command line flag for the key `path`.
    pub fn flag(&mut self, flag: &'static str, path: &str, text: &str) {
        if let Some(key) = self.known.get(path) {
            let node = Node::from_text(&key.kind, text, Origin::Flag(flag));
            self.set(path.to_owned(), node);
        }
    }

    /// Sets the key `path`, which must be one of the table.
    pub fn set(&mut self, path: String, node: Node) {
        // Of a secret and its file twin, the later source decides; within one source both is a slip,
        // which `take` reports.
        if let Some(twin) = self.twin(&path)
            && self
                .values
                .get(&twin)
                .is_some_and(|earlier| !same_source(&earlier.at, &node.at))
        {
            self.values.remove(&twin);
            self.origins.remove(&twin);
        }
        self.origins.insert(path.clone(), node.at.clone());
        self.values.insert(path, node);
    }

    /// Notes that a section is there. An empty `[auth.htpasswd]` asks for logins too; the check then
    /// says what is missing.
    pub fn section(&mut self, path: String, at: Origin) {
        self.origins.insert(path, at);
    }

    fn twin(&self, path: &str) -> Option<String> {
        let other = path
            .strip_suffix("_file")
            .map_or_else(|| format!("{path}_file"), str::to_owned);
        let is_secret = |path: &str| self.key(path).is_some_and(|key| key.kind == Kind::Secret);
        (is_secret(path) || is_secret(&other)).then_some(other)
    }

    /// The value of a key, or its default when nobody set it or what they set is wrong, which is noted.
    pub fn take<T: Value>(&mut self, section: &str, name: &str, default: impl FnOnce() -> T) -> T {
        let path = join(section, name);
        let node = if T::kind() == Kind::Secret {
            self.secret(&path)
        } else {
            self.values.remove(&path)
        };
        let Some(node) = node else { return default() };
        T::parse(&node).unwrap_or_else(|fault| {
            self.fault(&path, fault);
            default()
        })
    }

    /// The node of a secret; the content of its file travels as a secret's own node would.
    fn secret(&mut self, path: &str) -> Option<Node> {
        let written = self.values.remove(path);
        let twin = format!("{path}_file");
        let Some(file) = self.values.remove(&twin) else {
            return written;
        };
        if written.is_some() {
            let what = format!("`{path}` and `{twin}` are both set");
            self.problem(Problem::new(file.at, what).hint("keep one of them"));
            return None;
        }
        match PathBuf::parse(&file) {
            Ok(path) => Some(Node {
                datum: Datum::SecretFile(path),
                at: file.at,
            }),
            Err(fault) => {
                self.fault(&twin, fault);
                None
            }
        }
    }

    fn fault(&mut self, path: &str, fault: Fault) {
        let problem = Problem::new(fault.at, format!("`{path}` {}", fault.what));
        self.problems.push(match fault.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    /// Notes a problem.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn unknown(&mut self, problem: Problem, path: &str, name: &str) {
        let elsewhere = self
            .known
            .values()
            .find(|key| key.name == name)
            .map(Key::path);
        let sections = settings::sections()
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| !path.is_empty());
        let known = self.known.keys().map(String::as_str).chain(sections);
        let near = nearest(path, known).map(str::to_owned).or(elsewhere);
        self.problems.push(match near {
            Some(near) if near.contains(several::NAME) => problem.hint(format!(
                "did you mean `{near}`, where {} is a name of yours: lower-case letters, digits and `-`?",
                several::NAME
            )),
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("`longshore config schema --format markdown` lists every key"),
        });
    }

    /// Whether somebody set `path` or, if it names a section, any key in it.
    pub fn is_set(&self, path: &str) -> bool {
        self.origins.keys().any(|set| {
            set.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Where `path` was set, or the first key of it if it names a section.
    pub fn place(&self, path: &str) -> Origin {
        self.origins
            .iter()
            .find(|(set, _)| {
                set.strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .map_or(Origin::Default, |(_, at)| at.clone())
    }

    /// Where the first of `paths` that anybody set was set.
    pub fn place_of_any(&self, paths: &[&str]) -> Origin {
        paths
            .iter()
            .map(|path| self.place(path))
            .find(|at| *at != Origin::Default)
            .unwrap_or(Origin::Default)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All problems noted, in the order of the file.
    pub fn finish(self) -> Result<Origins, Problems> {
        if self.problems.is_empty() {
            return Ok(self.origins);
        }
        let mut problems = self.problems;
        // What is in no file comes last.
        problems.sort_by_key(|problem| problem.at.line_and_column().unwrap_or((usize::MAX, 0)));
        Err(Problems(problems))
    }
}

/// Whether two places belong to one file, or to the environment, or to the command line.
fn same_source(one: &Origin, other: &Origin) -> bool {
    match (one, other) {
        (Origin::File { file, .. }, Origin::File { file: other, .. }) => file == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
