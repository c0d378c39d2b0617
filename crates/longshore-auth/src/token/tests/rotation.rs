//! Keys that come and go, in files and behind a URL.

use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::*;
use super::support::*;

/// What the token server answers.
#[derive(Clone)]
enum Answer {
    Keys(String),
    Status(&'static str),
    /// Takes the request and says nothing.
    Silence,
}

/// A token server's key set on loopback.
struct KeyServer {
    url: String,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

impl KeyServer {
    async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!(
            "http://127.0.0.1:{}/keys",
            listener.local_addr().unwrap().port()
        );
        let server = KeyServer {
            url,
            answer: Arc::new(Mutex::new(answer)),
            asked: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&server.answer), Arc::clone(&server.asked));
        tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                asked.fetch_add(1, Ordering::Relaxed);
                let answer = answer
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let (status, body) = match answer {
                    Answer::Keys(body) => ("200 OK", body),
                    Answer::Status(status) => (status, String::new()),
                    Answer::Silence => {
                        silent.push(stream);
                        continue;
                    }
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nlocation: /keys\r\nconnection: close\r\n\r\n"
                );
                // The client hangs up on an answer that is too large.
                drop(stream.write_all((head + &body).as_bytes()).await);
            }
        });
        server
    }

    fn now_answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    async fn tokens(&self) -> Tokens {
        self.tokens_every(options().jwks_refresh).await
    }

    async fn tokens_every(&self, jwks_refresh: Duration) -> Tokens {
        let options = TokenOptions {
            jwks_url: Some(self.url.clone()),
            jwks_refresh,
            ..options()
        };
        Tokens::open(&options, at(0)).await.unwrap()
    }
}

fn set(signers: &[&Signer]) -> Answer {
    let keys: Vec<String> = signers
        .iter()
        .map(|signer| signer.jwk(signer.kid()))
        .collect();
    Answer::Keys(format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
}

/// A token that outlives the test's hour.
fn lasting(signer: &Signer) -> String {
    signer.token(&signer.header(), &claims(&[("exp", "1900009999")]))
}

const UNTRUSTED: &str = "the token's key is not trusted";

/// Lets a fetch that no request waits for come to its end.
async fn settle(server: &KeyServer, asked: usize, tokens: &Tokens, now: SystemTime) {
    while server.asked() < asked {
        tokio::task::yield_now().await;
    }
    tokens.remote.as_ref().unwrap().seek(now).await;
}

#[tokio::test]
async fn a_key_taken_out_of_a_file_is_refused_for_remembered_tokens_too_and_a_new_one_works() {
    let (old, new) = (Signer::es256(), Signer::ed25519());
    for name in ["bundle.pem", "jwks.json"] {
        let files = Files::new();
        let content = |signer: &Signer| match name {
            "bundle.pem" => signer.pem(),
            _ => format!(r#"{{"keys":[{}]}}"#, signer.jwk("x")),
        };
        let path = Some(files.write(name, &content(&old)));
        let options = match name {
            "bundle.pem" => TokenOptions {
                root_bundle: path,
                ..options()
            },
            _ => TokenOptions {
                jwks_file: path,
                ..options()
            },
        };
        let tokens = Tokens::open(&options, at(0)).await.unwrap();
        assert_eq!(why(&tokens, old.good(), at(0)).await, "");
        files.write(name, "broken");
        let token = old.good();
        assert_eq!(
            why(&tokens, &token, at(1)).await,
            "",
            "a broken file changes nothing"
        );
        files.write(name, &content(&new));
        assert_eq!(why(&tokens, &token, at(2)).await, UNTRUSTED);
        assert_eq!(why(&tokens, new.good(), at(2)).await, "");
    }
}

#[tokio::test]
async fn a_key_that_a_token_names_is_fetched_at_once_and_names_that_are_made_up_cost_a_fetch_in_three_seconds()
 {
    let (old, new, stranger) = (Signer::es256(), Signer::es256(), Signer::es256());
    let server = KeyServer::start(set(&[&old])).await;
    let tokens = server.tokens().await;
    assert_eq!(why(&tokens, lasting(&old), at(0)).await, "");
    assert_eq!(server.asked(), 1);

    server.now_answers(set(&[&old, &new]));
    assert_eq!(
        why(&tokens, lasting(&new), at(2)).await,
        UNTRUSTED,
        "asked less than three seconds ago"
    );
    assert_eq!(why(&tokens, lasting(&new), at(3)).await, "");
    assert_eq!(server.asked(), 2);
    // A minute of tokens that name what there is not, ten each second.
    for moment in 0..600_u64 {
        let now = at(10) + Duration::from_millis(moment * 100);
        assert_eq!(why(&tokens, lasting(&stranger), now).await, UNTRUSTED);
    }
    assert_eq!(server.asked(), 22, "unknown names buy no more");
    // A token that names a known key waits for none of that.
    server.now_answers(Answer::Silence);
    assert_eq!(why(&tokens, lasting(&old), at(71)).await, "");

    let server = KeyServer::start(set(&[&old])).await;
    let tokens = server.tokens().await;
    assert_eq!(why(&tokens, lasting(&old), at(30)).await, "");
    // The old one leaked: the next signs at once, and the first token of it takes the old one out here.
    server.now_answers(set(&[&new]));
    assert_eq!(why(&tokens, lasting(&new), at(30)).await, "");
    assert_eq!(
        why(&tokens, lasting(&old), at(30)).await,
        UNTRUSTED,
        "a removed key is out"
    );
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_out_with_the_next_fetch_though_nobody_names_another() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let server = KeyServer::start(set(&[&old])).await;
    let tokens = server.tokens().await;
    server.now_answers(set(&[&new]));
    assert_eq!(why(&tokens, lasting(&old), at(59)).await, "");
    assert_eq!(server.asked(), 1);
    // No request waits for it.
    assert_eq!(why(&tokens, lasting(&old), at(60)).await, "");
    settle(&server, 2, &tokens, at(60)).await;
    assert_eq!(why(&tokens, lasting(&old), at(61)).await, UNTRUSTED);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_as_often_as_configured_where_that_is_more_often() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let server = KeyServer::start(set(&[&old])).await;
    let tokens = server.tokens_every(Duration::from_secs(2)).await;
    server.now_answers(set(&[&new]));
    assert_eq!(why(&tokens, lasting(&new), at(1)).await, UNTRUSTED);
    assert_eq!(server.asked(), 1);
    assert_eq!(why(&tokens, lasting(&new), at(2)).await, "");
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn keys_are_not_fetched_more_seldom_than_they_are_used_for() {
    let server = KeyServer::start(set(&[&Signer::es256()])).await;
    let options = TokenOptions {
        jwks_url: Some(server.url.clone()),
        jwks_refresh: Duration::from_mins(5),
        ..options()
    };
    let refused = Tokens::open(&options, at(0)).await.err().unwrap();
    assert!(refused.to_string().contains("300 seconds"), "{refused}");
}

#[tokio::test]
async fn h47_keys_that_cannot_be_confirmed_are_used_for_five_minutes_and_never_longer() {
    let signer = Signer::es256();
    let too_large = Answer::Keys(" ".repeat(10 << 20));
    for failure in [
        Answer::Status("503 Down"),
        Answer::Status("302 Found"),
        Answer::Keys("{".to_owned()),
        too_large,
    ] {
        let server = KeyServer::start(set(&[&signer])).await;
        let tokens = server.tokens().await;
        let token = lasting(&signer);
        assert_eq!(why(&tokens, &token, at(0)).await, "");
        server.now_answers(failure);
        assert_eq!(why(&tokens, &token, at(61)).await, "");
        settle(&server, 2, &tokens, at(61)).await;
        assert_eq!(why(&tokens, &token, at(299)).await, "");
        settle(&server, 3, &tokens, at(299)).await;
        assert_eq!(
            why(&tokens, &token, at(300)).await,
            UNTRUSTED,
            "a remembered token is no exception"
        );

        server.now_answers(set(&[&signer]));
        assert_eq!(
            why(&tokens, &token, at(310)).await,
            "",
            "it heals by itself"
        );
    }
}

#[tokio::test]
async fn h47_no_request_waits_for_a_slow_server_while_there_are_keys() {
    let signer = Signer::es256();
    let server = KeyServer::start(set(&[&signer])).await;
    let tokens = server.tokens().await;
    server.now_answers(Answer::Silence);
    // The answer never comes, so that returning at all is the proof.
    for second in 61..100 {
        assert_eq!(why(&tokens, lasting(&signer), at(second)).await, "");
    }
    while server.asked() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_token_server_that_starts_after_the_registry_is_found() {
    let signer = Signer::es256();
    let server = KeyServer::start(Answer::Status("503 Starting")).await;
    let tokens = server.tokens().await;
    assert_eq!(why(&tokens, lasting(&signer), at(1)).await, UNTRUSTED);
    server.now_answers(set(&[&signer]));
    assert_eq!(why(&tokens, lasting(&signer), at(6)).await, "");
}

#[tokio::test]
async fn without_any_source_of_keys_or_with_a_plain_url_nothing_starts() {
    let none = Tokens::open(&options(), at(0)).await.err().unwrap();
    assert!(none.to_string().contains("without keys"), "{none}");
    let plain = TokenOptions {
        jwks_url: Some("http://auth.example/keys".to_owned()),
        ..options()
    };
    let plain = Tokens::open(&plain, at(0)).await.err().unwrap();
    assert!(
        plain
            .to_string()
            .starts_with("jwks_url: `http` is for loopback only"),
        "{plain}"
    );
}
