//! TLS, as an operator sets it up.

use std::process::Command;

use longshore_testkit::wire::{Ask, Login, Wire};

use super::harness::{Start, binary, file};

fn certificate(dir: &std::path::Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    file(dir, "cert.pem", &made.cert.pem());
    file(dir, "key.pem", &made.signing_key.serialize_pem());
}

/// What `curl` says to the server by this name, trusting the certificate in `dir`.
fn curl(dir: &std::path::Path, host: &str, port: u16, more: &[&str]) -> (bool, String) {
    let out = Command::new("curl")
        .args(["-sS", "--cacert"])
        .arg(dir.join("cert.pem"))
        .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
        .args(more)
        .arg(format!("https://{host}:{port}/v2/"))
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    (out.status.success(), said)
}

#[tokio::test]
async fn a_certificate_is_served_over_both_versions_of_http_and_read_again_when_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path(), "one.example");
    let server = Start::over(&dir.path().join("data"))
        .set("tls.cert", dir.path().join("cert.pem").to_str().unwrap())
        .set("tls.key", dir.path().join("key.pem").to_str().unwrap())
        .run();
    assert!(server.banner.contains("https://"), "{}", server.banner);
    let port = server.address.port();
    for (version, want) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let (good, said) = curl(
            dir.path(),
            "one.example",
            port,
            &[version, "-o", "/dev/null", "-w", "%{http_version}"],
        );
        assert_eq!((good, said.as_str()), (true, want));
    }
    certificate(dir.path(), "two.example");
    let mut said = String::new();
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let (good, words) = curl(dir.path(), "two.example", port, &[]);
        said = words;
        if good {
            return;
        }
    }
    panic!(
        "the new certificate was never served: {said}\n{}",
        server.log()
    );
}

#[tokio::test]
async fn a_client_that_speaks_tls_to_the_plain_port_is_told_so_in_http() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    // Docker falls back from https to http on loopback only when it sees this.
    let (good, said) = curl(data.path(), "127.0.0.1", server.address.port(), &["-k"]);
    assert!(!good, "{said}");
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    std::io::Write::write_all(&mut stream, b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03")
        .unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut client = Wire::new(server.address, Login::Nobody);
    assert_eq!(
        client.ask(&Ask::new("GET", "/v2/")).await.unwrap().status,
        200
    );
}

#[test]
fn a_key_that_does_not_fit_the_certificate_is_refused_at_start() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path(), "one.example");
    let other = rcgen::generate_simple_self_signed(vec!["one.example".to_owned()]).unwrap();
    file(dir.path(), "key.pem", &other.signing_key.serialize_pem());
    let out = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path().join("data"))
        .env("LONGSHORE__TLS__CERT", dir.path().join("cert.pem"))
        .env("LONGSHORE__TLS__KEY", dir.path().join("key.pem"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    assert!(said.contains("key.pem"), "{said}");
}
