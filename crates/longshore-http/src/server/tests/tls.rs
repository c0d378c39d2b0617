//! Certificates, and the protocol chosen under them.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::super::{Timeouts, Tls, TlsVersion};
use super::*;

/// Writes a new certificate and key, and returns the certificate.
fn issue(dir: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

fn options_in(dir: &Path) -> Options {
    let tls = Tls {
        poll: Duration::from_millis(50),
        ..Tls::new(dir.join("cert.pem"), dir.join("key.pem"))
    };
    Options {
        tls: Some(tls),
        ..options()
    }
}

async fn connect(
    rig: &Rig,
    trusted: &CertificateDer<'static>,
    alpn: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_with(rig, trusted, alpn, &[&TLS13, &TLS12]).await
}

async fn connect_with(
    rig: &Rig,
    trusted: &CertificateDer<'static>,
    alpn: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.into()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, rig.connect().await)
        .await
}

async fn get(rig: &Rig, trusted: &CertificateDer<'static>, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(rig, trusted, "http/1.1").await?;
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

#[tokio::test]
async fn a_file_goes_out_whole_under_tls_and_no_byte_of_it_by_sendfile() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = issue(dir.path());
    let len = (3 << 20) + 7;
    let rig = start_with(options_in(dir.path()), Content::of(len).0).await;
    assert!(
        get(&rig, &trusted, "/region")
            .await
            .unwrap()
            .ends_with(&pattern(len))
    );
    assert_eq!(rig.stats.sendfile_bytes(), 0);
}

#[tokio::test]
async fn a_file_that_was_cut_short_ends_in_an_error_under_tls() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = issue(dir.path());
    let (content, file) = Content::of(3 << 20);
    let rig = start_with(options_in(dir.path()), content).await;
    file.set_len(1 << 20).unwrap();
    let got = get(&rig, &trusted, "/region").await;
    assert!(
        got.as_ref().map_or(true, |bytes| bytes.len() < 2 << 20),
        "{:?}",
        got.map(|bytes| bytes.len())
    );
    assert!(
        get(&rig, &trusted, "/hello")
            .await
            .unwrap()
            .ends_with(b"hello")
    );
}

#[tokio::test]
async fn a_new_certificate_is_shown_when_both_its_files_are_there_and_never_half_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let old = issue(dir.path());
    let rig = start(options_in(dir.path())).await;
    assert!(get(&rig, &old, "/hello").await.is_ok());

    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    let new = issue(dir.path());
    let new_key = std::fs::read(dir.path().join("key.pem")).unwrap();
    std::fs::write(dir.path().join("key.pem"), &key).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        get(&rig, &old, "/hello").await.is_ok(),
        "the pair does not match: the old one stays"
    );

    std::fs::write(dir.path().join("key.pem"), new_key).unwrap();
    let start = std::time::Instant::now();
    while get(&rig, &new, "/hello").await.is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the new certificate is not shown"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(get(&rig, &old, "/hello").await.is_err());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path());
    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    issue(dir.path());
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    let error = Server::bind(options_in(dir.path()))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("key.pem") && error.contains("not that of the certificate"),
        "{error}"
    );

    std::fs::write(dir.path().join("cert.pem"), "no PEM").unwrap();
    let error = Server::bind(options_in(dir.path()))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cert.pem") && error.contains("no certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_told_so_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path());
    let rig = start(options_in(dir.path())).await;
    let answer = rig.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"),
        "{answer}"
    );
    failures(&rig, 1).await;
}

#[tokio::test]
async fn a_client_that_never_says_hello_is_closed_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path());
    let timeouts = Timeouts {
        handshake: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let rig = start(Options {
        timeouts,
        ..options_in(dir.path())
    })
    .await;
    assert_eq!(rig.say("").await, "");
    assert_eq!(rig.say([0x16, 0x03, 0x01]).await, "");
    failures(&rig, 2).await;
}

/// Waits until so many handshakes have failed: one counts when its connection is done with, not when it is answered.
async fn failures(rig: &Rig, count: u64) {
    let start = std::time::Instant::now();
    while rig.stats.tls_failures() < count {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{} failures",
            rig.stats.tls_failures()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.stats.tls_failures(), count);
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_does_not_hold_up_the_end() {
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path());
    let rig = start(options_in(dir.path())).await;
    let mut stream = rig.connect().await;
    stream.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(2), rig.running).await;
    assert_eq!(ended.unwrap().unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn a_server_for_tls_1_3_speaks_no_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = issue(dir.path());
    let mut options = options_in(dir.path());
    if let Some(tls) = &mut options.tls {
        tls.at_least = TlsVersion::V1_3;
    }
    let rig = start(options).await;
    assert!(connect_with(&rig, &trusted, "h2", &[&TLS12]).await.is_err());
    let stream = connect_with(&rig, &trusted, "h2", &[&TLS13]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
}

#[tokio::test]
async fn http2_is_chosen_in_the_handshake_and_files_go_out_whole_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = issue(dir.path());
    let len = (2 << 20) + 9;
    let rig = start_with(options_in(dir.path()), Content::of(len).0).await;
    let stream = connect(&rig, &trusted, "h2").await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get("https://localhost/region").body(()).unwrap();
    let mut body = client
        .send_request(request, true)
        .unwrap()
        .0
        .await
        .unwrap()
        .into_body();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        bytes.extend(piece);
    }
    assert!(bytes == pattern(len));
}
