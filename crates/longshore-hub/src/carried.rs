//! What a rename or a move takes along: nobody comes by it to a right on content that was kept from them.
//!
//! Bindings are found by where a repository lies, and patterns by what it is called. So whoever changes either changes who may do
//! what, and may do so only where nothing is kept from them, and where nobody is freed of a denial by it whom they could not free of it
//! themselves. Whoever may do everything in the system may do this, too.

use std::collections::{HashMap, HashSet};

use longshore_auth::rights::action::Place;
use longshore_auth::rights::ground::{Ground, RepoGround, home};
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::rule::Rule;
use longshore_auth::rights::{Action, Facts, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, binding_list, binding_move};
use longshore_meta::namespaces::{Namespace, NamespaceId, Visibility};
use longshore_spec::name::RepoName;

use crate::bindings::place;
use crate::brought::Brought;
use crate::caller::Caller;
use crate::gives::{BindingSeen, seen};
use crate::rank::is_administrator;

mod standing;

use standing::{Standing, judge};

/// How many bindings are read at once.
const TOGETHER: usize = 10_000;

/// A repository that gets another name.
#[derive(Debug)]
pub(crate) struct Renamed {
    /// Its id.
    pub(crate) id: i64,
    /// Its name.
    pub(crate) from: RepoName,
    /// The name it is to have.
    pub(crate) to: RepoName,
    /// Who may see it without being given a right, by its own word: before, and after.
    pub(crate) seen: [Option<Visibility>; 2],
}

/// A repository that gets another name, and what lies around it before and after.
#[derive(Debug)]
struct Placed {
    repo: Renamed,
    grounds: [Ground; 2],
}

/// Repositories that get other names, and all that lies around them.
#[derive(Debug)]
pub(crate) struct Carried {
    repos: Vec<Placed>,
    /// What lies around all of it, before and after: what does not go with it.
    around: [Vec<Namespace>; 2],
    /// All bindings there and everywhere.
    rows: Vec<Binding>,
}

/// What became of repositories that got other names.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// The names of before and after, in pairs.
    pub(crate) names: Vec<RepoName>,
    /// What one says of who may see it since, where more would have seen it.
    pub hidden: Option<Visibility>,
    /// Bindings with patterns that meant one of them by its old name, and do not mean it any more.
    pub lost: Vec<BindingSeen>,
    /// Bindings with patterns that mean one of them now, and did not before.
    pub found: Vec<BindingSeen>,
}

impl Carried {
    /// Reads what there is to judge.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn load(
        tx: &mut Tx<'_>,
        repos: Vec<Renamed>,
        before: Vec<Namespace>,
        after: Vec<Namespace>,
    ) -> Result<Self> {
        let mut places: Vec<_> = before.iter().chain(&after).map(|it| it.id).collect();
        places.push(NamespaceId::EVERYWHERE);
        places.sort_unstable();
        places.dedup();
        let mut rows = Vec::new();
        for place in places {
            let mut last = 0;
            loop {
                let page = binding_list(tx, place, last, TOGETHER).await?;
                let Some(end) = page.last() else { break };
                last = end.id;
                rows.extend(page);
            }
        }
        let around = [outside(&before, &after), outside(&after, &before)];
        // Looked up once for each repository: each binding is held against each of them.
        let [before, after] = [Spaces::of(before), Spaces::of(after)];
        let repos = repos.into_iter().map(|repo| {
            let [was, will_be] = repo.seen;
            let grounds = [
                before.ground(repo.id, &repo.from, was),
                after.ground(repo.id, &repo.to, will_be),
            ];
            Placed { repo, grounds }
        });
        Ok(Self {
            repos: repos.collect(),
            around,
            rows,
        })
    }

    /// Checks that whoever asks may take them along.
    ///
    /// # Errors
    /// `Denied` where something is kept from them, would be theirs by it and was not before, somebody would be freed of a denial that
    /// they could not take back, or would have a right there that they could not give; `ConditionFailed` where it would be by a role
    /// that is none there; `Unavailable`.
    pub(crate) async fn check(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
        let brought = self.brought();
        brought.roles(tx).await?;
        if is_administrator(tx, caller).await? {
            return Ok(());
        }
        brought.rights(tx, caller).await?;
        let base = Facts::load(tx, &caller.who, &Object::System, caller.now).await?;
        // What they may just now, and what they may at any hour and from anywhere.
        let mut facts = [self.rules(&base, false), self.rules(&base, true)];
        for Placed { repo, grounds } in &self.repos {
            let [before, after] = grounds.each_ref().map(|ground| {
                facts.each_mut().map(|facts| {
                    facts.ground.clone_from(ground);
                    Standing::of(facts, caller)
                })
            });
            judge(caller, repo, before, after)?;
        }
        self.frees(tx, caller, &base).await
    }

    /// What was said of them, and of the groups that go with them, and is said elsewhere then.
    fn brought(&self) -> Brought<'_> {
        let [from, into] = &self.around;
        let ids = |spaces: &[Namespace]| spaces.iter().map(|it| it.id).collect::<Vec<_>>();
        let (from_ids, into_ids) = (ids(from), ids(into));
        let stays = |row: &Binding| {
            let at = row.namespace;
            at == NamespaceId::EVERYWHERE || from_ids.contains(&at) && into_ids.contains(&at)
        };
        let repos: HashSet<_> = self.names().map(|it| it.id).collect();
        // All rows were read of places around and of what goes: what is in none of those around goes.
        let goes = |row: &&Binding| match row.repo {
            Some(repo) if repos.contains(&repo) => !stays(row),
            _ => {
                let is_around = from_ids.contains(&row.namespace)
                    || into_ids.contains(&row.namespace)
                    || row.namespace == NamespaceId::EVERYWHERE;
                !is_around
            }
        };
        let rows = if from_ids == into_ids {
            Vec::new()
        } else {
            self.rows.iter().filter(goes).collect()
        };
        Brought {
            rows,
            around: [from, into],
        }
    }

    /// The names of before and after.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Renamed> {
        self.repos.iter().map(|placed| &placed.repo)
    }

    /// What is on one of the repositories alone goes with it: from a namespace that it lies in no more, to where it lies.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>) -> Result<()> {
        let placed = self.repos.iter().map(|placed| (placed.repo.id, placed));
        let repos: HashMap<_, _> = placed.collect();
        for row in &self.rows {
            let Some(Placed { repo, grounds }) = row.repo.and_then(|id| repos.get(&id)) else {
                continue;
            };
            let [_, Ground { chain, .. }] = grounds;
            let stays = row.namespace == NamespaceId::EVERYWHERE
                || chain.iter().any(|it| it.id == row.namespace);
            if !stays {
                let to = chain.last().map_or(NamespaceId::EVERYWHERE, |it| it.id);
                binding_move(tx, repo.id, row.namespace, to).await?;
            }
        }
        Ok(())
    }

    /// What became of it, for whoever asks: bindings are shown to those who see rights there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn moved(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<Moved> {
        let names = self.names().flat_map(|it| [&it.from, &it.to]);
        let mut moved = Moved {
            names: names.cloned().collect(),
            ..Moved::default()
        };
        for row in self.rows.iter().filter(|row| row.repos.is_some()) {
            let Some(rule) = rule(row) else { continue };
            let (mut lost, mut found) = (false, false);
            for Placed { grounds, .. } in &self.repos {
                let [before, after] = grounds.each_ref().map(|ground| rule.is_at(ground));
                lost |= before && !after;
                found |= after && !before;
                if lost && found {
                    break;
                }
            }
            let (read, at) = (Action::RightsRead, place(row.namespace));
            if !(lost || found) || !allows(tx, &caller.who, read, &at, caller.now).await? {
                continue;
            }
            let row = seen(tx, row.clone()).await?;
            if lost {
                moved.lost.push(row.clone());
            }
            if found {
                moved.found.push(row);
            }
        }
        Ok(moved)
    }

    /// The rules around of all whose rights count. What is denied at other hours, or from elsewhere, is denied.
    fn rules(&self, base: &Facts, ever: bool) -> Facts {
        let mut facts = base.clone();
        for party in &mut facts.parties {
            let own = |row: &&Binding| party.subjects.contains(&row.subject);
            let rules = self.rows.iter().filter(own).filter_map(rule);
            party.rules = rules
                .map(|rule| if ever || rule.deny { awake(rule) } else { rule })
                .collect();
        }
        facts
    }

    /// Checks that nobody else is freed of a denial, by whoever could not free them of it.
    async fn frees(&self, tx: &mut Tx<'_>, caller: &Caller, own: &Facts) -> Result<()> {
        let own: Vec<_> = own.parties.first().into_iter().collect();
        let is_own = |row: &Binding| own.iter().any(|it| it.subjects.contains(&row.subject));
        let mut may = Vec::new();
        for row in self.rows.iter().filter(|row| row.deny && !is_own(row)) {
            let ended = row.expires.is_some_and(|end| end <= caller.micros());
            if ended || may.contains(&row.namespace) {
                continue;
            }
            let Some(rule) = rule(row) else { continue };
            let freed = self.repos.iter().find(|it| loses(&rule, &it.grounds));
            let Some(Placed { repo, .. }) = freed else {
                continue;
            };
            let manage = Action::RightsManage;
            if !allows(tx, &caller.who, manage, &place(row.namespace), caller.now).await? {
                return Err(Error::new(
                    Code::Denied,
                    format!(
                        "what is denied somebody on `{0}` would not be denied on `{1}`, and `{2}` could not take that denial \
                         back; ask whoever says who may do what there to rename it",
                        repo.from, repo.to, caller.name
                    ),
                ));
            }
            may.push(row.namespace);
        }
        Ok(())
    }
}

/// Those of one side that have the same path on the other, or are not there: what has another path there goes.
fn outside(spaces: &[Namespace], others: &[Namespace]) -> Vec<Namespace> {
    let others: HashMap<_, _> = others.iter().map(|it| (it.id, &it.path)).collect();
    let goes = |it: &&Namespace| others.get(&it.id).is_none_or(|path| **path == it.path);
    spaces.iter().filter(goes).cloned().collect()
}

/// Whether a rule is about a repository, and not any more.
fn loses(rule: &Rule, [before, after]: &[Ground; 2]) -> bool {
    rule.actions
        .iter()
        .any(|action| action.about().place == Place::Repository)
        && rule.is_at(before)
        && !rule.is_at(after)
}

/// Namespaces by their paths.
struct Spaces(HashMap<String, Namespace>);

impl Spaces {
    /// Read-only mode is not looked at: it keeps everybody from it alike.
    fn of(spaces: Vec<Namespace>) -> Self {
        let changing = spaces.into_iter().map(|space| Namespace {
            read_only: false,
            ..space
        });
        Self(changing.map(|space| (space.path.clone(), space)).collect())
    }

    /// Those that a name lies in, the outermost first.
    fn around(&self, name: &RepoName) -> Vec<Namespace> {
        let home = home(name);
        let ends = home.match_indices('/').map(|(end, _)| end);
        let paths = ends.chain([home.len()]).filter_map(|end| home.get(..end));
        paths.filter_map(|path| self.0.get(path)).cloned().collect()
    }

    /// What lies around a repository of that name.
    fn ground(&self, id: i64, name: &RepoName, visibility: Option<Visibility>) -> Ground {
        Ground {
            chain: self.around(name),
            repo: Some(RepoGround {
                id: Some(id),
                name: name.clone(),
                visibility,
                read_only: false,
            }),
            ..Ground::default()
        }
    }
}

/// The rule of a row. One on a single repository goes where that goes, so wherever that lies.
fn rule(row: &Binding) -> Option<Rule> {
    let mut rule = Rule::read(row)?;
    if rule.repo.is_some() {
        rule.namespace = NamespaceId::EVERYWHERE;
    }
    Some(rule)
}

/// The same, at all hours and from everywhere.
fn awake(rule: Rule) -> Rule {
    Rule {
        networks: None,
        hours: None,
        ..rule
    }
}
