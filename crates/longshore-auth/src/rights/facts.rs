//! All that a decision is made from. Read in one view of the database, by a number of reads that depends on how many teams the
//! caller is in and how deep the name is, and on nothing else that is stored.

use std::time::SystemTime;

use futures_util::future::BoxFuture;
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_in, binding_on};
use longshore_meta::members::member_of;
use longshore_meta::principals::{Kind, PrincipalId, Standing, principal_standing};
use longshore_spec::name::RepoName;

use super::ground::{Ground, NO_PLACE, NO_REPO, Object, Sight};
use super::rule::Rule;
use super::suppose::Supposed;
use super::who::Who;

/// How many robots may have made one another before the last one is not believed any more.
pub const MAKERS: usize = 8;

/// Somebody whose rights count: the caller, or the maker of a robot whose rights count.
#[derive(Debug, Clone)]
pub struct Party {
    /// Who it is; `None`: a stranger.
    pub id: Option<PrincipalId>,
    /// What it is; `None` for a stranger, and for somebody who is not there.
    pub standing: Option<Standing>,
    /// Whom it belongs to, itself first.
    pub subjects: Vec<Subject>,
    /// The bindings of all of those around what is asked about.
    pub rules: Vec<Rule>,
}

/// All that a decision is made from.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The caller, and the makers of robots behind it: what one may not, none before it may.
    pub parties: Vec<Party>,
    /// What is asked about.
    pub ground: Ground,
    /// A robot was made by a robot, and so on, longer than is looked at.
    pub too_deep: bool,
}

impl Facts {
    /// Reads what a decision about `object` is made from.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn load(
        tx: &mut Tx<'_>,
        who: &Who,
        object: &Object,
        now: SystemTime,
    ) -> Result<Self> {
        Self::supposing(tx, who, object, now, &Supposed::default()).await
    }

    /// The same about a repository that is to have a name, where that lies and not where it leads.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn load_at(tx: &mut Tx<'_>, who: &Who, name: &RepoName) -> Result<Self> {
        let ground = Ground::at(tx, name).await?;
        let object = Object::Repository(name.clone());
        Self::around(tx, who, &object, ground, &Supposed::default()).await
    }

    /// The same as it would be if what is supposed were so.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn supposing(
        tx: &mut Tx<'_>,
        who: &Who,
        object: &Object,
        now: SystemTime,
        supposed: &Supposed,
    ) -> Result<Self> {
        let mut ground = Ground::load(tx, object, now).await?;
        supposed.around(&mut ground);
        Self::around(tx, who, object, ground, supposed).await
    }

    fn around<'a>(
        tx: &'a mut Tx<'_>,
        who: &'a Who,
        object: &'a Object,
        ground: Ground,
        supposed: &'a Supposed,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            let mut facts = Self {
                parties: Vec::new(),
                ground,
                too_deep: false,
            };
            if who.is_operator() {
                return Ok(facts);
            }
            let mut next = Some(who.principal);
            while let Some(id) = next {
                if facts.parties.len() == MAKERS {
                    facts.too_deep = true;
                    break;
                }
                let mut party = Party::supposing(tx, id, supposed).await?;
                let mut places = facts.ground.places();
                if facts.ground.chain.is_empty() && !matches!(object, Object::System) {
                    places.push(NO_PLACE);
                }
                let repo = facts.ground.repo.as_ref();
                let repo = repo.map(|repo| repo.id.unwrap_or(NO_REPO));
                for subject in &party.subjects {
                    let mut rows = binding_in(tx, *subject, &places).await?;
                    if let Some(repo) = repo {
                        rows.extend(binding_on(tx, *subject, repo).await?);
                    }
                    party.rules.extend(supposed.rules(rows));
                    party.rules.extend(supposed.more(*subject));
                }
                next = party.maker();
                facts.parties.push(party);
            }
            Ok(facts)
        })
    }

    /// The same for content that lies where `sight` says.
    #[must_use]
    pub fn seen(mut self, sight: Sight) -> Self {
        self.ground.sight = sight;
        self
    }
}

impl Party {
    /// Who somebody is and whom it belongs to, without any rule yet.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn load(tx: &mut Tx<'_>, id: Option<PrincipalId>) -> Result<Self> {
        Self::supposing(tx, id, &Supposed::default()).await
    }

    fn supposing<'a>(
        tx: &'a mut Tx<'_>,
        id: Option<PrincipalId>,
        supposed: &'a Supposed,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            let mut party = Self::nobody(id);
            let Some(id) = id else { return Ok(party) };
            party.standing = principal_standing(tx, id).await?;
            party.subjects = vec![Subject::from(id)];
            let mut within = member_of(tx, id).await?;
            supposed.within(id, &mut within);
            for (party_of, owner) in within {
                party.subjects.push(Subject::from(party_of));
                // Whoever is in a team is in its organisation.
                if owner != PrincipalId(0) {
                    party.subjects.push(Subject::from(owner));
                }
            }
            party
                .subjects
                .extend([Subject::EVERYBODY, Subject::LOGGED_IN]);
            party.subjects.sort_unstable();
            party.subjects.dedup();
            Ok(party)
        })
    }

    fn nobody(id: Option<PrincipalId>) -> Self {
        Self {
            id,
            standing: None,
            subjects: vec![Subject::EVERYBODY],
            rules: Vec::new(),
        }
    }

    /// Whoever stands behind a principal, itself first: the maker of a robot, that one's maker, and so on as far as is looked at.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn chain(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Vec<(PrincipalId, Self)>> {
        let (mut chain, mut next) = (Vec::new(), Some(id));
        while let Some(id) = next {
            let party = Self {
                standing: principal_standing(tx, id).await?,
                ..Self::nobody(Some(id))
            };
            next = party.maker().flatten();
            chain.push((id, party));
            if chain.len() > MAKERS {
                break;
            }
        }
        Ok(chain)
    }

    /// Who must be able to do what this robot does; `None` where nobody must.
    pub fn maker(&self) -> Option<Option<PrincipalId>> {
        let standing = self.standing?;
        (standing.kind == Kind::Robot && standing.created_by != PrincipalId(0))
            .then_some(Some(standing.created_by))
    }
}
