//! What waits in the outbox: which letter to whom.

use std::time::Duration;

use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::outbox::{NewMail, mail_count, mail_put};
use longshore_meta::time::span;
use serde::{Deserialize, Serialize};

/// How many tasks wait that people who are known here asked for.
const MOST: u64 = 10_000;
/// How many that strangers asked for: they leave room for the others.
const MOST_OF_STRANGERS: u64 = 5_000;

/// A letter that is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "kebab-case")]
pub(crate) enum Task {
    /// To whom is invited.
    Invite {
        /// The invitation.
        invitation: i64,
    },
    /// To whom signed up, to confirm the address.
    SignUp {
        /// The address.
        mail: String,
        /// The name that is wished for.
        name: String,
        /// The full name.
        full_name: String,
    },
    /// To whoever is meant by what a stranger typed, if that is anybody.
    Reset {
        /// What was typed: a name or an address.
        account: String,
        /// Where from.
        from: String,
    },
    /// To one account.
    ResetOf {
        /// The account.
        principal: i64,
        /// Where from it was asked for.
        from: String,
    },
    /// To the address that an account is to have.
    Confirm {
        /// The account.
        principal: i64,
        /// The address.
        mail: String,
    },
    /// To an address that is told of something.
    Tell {
        /// The address.
        mail: String,
        /// The account.
        name: String,
        /// Of what.
        what: What,
    },
}

/// What somebody is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// The password is another.
    Password,
    /// The address is another; what is shown of it.
    Moved(String),
}

/// A task that waits, for whoever runs the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingMail {
    /// Its id.
    pub id: i64,
    /// Which letter.
    pub letter: String,
    /// When it was asked for, in microseconds.
    pub created: i64,
    /// When it is tried next.
    pub due: i64,
    /// How often it was tried.
    pub tries: i64,
    /// What failed the last time.
    pub why: Option<String>,
}

impl Task {
    /// For how long it makes sense to send it.
    fn lives(&self) -> Duration {
        match self {
            Task::Invite { .. } => Duration::from_hours(72),
            Task::SignUp { .. } | Task::Confirm { .. } => Duration::from_hours(6),
            Task::Reset { .. } | Task::ResetOf { .. } => Duration::from_hours(1),
            Task::Tell { .. } => Duration::from_hours(24),
        }
    }

    /// Whether nobody who is known here asked for it.
    fn is_strangers(&self) -> bool {
        matches!(
            self,
            Task::SignUp { .. } | Task::Reset { .. } | Task::ResetOf { .. }
        )
    }

    /// The word for it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Task::Invite { .. } => "invitation",
            Task::SignUp { .. } => "sign-up",
            Task::Reset { .. } | Task::ResetOf { .. } => "password-reset",
            Task::Confirm { .. } => "confirmation",
            Task::Tell { .. } => "notice",
        }
    }
}

/// Writes a task into the outbox. It is sent when the transaction is there to stay.
///
/// # Errors
/// `Unavailable`, also when too much waits.
pub(crate) async fn post(tx: &mut Tx<'_>, task: &Task, now: i64) -> Result<()> {
    let stranger = task.is_strangers();
    let most = if stranger { MOST_OF_STRANGERS } else { MOST };
    if mail_count(tx, stranger).await? >= most {
        let what =
            "too much mail waits to be sent; try again later, or tell whoever runs this server";
        return Err(Error::new(Code::Unavailable, what));
    }
    let new = NewMail {
        task: serde_json::to_string(task).map_err(Error::internal)?,
        stranger,
        now,
        due: now,
        ends: now.saturating_add(span(task.lives())),
    };
    mail_put(tx, &new).await.map(drop)
}
