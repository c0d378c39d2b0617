//! The table of bad input, asked of the edge in each way it can know its callers.

use longshore_auth::AnonymousAccess;
use std::io;

use longshore_testkit::bad_input::{Target, Who, run};
use longshore_testkit::wire::{Answer, Ask};

use super::house::{House, options};

async fn every_row_holds(mut house: House, callers: usize) {
    let report = run(&mut house).await.unwrap();
    assert!(report.failures.is_empty(), "{report}");
    let all = longshore_testkit::bad_input::rows().count();
    assert_eq!(report.ran.len() + report.left_out.len(), all);
    assert!(
        report.left_out.len() <= callers,
        "left out: {:?}",
        report.left_out
    );
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_where_nobody_is_asked() {
    every_row_holds(House::open(), 8).await;
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_to_callers_with_passwords() {
    every_row_holds(
        House::passwords(AnonymousAccess::Nothing, options()).await,
        2,
    )
    .await;
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_to_callers_with_tokens() {
    every_row_holds(House::tokens(AnonymousAccess::Nothing, options()).await, 0).await;
}

/// A house that forgets one header, once the fixture is in.
struct Forgetful {
    house: House,
    sent: usize,
}

impl Target for Forgetful {
    fn knows(&self, who: Who) -> bool {
        self.house.knows(who)
    }

    async fn send(&mut self, who: Who, ask: &Ask) -> io::Result<Answer> {
        self.sent += 1;
        let mut answer = self.house.send(who, ask).await?;
        answer.headers.retain(|(name, _)| name != "x-request-id");
        Ok(answer)
    }
}

#[tokio::test]
async fn a_run_of_the_table_sees_what_is_missing_in_every_row() {
    let mut target = Forgetful {
        house: House::open(),
        sent: 0,
    };
    let report = run(&mut target).await.unwrap();
    assert_eq!(report.failures.len(), report.ran.len());
    assert!(target.sent > report.ran.len());
}
