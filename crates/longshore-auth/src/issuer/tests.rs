//! Keys over time.

use std::time::{Duration, SystemTime};

use base64::Engine as _;

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

struct House {
    _folder: tempfile::TempDir,
    db: Db,
    sealing: Arc<SealingKey>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("meta.db")).unwrap();
        let sealing = Arc::new(SealingKey::from_bytes(&[7; 32]));
        House {
            _folder: folder,
            db,
            sealing,
        }
    }

    async fn open(&self, options: KeyOptions, now: SystemTime) -> Issuer {
        Issuer::open(self.db.clone(), self.sealing.clone(), options, now)
            .await
            .unwrap()
    }
}

/// The key a token names.
fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Whether `issuer` would trust this token's signature now.
fn is_trusted(issuer: &Issuer, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap();
    let trusted = issuer.trusted();
    trusted
        .keys()
        .named(&kid(token))
        .iter()
        .any(|key| key.verify(signed.as_bytes(), &signature))
}

#[tokio::test]
async fn the_first_start_makes_a_key_and_the_next_start_knows_it() {
    let house = House::new();
    assert!(!Issuer::has_keys(&house.db, start()).await.unwrap());
    let token = {
        let issuer = house.open(KeyOptions::default(), start()).await;
        issuer.sign(b"{}", start()).unwrap()
    };
    assert!(Issuer::has_keys(&house.db, start()).await.unwrap());
    let again = house.open(KeyOptions::default(), start() + DAY).await;
    assert_eq!(again.keys(start() + DAY).len(), 1);
    assert_eq!(kid(&again.sign(b"{}", start() + DAY).unwrap()), kid(&token));
    assert!(is_trusted(&again, &token));
}

#[tokio::test]
async fn another_sealing_key_opens_nothing_and_the_error_says_what_to_do() {
    let mut house = House::new();
    house.open(KeyOptions::default(), start()).await;
    house.sealing = Arc::new(SealingKey::from_bytes(&[8; 32]));
    let error = Issuer::open(
        house.db.clone(),
        house.sealing.clone(),
        KeyOptions::default(),
        start(),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("put the file back"), "{error}");
}

#[tokio::test]
async fn a_new_key_is_shown_before_it_signs_and_the_old_one_is_trusted_until_its_last_token_is_dead()
 {
    let house = House::new();
    let options = KeyOptions::default();
    let issuer = house.open(options, start()).await;
    let old = kid(&issuer.sign(b"{}", start()).unwrap());

    let rotated = start() + DAY;
    issuer.rotate(false, rotated).await.unwrap();
    assert!(
        issuer.jwks().matches("\"kty\"").count() == 4,
        "both keys, by two names each"
    );
    let before = rotated + options.lead - Duration::from_secs(1);
    let last = issuer.sign(b"{}", before).unwrap();
    assert_eq!(
        kid(&last),
        old,
        "the new key waits until everybody knows it"
    );
    let after = rotated + options.lead;
    let first = issuer.sign(b"{}", after).unwrap();
    assert_ne!(kid(&first), old);

    issuer.tend(after + options.token_ttl).await.unwrap();
    assert!(is_trusted(&issuer, &last) && is_trusted(&issuer, &first));
    let gone = after + options.token_ttl + SKEW + Duration::from_secs(1);
    issuer.tend(gone).await.unwrap();
    assert!(!is_trusted(&issuer, &last), "what is dead is not trusted");
    assert!(is_trusted(&issuer, &first));
    assert_eq!(issuer.keys(gone).len(), 1);
}

#[tokio::test]
async fn rotation_comes_by_itself_once_a_key_is_old_or_another_algorithm_is_wanted() {
    let house = House::new();
    let options = KeyOptions::default();
    let issuer = house.open(options, start()).await;
    issuer
        .tend(start() + options.rotate_every - DAY)
        .await
        .unwrap();
    assert_eq!(issuer.keys(start()).len(), 1);
    let due = start() + options.rotate_every;
    issuer.tend(due).await.unwrap();
    issuer.tend(due + Duration::from_mins(1)).await.unwrap();
    assert_eq!(issuer.keys(due).len(), 2, "once, not at every look");
    let changed = KeyOptions {
        algorithm: SigningAlgorithm::EdDsa,
        ..options
    };
    let issuer = house.open(changed, due + DAY).await;
    let keys = issuer.keys(due + DAY + options.lead);
    let signs: Vec<_> = keys.iter().filter(|key| key.signs).collect();
    assert_eq!(signs.len(), 1);
    assert_eq!(signs[0].algorithm, "EdDSA");
}

#[tokio::test]
async fn a_key_that_must_go_at_once_goes_at_once_with_all_trust_in_it_also_while_another_waits() {
    let house = House::new();
    let issuer = house.open(KeyOptions::default(), start()).await;
    let oldest = issuer.sign(b"{}", start()).unwrap();
    // The first is retired and still trusted, the second signs, and the third waits for its time.
    issuer.rotate(false, start() + DAY).await.unwrap();
    let at = start() + DAY + KeyOptions::default().lead;
    let leaked = issuer.sign(b"{}", at).unwrap();
    issuer.rotate(false, at).await.unwrap();
    assert_eq!(issuer.keys(at).len(), 3);
    assert!(is_trusted(&issuer, &oldest) && is_trusted(&issuer, &leaked));
    issuer.rotate(true, at).await.unwrap();
    let keys = issuer.keys(at);
    assert_eq!(keys.len(), 1, "none of the others is shown: {keys:?}");
    let fresh = issuer.sign(b"{}", at).unwrap();
    let now = kid(&fresh);
    let signs = keys.iter().find(|key| key.signs).unwrap();
    assert_eq!((signs.kid.as_str(), signs.until), (now.as_str(), None));
    assert!(is_trusted(&issuer, &fresh));
    for token in [&oldest, &leaked] {
        assert!(!is_trusted(&issuer, token));
        assert!(!issuer.jwks().contains(&kid(token)));
    }
    let again = house.open(KeyOptions::default(), at).await;
    assert!(!is_trusted(&again, &leaked) && is_trusted(&again, &fresh));
    let rows = house
        .db
        .read(&0, |tx, now| Box::pin(signing_key_list(tx, *now)));
    for row in rows.await.unwrap() {
        let is_backwards = row.until.is_some_and(|until| until < row.since);
        assert!(!is_backwards, "it signs until before it signs: {row:?}");
    }
    let later = start() + DAY + Duration::from_hours(1);
    issuer.tend(later).await.unwrap();
    assert_eq!(kid(&issuer.sign(b"{}", later).unwrap()), now);
    assert_eq!(issuer.keys(later).len(), 1);
}

#[tokio::test]
async fn a_key_that_another_overtakes_never_signs_and_does_not_say_that_it_does() {
    let house = House::new();
    let slow = house.open(KeyOptions::default(), start()).await;
    slow.rotate(false, start() + DAY).await.unwrap();
    let overtaken = slow.keys(start() + DAY)[0].kid.clone();
    let quick = KeyOptions {
        lead: Duration::from_mins(1),
        ..KeyOptions::default()
    };
    let issuer = house.open(quick, start() + DAY).await;
    issuer.rotate(false, start() + DAY).await.unwrap();
    for key in issuer.keys(start() + DAY) {
        assert!(key.until.is_none_or(|until| key.since <= until), "{key:?}");
    }
    for minutes in 0..20 {
        let now = start() + DAY + Duration::from_mins(minutes);
        assert_ne!(kid(&issuer.sign(b"{}", now).unwrap()), overtaken);
    }
}

#[tokio::test]
async fn the_database_holds_no_private_key_and_forgets_sealed_ones_that_are_trusted_no_more() {
    let house = House::new();
    let options = KeyOptions::default();
    let issuer = house.open(options, start()).await;
    issuer.rotate(true, start() + DAY).await.unwrap();
    let old = start() + DAY + options.token_ttl + SKEW + Duration::from_secs(1);
    issuer.tend(old).await.unwrap();
    let rows = house
        .db
        .read(&0, |tx, now| Box::pin(signing_key_list(tx, *now)))
        .await
        .unwrap();
    assert_eq!(
        rows.len(),
        3,
        "the authority and two keys; public halves stay"
    );
    let erased = rows.iter().filter(|row| row.sealed.is_empty()).count();
    assert_eq!(erased, 1);
    // The arc of ANSI X9.62, which every form of a private key on a curve names, PKCS#8 and SEC 1. One byte that DER begins with is
    // in what is sealed by chance, too.
    let names_a_curve = |bytes: &[u8]| {
        let arc = [0x2a, 0x86, 0x48, 0xce, 0x3d];
        bytes.windows(arc.len()).any(|part| part == arc)
    };
    let plain = rcgen::KeyPair::generate().unwrap().serialize_der();
    assert!(
        names_a_curve(&plain),
        "a key that is not sealed would be seen"
    );
    for row in rows {
        assert!(!names_a_curve(&row.sealed), "a private key as it is");
    }
}

#[tokio::test]
async fn tokens_call_their_key_by_the_form_that_was_chosen_and_bring_its_certificate_where_asked() {
    for (form, x5c) in [(KidForm::Thumbprint, false), (KidForm::Libtrust, true)] {
        let house = House::new();
        let options = KeyOptions {
            kid: form,
            x5c,
            ..KeyOptions::default()
        };
        let issuer = house.open(options, start()).await;
        let token = issuer.sign(b"{}", start()).unwrap();
        let key = &issuer.keys(start())[0];
        let expected = if form == KidForm::Libtrust {
            &key.libtrust
        } else {
            &key.kid
        };
        assert_eq!(&kid(&token), expected);
        assert!(issuer.jwks().contains(&format!("\"kid\":\"{expected}\"")));
        assert!(is_trusted(&issuer, &token));
        assert_eq!(token.len() > 600, x5c, "{token}");
        assert_eq!(
            issuer.certificates().matches("BEGIN CERTIFICATE").count(),
            2
        );
    }
}

#[tokio::test]
async fn what_was_attested_is_verified_for_ever_and_never_a_token() {
    let house = House::new();
    let issuer = house.open(KeyOptions::default(), start()).await;
    let (first, signature) = issuer.attest(b"said\n", start()).unwrap();
    let later = start() + DAY * 400;
    issuer.rotate(true, start() + DAY).await.unwrap();
    // The private half of the first key is erased by then.
    issuer.tend(later).await.unwrap();
    let (second, again) = issuer.attest(b"said\n", later).unwrap();
    assert_ne!(first, second);
    let known = house
        .open(KeyOptions::default(), later)
        .await
        .witnesses()
        .await
        .unwrap();
    assert_eq!(known.verify(&first, b"said\n", &signature), Some(true));
    assert_eq!(known.verify(&first, b"sand\n", &signature), Some(false));
    assert_eq!(known.verify(&second, b"said\n", &again), Some(true));
    assert_eq!(known.verify(&second, b"said\n", &signature), Some(false));
    assert_eq!(known.verify("nobody", b"said\n", &signature), None);
}
