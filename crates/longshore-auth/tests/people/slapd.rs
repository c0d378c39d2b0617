//! OpenLDAP's server with a small company in it.

use std::path::Path;
use std::process::{Command, Stdio};

use longshore_auth::directory::ldap::LdapOptions;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::outside::{Process, await_port, find, free_port, skip};

pub(crate) const PEOPLE: &str = "ou=people,dc=example,dc=test";
pub(crate) const GROUPS: &str = "ou=groups,dc=example,dc=test";
const SEARCHER: &str = "cn=search,dc=example,dc=test";

const SEED: &str = include_str!("seed.ldif");

/// A running server.
pub(crate) struct Slapd {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    process: Option<Process>,
}

impl Slapd {
    /// A server with what is in `seed.ldif`; none where the programs are missing.
    pub(crate) fn start() -> Option<Self> {
        for program in ["slapd", "ldapadd", "ldapmodify"] {
            if find(program).is_none() {
                skip(&format!(
                    "{program} is not installed (Debian: slapd, ldap-utils)"
                ));
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(
            folder.path().join("slapd.conf"),
            configuration(folder.path()),
        )
        .unwrap();
        let mut slapd = Slapd {
            folder,
            port: free_port(),
            tls_port: free_port(),
            process: None,
        };
        slapd.go_on();
        slapd.change("ldapadd", SEED);
        Some(slapd)
    }

    /// Starts it, or starts it again with what it had.
    pub(crate) fn go_on(&mut self) {
        let mut child = Command::new(find("slapd").unwrap())
            .arg("-f")
            .arg(self.folder.path().join("slapd.conf"))
            .args([
                "-h",
                &format!(
                    "ldap://127.0.0.1:{} ldaps://127.0.0.1:{}",
                    self.port, self.tls_port
                ),
                "-d",
                "0",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_port(self.port, &mut child);
        await_port(self.tls_port, &mut child);
        self.process = Some(Process(child));
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Changes what is in it by one of OpenLDAP's own programs.
    pub(crate) fn change(&self, program: &str, ldif: &str) {
        let file = self.folder.path().join("change.ldif");
        std::fs::write(&file, ldif).unwrap();
        let done = Command::new(find(program).unwrap())
            .args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port)])
            .args([
                "-D",
                "cn=admin,dc=example,dc=test",
                "-w",
                "admin-secret",
                "-f",
            ])
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// How we reach it over plain loopback.
    pub(crate) fn options(&self) -> LdapOptions {
        LdapOptions {
            bind_dn: Some(SEARCHER.to_owned()),
            bind_password: Some(Zeroizing::new("search-secret".to_owned())),
            // The tests' machine may be slow; nothing here is about time.
            deadline: std::time::Duration::from_mins(1),
            ..LdapOptions::new("corp", format!("ldap://127.0.0.1:{}", self.port), PEOPLE)
        }
    }
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix \"dc=example,dc=test\"
rootdn \"cn=admin,dc=example,dc=test\"
rootpw admin-secret
directory {folder}/db
overlay memberof
memberof-group-oc groupOfNames
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=\"{SEARCHER}\" read by * none
"
    )
}

/// An authority of the company, the server's certificate, and an authority of somebody else.
fn certificates(folder: &Path) {
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, others) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = params.signed_by(&key, &ours).unwrap();
    for (name, text) in [
        ("ca.pem", ours.pem()),
        ("others.pem", others.pem()),
        ("server.pem", server.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}
