//! Mail servers that are broken or mean ill: each sending ends in time, reads little, and says what is wrong.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::{Security, Smtp, SmtpError, SmtpOptions};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.hello\r\n";

fn options(port: u16, security: Security) -> SmtpOptions {
    SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        ca_file: None,
        login: None,
        hello: "reg.example".to_owned(),
        patience: Duration::from_millis(400),
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn line(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        line.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(line).unwrap().trim_end().to_owned())
}

/// Answers each line by the first of `script` that it begins with; says all that was heard.
async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    script: &[(&str, &str)],
) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(said) = line(stream).await {
        let found = script.iter().find(|(word, _)| said.starts_with(word));
        heard.push(said);
        if let Some((word, reply)) = found {
            stream.write_all(reply.as_bytes()).await.unwrap();
            if *word == "STARTTLS" && reply.starts_with('2') {
                break;
            }
        }
    }
    heard
}

const GOOD: &[(&str, &str)] = &[
    ("EHLO", "250-mx\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"),
    ("AUTH", "235 in\r\n"),
    ("MAIL", "250 ok\r\n"),
    ("RCPT", "250 ok\r\n"),
    ("DATA", "354 go\r\n"),
    ("QUIT", "221 bye\r\n"),
    (".hello", ""),
    ("..hello", ""),
    (".", "250 kept\r\n"),
];

/// A server for one connection: it says `greeting` and answers by `script`, where that says nothing else by [`GOOD`].
async fn server(
    greeting: &'static str,
    script: &'static [(&'static str, &'static str)],
) -> (u16, JoinHandle<Vec<String>>) {
    let (listener, port) = listen().await;
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(greeting.as_bytes()).await.unwrap();
        let script: Vec<_> = script.iter().chain(GOOD).copied().collect();
        answer(&mut stream, &script).await
    });
    (port, task)
}

async fn send(options: SmtpOptions) -> Result<(), SmtpError> {
    let smtp = Smtp::new(options).unwrap();
    smtp.send("reg@example.org", "ann@example.org", MESSAGE)
        .await
}

async fn outcome(
    greeting: &'static str,
    script: &'static [(&'static str, &'static str)],
) -> Result<(), SmtpError> {
    let (port, _task) = server(greeting, script).await;
    send(options(port, Security::None)).await
}

#[tokio::test]
async fn a_message_is_handed_over_word_for_word() {
    let (port, task) = server("220 mx\r\n", &[]).await;
    let login = Some(("reg".to_owned(), Zeroizing::new("pass".to_owned())));
    let options = SmtpOptions {
        login,
        ..options(port, Security::None)
    };
    send(options).await.unwrap();
    let heard = task.await.unwrap();
    assert_eq!(
        heard,
        [
            "EHLO reg.example",
            "AUTH PLAIN AHJlZwBwYXNz",
            "MAIL FROM:<reg@example.org>",
            "RCPT TO:<ann@example.org>",
            "DATA",
            "Subject: x",
            "",
            "..hello",
            ".",
            "QUIT",
        ]
    );
}

#[tokio::test]
async fn each_refusal_is_told_by_what_is_wrong() {
    use SmtpError as E;
    let refused = outcome("554 go away\r\n", &[]).await.unwrap_err();
    assert_eq!(refused, E::Refused("554 go away".to_owned()));
    let sender = outcome("220 mx\r\n", &[("MAIL", "550 no\r\n")]).await;
    assert_eq!(sender, Err(E::Sender("550 no".to_owned())));
    assert!(!sender.unwrap_err().is_of_message());
    let now = outcome("220 mx\r\n", &[("RCPT", "450 later\r\n")]).await;
    let now = now.unwrap_err();
    assert_eq!(now, E::Recipient("450 later".to_owned(), false));
    assert!(now.is_of_message() && !now.is_final());
    let ever = outcome("220 mx\r\n", &[("RCPT", "550 nobody\r\n")]).await;
    assert!(ever.unwrap_err().is_final());
    let message = outcome("220 mx\r\n", &[(".", "552 too much\r\n")]).await;
    assert_eq!(message, Err(E::Message("552 too much".to_owned(), true)));
    let code = outcome("220 mx\r\n", &[("MAIL", "HTTP/1.1 400\r\n")]).await;
    assert!(matches!(code, Err(E::Protocol(_))), "{code:?}");
    let (port, _task) = server("220 mx\r\n", &[("AUTH", "535 wrong\r\n")]).await;
    let login = Some(("reg".to_owned(), Zeroizing::new("pass".to_owned())));
    let with_login = SmtpOptions {
        login,
        ..options(port, Security::None)
    };
    let login = send(with_login).await;
    assert_eq!(login, Err(E::Login("535 wrong".to_owned())));
    let (listener, port) = listen().await;
    drop(listener);
    let closed = send(options(port, Security::None)).await;
    assert!(matches!(closed, Err(E::Connect { .. })), "{closed:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    assert_eq!(outcome("", &[]).await, Err(SmtpError::Slow));
    let lost = outcome("220 mx\r\n", &[(".", "")]).await;
    assert_eq!(lost, Err(SmtpError::Unanswered), "it may have arrived");
    assert!(!SmtpError::Unanswered.is_final());
}

/// Says `piece` for ever and counts the bytes.
async fn pour(mut stream: TcpStream, piece: &[u8]) -> usize {
    let mut poured = 0;
    while stream.write_all(piece).await.is_ok() {
        poured += piece.len();
    }
    poured
}

#[tokio::test]
async fn lines_without_end_and_replies_without_end_are_cut_off() {
    for piece in [&[b'x'; 4096][..], &b"250-more\r\n".repeat(400)] {
        let (listener, port) = listen().await;
        let piece = piece.to_vec();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            pour(stream, &piece).await
        });
        let cut = send(options(port, Security::None)).await;
        assert!(matches!(cut, Err(SmtpError::Protocol(_))), "{cut:?}");
        // What the kernel buffers, and not a stream for as long as somebody waits.
        assert!(task.await.unwrap() < 64 << 20);
    }
}

#[tokio::test]
async fn a_server_that_says_a_byte_now_and_then_is_given_up_too() {
    let (listener, port) = listen().await;
    let _task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.write_all(b"2").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let given_up = send(options(port, Security::None)).await;
    assert_eq!(given_up, Err(SmtpError::Slow));
}

/// A certificate for a name, and what accepts TLS with it.
fn certificate(name: &str) -> (String, TlsAcceptor) {
    crate::install_crypto_provider();
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

const OFFERS_TLS: &[(&str, &str)] = &[("EHLO", "250-mx\r\n250 STARTTLS\r\n")];

/// A server that secures the connection when asked, or at once, and goes on there.
async fn secured(acceptor: TlsAcceptor, implicit: bool) -> (u16, JoinHandle<Vec<String>>) {
    let (listener, port) = listen().await;
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        if !implicit {
            stream.write_all(b"220 mx\r\n").await.unwrap();
            let script = [OFFERS_TLS[0], ("STARTTLS", "220 go\r\n")];
            answer(&mut stream, &script).await;
        }
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return Vec::new();
        };
        if implicit {
            stream.write_all(b"220 mx\r\n").await.unwrap();
        }
        answer(&mut stream, GOOD).await
    });
    (port, task)
}

#[tokio::test]
async fn nothing_is_sent_but_by_tls_with_the_right_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (good, acceptor) = certificate("127.0.0.1");
    let (other, wrong_name) = certificate("mail.example");
    let (good_file, other_file) = (dir.path().join("good"), dir.path().join("other"));
    std::fs::write(&good_file, good).unwrap();
    std::fs::write(&other_file, other).unwrap();
    for security in [Security::Required, Security::Implicit] {
        let implicit = security == Security::Implicit;
        let with = |port, file: &std::path::Path| SmtpOptions {
            ca_file: Some(file.to_owned()),
            ..options(port, security)
        };
        let (port, task) = secured(acceptor.clone(), implicit).await;
        send(with(port, &good_file)).await.unwrap();
        let heard = task.await.unwrap();
        assert!(heard.contains(&"RCPT TO:<ann@example.org>".to_owned()));
        for (acceptor, file) in [(&acceptor, &other_file), (&wrong_name, &other_file)] {
            let (port, task) = secured(acceptor.clone(), implicit).await;
            let refused = send(with(port, file)).await;
            assert!(matches!(refused, Err(SmtpError::Tls(_))), "{refused:?}");
            assert!(task.await.unwrap().is_empty(), "nothing was said");
        }
    }
}

#[tokio::test]
async fn a_connection_whose_tls_is_taken_away_is_not_used() {
    let stripped = {
        let (port, _task) = server("220 mx\r\n", &[]).await;
        send(options(port, Security::Required)).await
    };
    assert_eq!(stripped, Err(SmtpError::NoTls));
    let refused = {
        let (port, _task) = server(
            "220 mx\r\n",
            &[
                ("EHLO", "250-mx\r\n250 STARTTLS\r\n"),
                ("STARTTLS", "454 no\r\n"),
            ],
        )
        .await;
        send(options(port, Security::Required)).await
    };
    assert_eq!(refused, Err(SmtpError::NoTls));
    // Words that were put behind the agreement, to be taken for the server's own.
    let injected = {
        let (port, _task) = server(
            "220 mx\r\n",
            &[
                ("EHLO", "250-mx\r\n250 STARTTLS\r\n"),
                ("STARTTLS", "220 go\r\n250 AUTH PLAIN\r\n"),
            ],
        )
        .await;
        send(options(port, Security::Required)).await
    };
    assert!(matches!(injected, Err(SmtpError::Tls(_))), "{injected:?}");
    // A server that hangs up at the handshake.
    let dropped = {
        let (port, _task) = server(
            "220 mx\r\n",
            &[
                ("EHLO", "250-mx\r\n250 STARTTLS\r\n"),
                ("STARTTLS", "220 go\r\n"),
            ],
        )
        .await;
        send(options(port, Security::Required)).await
    };
    assert!(matches!(dropped, Err(SmtpError::Tls(_))), "{dropped:?}");
}

#[tokio::test]
async fn no_address_brings_a_command_in() {
    let smtp = Smtp::new(options(9, Security::None)).unwrap();
    for bad in [
        "",
        "ann@example.org>\r\nDATA",
        "ann@example.org\nRCPT",
        "<ann@example.org>",
        "ann @example.org",
        "änn@example.org",
        &"x".repeat(400),
    ] {
        let said = smtp.send("reg@example.org", bad, MESSAGE).await;
        assert_eq!(said, Err(SmtpError::Address), "{bad:?}");
        let said = smtp.send(bad, "ann@example.org", MESSAGE).await;
        assert_eq!(said, Err(SmtpError::Address), "{bad:?}");
    }
}

#[test]
fn secrets_travel_in_the_clear_to_this_machine_only() {
    let login = Some(("reg".to_owned(), Zeroizing::new("pass".to_owned())));
    let with = |host: &str, security| {
        Smtp::new(SmtpOptions {
            host: host.to_owned(),
            login: login.clone(),
            ..options(25, security)
        })
    };
    assert!(with("localhost", Security::None).is_ok());
    assert!(with("10.0.0.1", Security::None).is_err());
    assert!(with("mail.example", Security::None).is_err());
    assert!(with("no name", Security::None).is_err());
}

#[tokio::test]
async fn a_server_out_in_the_world_gets_nothing_in_the_clear() {
    let smtp = Smtp::new(SmtpOptions {
        host: "8.8.8.8".to_owned(),
        ..options(25, Security::None)
    })
    .unwrap();
    let said = smtp.send("a@b.example", "c@d.example", MESSAGE).await;
    assert!(matches!(said, Err(SmtpError::Outside { .. })), "{said:?}");
}
