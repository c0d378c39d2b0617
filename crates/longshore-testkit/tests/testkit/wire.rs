//! The client that hides nothing.

use longshore_testkit::wire::{Ask, Login, Wire};

use crate::scripted::{Line, serve};

#[tokio::test]
async fn a_request_goes_out_as_it_was_written() {
    let (address, server) = serve(vec![Line::Answers(vec![
        "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
    ])])
    .await;
    let ask = Ask::new("PATCH", "/v2/a/blobs/uploads/1?x=%2F")
        .header("Content-Range", "0-4")
        .sized("hello");
    Wire::new(address, Login::Nobody).ask(&ask).await.unwrap();
    let asked = server.await.unwrap();
    let expected = format!(
        "PATCH /v2/a/blobs/uploads/1?x=%2F HTTP/1.1\r\nhost: {address}\r\nContent-Range: 0-4\r\ncontent-length: 5\r\n\r\nhello"
    );
    assert_eq!(asked, [expected]);
}

#[tokio::test]
async fn a_body_of_unsaid_length_goes_out_in_chunks() {
    let (address, server) = serve(vec![Line::Answers(vec![
        "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
    ])])
    .await;
    Wire::new(address, Login::Nobody)
        .ask(&Ask::new("PUT", "/x").chunked("hello"))
        .await
        .unwrap();
    let asked = server.await.unwrap();
    assert!(
        asked[0].contains("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn answers_are_read_whole_one_after_another_on_one_connection() {
    let (address, server) = serve(vec![Line::Answers(vec![
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  1 \r\nx-a: 2\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    ])])
    .await;
    let mut wire = Wire::new(address, Login::Nobody);
    let first = wire.ask(&Ask::new("GET", "/1")).await.unwrap();
    assert_eq!((first.status, &first.body[..]), (200, &b"hello"[..]));
    assert_eq!(first.all("x-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        wire.ask(&Ask::new("GET", "/2")).await.unwrap().body,
        "abcde"
    );
    assert_eq!(
        wire.ask(&Ask::new("HEAD", "/3"))
            .await
            .unwrap()
            .header("content-length"),
        Some("9")
    );
    assert_eq!(
        wire.ask(&Ask::new("DELETE", "/4")).await.unwrap().status,
        204
    );
    assert_eq!(
        wire.ask(&Ask::new("GET", "/5")).await.unwrap().body,
        "until the end"
    );
    assert_eq!(server.await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (address, server) = serve(vec![Line::Answers(vec![ok]), Line::Answers(vec![ok])]).await;
    let mut wire = Wire::new(address, Login::Nobody);
    assert_eq!(wire.ask(&Ask::new("GET", "/1")).await.unwrap().status, 200);
    assert_eq!(wire.ask(&Ask::new("GET", "/2")).await.unwrap().status, 200);
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    for broken in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\ncontent-",
        "220 smtp.example ready\r\n",
    ] {
        let (address, _server) = serve(vec![Line::Answers(vec![broken])]).await;
        let answer = Wire::new(address, Login::Nobody)
            .ask(&Ask::new("GET", "/"))
            .await;
        assert!(answer.is_err(), "{broken:?} was taken for {answer:?}");
    }
}

#[tokio::test]
async fn a_basic_challenge_is_answered_with_the_password_and_kept_for_the_same_purpose() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let who = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n";
    let (address, server) = serve(vec![Line::Answers(vec![who, ok, ok, who, ok])]).await;
    let mut wire = Wire::new(address, Login::with_password("Aladdin", "open sesame"));
    for ask in [
        Ask::new("GET", "/v2/a/tags/list"),
        Ask::new("HEAD", "/v2/a/manifests/x"),
        Ask::new("PUT", "/v2/a/manifests/x"),
    ] {
        assert_eq!(wire.ask(&ask).await.unwrap().status, 200);
    }
    let sent: Vec<bool> = server
        .await
        .unwrap()
        .iter()
        .map(|asked| asked.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
        .collect();
    assert_eq!(
        sent,
        [false, true, true, false, true],
        "pulling is no reason to send it with a push"
    );
}

#[tokio::test]
async fn a_bearer_challenge_leads_to_the_token_server_and_back() {
    let token = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"token\":\"t-1\"}";
    let (tokens, token_server) = serve(vec![Line::Answers(vec![token])]).await;
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let who = format!(
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm=\"http://{tokens}/token\",service=\"reg\",\
         scope=\"repository:a:pull\"\r\ncontent-length: 0\r\n\r\n"
    );
    let (address, server) = serve(vec![Line::Answers(vec![who.leak(), ok])]).await;
    let mut wire = Wire::new(address, Login::with_password("alice", "pw"));
    assert_eq!(
        wire.ask(&Ask::new("GET", "/v2/a/tags/list"))
            .await
            .unwrap()
            .status,
        200
    );
    let asked = token_server.await.unwrap();
    assert!(
        asked[0].starts_with("GET /token?service=reg&scope=repository%3Aa%3Apull HTTP/1.1\r\n"),
        "{asked:?}"
    );
    assert!(asked[0].contains("authorization: Basic "));
    let asked = server.await.unwrap();
    assert!(!asked[0].contains("authorization"));
    assert!(
        asked[1].contains("authorization: Bearer t-1\r\n"),
        "and the password is not sent to the registry"
    );
}

#[tokio::test]
async fn nobody_leaves_a_challenge_unanswered() {
    let who = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n";
    let (address, server) = serve(vec![Line::Answers(vec![who])]).await;
    assert_eq!(
        Wire::new(address, Login::Nobody)
            .ask(&Ask::new("GET", "/v2/"))
            .await
            .unwrap()
            .status,
        401
    );
    assert_eq!(server.await.unwrap().len(), 1);
}
