use longshore_meta::time::micros;

use super::*;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn the_log_is_signed_by_the_keys_of_the_index_and_forgotten_by_time() {
    let house = House::new().await;
    let later = |days: u32| now() + DAY * days;
    for name in ["a1", "a2", "a3"] {
        house.user(name).await;
    }
    house.hub.tend(DAY * 10, now()).await;
    house.user("a4").await;
    let verified = async |at: SystemTime| {
        let notary = house.hub.notary(at).await.unwrap();
        house.hub.audit_verify(&notary, micros(at)).await.unwrap()
    };
    let found = verified(now()).await;
    assert_eq!((found.rows, found.signatures, found.unsigned), (4, 1, 1));
    // The key is another by the next time, and the old one's private half is erased by the third.
    let issuer = house.hub.index().issuer();
    issuer.rotate(true, later(1)).await.unwrap();
    house.hub.tend(DAY * 10, later(2)).await;
    issuer.tend(later(3)).await.unwrap();
    let found = verified(later(3)).await;
    assert_eq!(
        (found.rows, found.signatures, found.unknown_keys),
        (4, 2, 0)
    );
    assert_eq!(found.wrong, [""; 0]);
    // Nothing new: nothing is signed again.
    house.hub.tend(DAY * 10, later(4)).await;
    assert_eq!(verified(later(4)).await.signatures, 2);
    house.hub.tend(DAY * 10, later(11)).await;
    let found = verified(later(11)).await;
    assert_eq!((found.rows, found.wrong.as_slice()), (1, &[][..]));
}

#[tokio::test]
async fn a_name_that_has_rested_is_forgotten() {
    let house = House::new().await;
    house.user("alice").await;
    house
        .hub
        .account_delete(&operator(), None, "alice")
        .await
        .unwrap();
    let rests = async || {
        let read = house
            .hub
            .db
            .read(&(), |tx, ()| Box::pin(longshore_meta::rests::rest_any(tx)));
        read.await.unwrap()
    };
    house.hub.tend(DAY, now() + DAY).await;
    assert!(rests().await);
    house.hub.tend(DAY, now() + crate::names::REST + DAY).await;
    assert!(!rests().await);
}

#[tokio::test]
async fn logins_of_command_lines_that_nobody_ended_are_forgotten_a_while_after_their_time() {
    let house = House::new().await;
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let begun = house.hub.device_begin("a", "", from, now()).await.unwrap();
    let polled = async |at: SystemTime| {
        let code = (begun.device_code.as_str(), "a");
        house.hub.device_poll(code, from, 1, at).await.unwrap()
    };
    let ended = now() + crate::devices::CODE_LIVES;
    house.hub.tend(DAY, ended).await;
    assert!(matches!(
        polled(ended).await,
        crate::devices::DevicePoll::Expired
    ));
    house.hub.tend(DAY, now() + DAY).await;
    assert!(matches!(
        polled(ended).await,
        crate::devices::DevicePoll::Unknown
    ));
}
