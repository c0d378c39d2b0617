//! Certificates of clients at a running server: whose they are, what they open, and which are nobody's.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, GeneralSubtree,
    KeyIdMethod, KeyPair, NameConstraints, RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::Value;

use super::company::{Authority, Company, authority, client};
use super::harness::file;
use super::index::{PASSWORD, done, fails, json};

const PUSH: [&str; 2] = ["-X", "POST"];
const UPLOADS: &str = "/v2/ann/app/blobs/uploads/";

#[tokio::test]
async fn whoever_shows_a_certificate_that_a_rule_names_is_that_account_at_every_door() {
    let acme = Company::new();
    acme.give("ann", &["cn:whoever", "email:ann@Acme.Example"]);
    acme.give("ci", &["uri:spiffe://acme/ci", "dns:ci.acme.example"]);
    acme.give("stranger", &["cn:ann", "email:bob@acme.example"]);
    let server = acme.start().run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    done(&data, &["user", "create", "bob"], PASSWORD);
    done(
        &data,
        &["robot", "create", "robot+ci", "--grant", "developer:ann"],
        "",
    );
    let rule = [
        "certificate",
        "create",
        "ann",
        "--email",
        "ann@acme.example",
    ];
    let rule = json(&data, &rule, "")["id"].to_string();
    let narrow = ["--uri", "spiffe://acme/ci", "--action", "pull"];
    done(
        &data,
        &[&["certificate", "create", "robot+ci"][..], &narrow].concat(),
        "",
    );
    fails(
        &data,
        &[
            "certificate",
            "create",
            "bob",
            "--email",
            "ann@acme.example",
        ],
        "",
        "already",
    );
    fails(
        &data,
        &["certificate", "create", "bob", "--dns", "*.acme.example"],
        "",
        "without `*`",
    );

    assert_eq!(acme.session(&server, "ann", &[]), "ann");
    assert_eq!(acme.session(&server, "ci", &[]), "robot+ci");
    assert_eq!(acme.session(&server, "stranger", &[]), Value::Null);
    assert_eq!(acme.session(&server, "", &[]), Value::Null);
    let push = |who: &str, more: &[&str]| acme.curl(&server, who, UPLOADS, &[&PUSH, more].concat());
    assert_eq!(push("ann", &[]).0, 202);
    let (status, said) = push("ci", &[]);
    assert!(
        status == 401 && said.contains("by its certificate"),
        "{said}"
    );
    assert_eq!(push("stranger", &[]).0, 401);
    // A ping is challenged all the same: a client that has a login of its own sends it only then.
    assert_eq!(acme.curl(&server, "ann", "/v2/", &[]).0, 401);
    let scope = "/token?scope=repository:ann/app:pull,push";
    let (_, token) = acme.curl(&server, "ann", scope, &[]);
    let token: Value = serde_json::from_str(&token).unwrap();
    let bearer = format!("Authorization: Bearer {}", token["token"].as_str().unwrap());
    assert_eq!(push("", &["-H", &bearer]).0, 202);
    assert!(token.get("refresh_token").is_none());

    // What is said in a header comes first, right or wrong.
    let bob = format!("bob:{PASSWORD}");
    assert_eq!(acme.session(&server, "ann", &["-u", &bob]), "bob");
    assert_eq!(
        acme.session(&server, "ann", &["-u", "bob:wrong horse"]),
        401
    );
    // A browser shows it for whatever page sends it.
    for header in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"] {
        assert_eq!(acme.session(&server, "ann", &["-H", header]), Value::Null);
    }
    // It is no password: nothing that outlives it is made by it.
    let (status, _) = acme.curl(
        &server,
        "ann",
        "/api/v1/users/ann/sessions",
        &["-X", "DELETE"],
    );
    assert_eq!(status, 403);
    let log = done(&data, &["audit", "list"], "");
    assert!(log.contains("certificate"), "{log}");

    done(&data, &["certificate", "delete", "ann", &rule], "");
    assert_eq!(acme.session(&server, "ann", &[]), Value::Null, "at once");
    assert_eq!(
        push("", &["-H", &bearer]).0,
        401,
        "and what was issued by it"
    );
    done(&data, &["user", "disable", "robot+ci"], "");
    assert_eq!(acme.session(&server, "ci", &[]), 401);
}

#[tokio::test]
async fn certificates_that_are_not_good_do_not_get_past_the_handshake() {
    let acme = Company::new();
    let at = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = client(&["cn:ann"]);
        change(&mut params);
        params
    };
    let own = &acme.authority;
    acme.sign("good", &client(&["cn:ann"]), own);
    acme.sign(
        "expired",
        &at(&|it| it.not_after = date_time_ymd(2020, 1, 1)),
        own,
    );
    acme.sign(
        "early",
        &at(&|it| it.not_before = date_time_ymd(2090, 1, 1)),
        own,
    );
    let server_only = vec![ExtendedKeyUsagePurpose::ServerAuth];
    acme.sign(
        "usage",
        &at(&|it| it.extended_key_usages.clone_from(&server_only)),
        own,
    );
    acme.sign("other", &client(&["cn:ann"]), &authority("Acme", |_| {}));
    let key = KeyPair::generate().unwrap();
    let alone = client(&["cn:ann"]).self_signed(&key).unwrap();
    file(acme.dir.path(), "self.pem", &alone.pem());
    file(acme.dir.path(), "self.key", &key.serialize_pem());
    let server = acme.start().run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    done(&data, &["certificate", "create", "ann", "--cn", "ann"], "");
    assert_eq!(acme.session(&server, "good", &[]), "ann");
    for bad in ["expired", "early", "usage", "other", "self"] {
        assert_eq!(acme.session(&server, bad, &[]), 0, "{bad}");
    }
    assert_eq!(acme.session(&server, "", &[]), Value::Null);
    assert_eq!(server.stop(), Some(0));
    let server = acme.start().set("tls.client_auth", "required").run();
    assert_eq!(acme.session(&server, "good", &[]), "ann");
    assert_eq!(acme.session(&server, "", &[]), 0, "one is required now");
}

#[tokio::test]
async fn an_authority_that_may_speak_for_some_names_speaks_for_no_others_and_no_common_name() {
    let mut acme = Company::new();
    acme.authority = authority("Limited", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("acme.example".to_owned())],
            excluded_subtrees: vec![],
        });
    });
    file(acme.dir.path(), "ca.pem", &acme.authority.as_ref().pem());
    acme.give("inside", &["dns:ci.acme.example"]);
    acme.give("outside", &["dns:ci.evil.example"]);
    acme.give("named", &["cn:ann"]);
    let server = acme.start().run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    for says in [
        ["--cn", "ann"],
        ["--dns", "ci.acme.example"],
        ["--dns", "ci.evil.example"],
    ] {
        done(
            &data,
            &[&["certificate", "create", "ann"][..], &says].concat(),
            "",
        );
    }
    assert_eq!(acme.session(&server, "inside", &[]), "ann");
    assert_eq!(acme.session(&server, "outside", &[]), 0);
    assert_eq!(acme.session(&server, "named", &[]), Value::Null);
}

#[tokio::test]
async fn names_that_fit_two_accounts_or_have_a_nul_let_nobody_in() {
    let acme = Company::new();
    acme.give("both", &["email:ann@acme.example", "dns:bob.acme.example"]);
    acme.give("nul", &["cn:ann\0.evil.example", "email:ann@acme.example"]);
    acme.give("ann", &["email:ann@acme.example"]);
    let server = acme.start().run();
    let data = acme.data();
    for (name, kind, value) in [
        ("ann", "--email", "ann@acme.example"),
        ("bob", "--dns", "bob.acme.example"),
    ] {
        done(&data, &["user", "create", name], PASSWORD);
        done(&data, &["certificate", "create", name, kind, value], "");
    }
    assert_eq!(acme.session(&server, "ann", &[]), "ann");
    assert_eq!(acme.session(&server, "nul", &[]), Value::Null);
    let (status, said) = acme.curl(&server, "both", "/api/v1/session", &[]);
    assert!(status == 401 && said.contains("several rules"), "{said}");
    assert_eq!(acme.curl(&server, "both", "/token", &[]).0, 401);
    assert_eq!(acme.curl(&server, "both", UPLOADS, &PUSH).0, 401);
}

#[tokio::test]
async fn a_proxys_certificate_says_nothing_about_whom_it_speaks_for() {
    let acme = Company::new();
    acme.give("proxy", &["dns:proxy.acme.example"]);
    let server = acme
        .start()
        .set("http.trusted_proxies", "127.0.0.1, ::1")
        .run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    done(
        &data,
        &[
            "certificate",
            "create",
            "ann",
            "--dns",
            "proxy.acme.example",
        ],
        "",
    );
    for more in [&[][..], &["-H", "X-Forwarded-For: 192.0.2.1"]] {
        assert_eq!(acme.session(&server, "proxy", more), Value::Null);
    }
}

fn list(path: &Path, authority: &Authority, revoked: &[u64]) {
    let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(revoked.len() as u64 + 1),
        issuing_distribution_point: None,
        revoked_certs: revoked_certs.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    std::fs::write(path, params.signed_by(authority).unwrap().pem().unwrap()).unwrap();
}

#[tokio::test]
async fn what_an_authority_revokes_is_nobodys_also_on_a_connection_that_goes_on() {
    let acme = Company::new();
    let mut params = client(&["cn:ann"]);
    params.serial_number = Some(SerialNumber::from(4711_u64));
    acme.sign("ann", &params, &acme.authority);
    let lists = acme.path("crl.pem");
    list(&lists, &acme.authority, &[1]);
    let server = acme
        .start()
        .set("tls.client_crl", lists.to_str().unwrap())
        .run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    done(&data, &["certificate", "create", "ann", "--cn", "ann"], "");
    assert_eq!(acme.session(&server, "ann", &[]), "ann");
    let mut kept = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect"])
        .arg(format!("localhost:{}", server.address.port()))
        .arg("-cert")
        .arg(acme.path("ann.pem"))
        .arg("-key")
        .arg(acme.path("ann.key"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (kept.stdin.take().unwrap(), kept.stdout.take().unwrap());
    let mut asked = || {
        to.write_all(b"GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut said = String::new();
        let mut piece = [0; 4096];
        while !said.contains("\"via\"") {
            let count = from.read(&mut piece).unwrap();
            assert!(count > 0, "{said}");
            said.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        said
    };
    assert!(asked().contains("\"certificate\""));
    list(&lists, &acme.authority, &[1, 4711]);
    let mut status = Value::Null;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        status = acme.session(&server, "ann", &[]);
        if status == 0 {
            break;
        }
    }
    assert_eq!(status, 0, "new connections are refused");
    let said = asked();
    assert!(said.contains("\"nothing\""), "{said}");
    drop(to);
    let _ = kept.kill();
    kept.wait().unwrap();
}

#[tokio::test]
async fn skopeo_pushes_and_lists_with_a_certificate_and_no_login() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return;
    }
    let acme = Company::new();
    acme.give("ann", &["cn:ann"]);
    let server = acme.start().run();
    let data = acme.data();
    done(&data, &["user", "create", "ann"], PASSWORD);
    done(&data, &["certificate", "create", "ann", "--cn", "ann"], "");
    let kind = "application/vnd.oci.image.index.v1+json";
    let empty = format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[]}}"#);
    let header = format!("Content-Type: {kind}");
    let put = ["-X", "PUT", "-H", &header, "-d", &empty];
    let (status, said) = acme.curl(&server, "ann", "/v2/ann/app/manifests/1", &put);
    assert_eq!(status, 201, "{said}");
    let certs = acme.path("certs");
    std::fs::create_dir(&certs).unwrap();
    for (from, to) in [
        ("cert.pem", "ca.crt"),
        ("ann.pem", "client.cert"),
        ("ann.key", "client.key"),
    ] {
        std::fs::copy(acme.path(from), certs.join(to)).unwrap();
    }
    let list = |certs: &Path| {
        Command::new("skopeo")
            .args(["list-tags", "--no-creds", "--cert-dir"])
            .arg(certs)
            .arg(format!(
                "docker://localhost:{}/ann/app",
                server.address.port()
            ))
            .output()
            .unwrap()
    };
    let out = list(&certs);
    assert!(
        String::from_utf8_lossy(&out.stdout).contains("\"1\""),
        "{out:?}"
    );
    std::fs::remove_file(certs.join("client.cert")).unwrap();
    std::fs::remove_file(certs.join("client.key")).unwrap();
    assert!(!list(&certs).status.success());
}
