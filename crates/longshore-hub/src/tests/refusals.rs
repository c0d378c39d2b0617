//! What is refused is in the audit log, and does not fill it.

use longshore_meta::time::micros;

use super::*;
use crate::refusals::MOST;

/// Bob asks for something on what is not his, some seconds after the beginning.
async fn refused(house: &House, who: &Caller, namespace: i64, seconds: u64) {
    let caller = Caller {
        now: now() + Duration::from_secs(seconds),
        ..who.clone()
    };
    let open = Some(Visibility::Public);
    let edit = house
        .hub
        .namespace_settings(&caller, NamespaceId(namespace), open, None);
    edit.await.unwrap_err();
}

/// The refusals in the log: who, on what, and what is said of them.
async fn told(house: &House) -> Vec<(String, String, String)> {
    let rows = house.rows().await.into_iter().map(|row| row.entry);
    let denied = rows.filter(|row| row.result == "denied");
    denied
        .map(|row| (row.actor_name, row.object, row.detail))
        .collect()
}

fn again(times: usize) -> String {
    format!(r#"{{"again":{times},"within_secs":60}}"#)
}

#[tokio::test]
async fn a_refusal_that_comes_again_within_a_minute_is_counted_and_told_in_one_row() {
    let house = House::new().await;
    let (bob, eve) = (house.user("bob").await, house.user("eve").await);
    for second in 0..50 {
        refused(&house, &bob, 900, second).await;
    }
    refused(&house, &eve, 900, 30).await;
    let row = |who: &str, detail: String| (who.to_owned(), "namespace 900".to_owned(), detail);
    let mut all = vec![row("bob", "{}".to_owned()), row("eve", "{}".to_owned())];
    assert_eq!(told(&house).await, all);
    // The next one after the minute has a row, and before it stands how often the last one came.
    refused(&house, &bob, 900, 60).await;
    all.extend([row("bob", again(49)), row("bob", "{}".to_owned())]);
    assert_eq!(told(&house).await, all);
    refused(&house, &bob, 900, 61).await;
    let at = micros(now() + Duration::from_secs(119));
    house.hub.refusals_tell(at, false).await.unwrap();
    assert_eq!(told(&house).await, all, "its minute is not over");
    house
        .hub
        .refusals_tell(at + 1_000_000, false)
        .await
        .unwrap();
    all.push(row("bob", again(1)));
    assert_eq!(told(&house).await, all);
    house
        .hub
        .refusals_tell(at + 90_000_000, false)
        .await
        .unwrap();
    assert_eq!(told(&house).await, all, "it is told once");
}

#[tokio::test]
async fn somebody_who_is_refused_different_things_has_few_rows_and_the_last_counts_the_rest() {
    let house = House::new().await;
    let (bob, eve) = (house.user("bob").await, house.user("eve").await);
    for namespace in 0..100 {
        refused(&house, &bob, 900 + namespace, 0).await;
    }
    assert_eq!(told(&house).await.len(), MOST);
    refused(&house, &eve, 900, 0).await;
    assert_eq!(
        told(&house).await.len(),
        MOST + 1,
        "who is not counted with bob"
    );
    house.hub.refusals_tell(micros(now()), true).await.unwrap();
    let all = told(&house).await;
    assert_eq!(all.len(), MOST + 2);
    let last = ("bob".to_owned(), "several".to_owned(), again(100 - MOST));
    assert_eq!(all.last(), Some(&last));
}

#[tokio::test]
async fn what_is_done_has_its_row_each_time_and_the_log_stays_one_chain() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    let before = house.rows().await.len();
    for _ in 0..40 {
        let edit = house
            .hub
            .namespace_settings(&alice, home, None, Some(false));
        edit.await.unwrap();
        refused(&house, &bob, home.0, 0).await;
    }
    house.hub.refusals_tell(micros(now()), true).await.unwrap();
    assert_eq!(house.rows().await.len(), before + 40 + 2);
    let verified = house
        .hub
        .audit_verify(&super::log::Plain, NOW)
        .await
        .unwrap();
    assert_eq!(verified.wrong, Vec::<String>::new());
}
