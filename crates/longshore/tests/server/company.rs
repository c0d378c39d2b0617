//! A company with an authority of its own, whose people and machines have certificates.

use std::path::PathBuf;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::Value;

use super::harness::{Server, Start, file};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A company with an authority, and a folder with everybody's certificates.
pub(crate) struct Company {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) authority: Authority,
}

pub(crate) fn authority(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    change(&mut params);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of a client with these names.
pub(crate) fn client(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for name in names {
        let (kind, value) = name.split_once(':').unwrap();
        match kind {
            "cn" => params.distinguished_name.push(DnType::CommonName, value),
            "uri" => params
                .subject_alt_names
                .push(SanType::URI(value.try_into().unwrap())),
            "dns" => params
                .subject_alt_names
                .push(SanType::DnsName(value.try_into().unwrap())),
            _ => params
                .subject_alt_names
                .push(SanType::Rfc822Name(value.try_into().unwrap())),
        }
    }
    params
}

impl Company {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = authority("Acme", |_| {});
        file(dir.path(), "ca.pem", &authority.as_ref().pem());
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        file(dir.path(), "cert.pem", &own.cert.pem());
        file(dir.path(), "key.pem", &own.signing_key.serialize_pem());
        Self { dir, authority }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn start(&self) -> Start {
        let set =
            |start: Start, key: &str, name: &str| start.set(key, self.path(name).to_str().unwrap());
        let mut start = Start::over(&self.data()).set("index.enabled", "true");
        for (key, name) in [
            ("tls.cert", "cert.pem"),
            ("tls.key", "key.pem"),
            ("tls.client_ca", "ca.pem"),
        ] {
            start = set(start, key, name);
        }
        start
    }

    /// Writes a certificate that `by` has signed, and its key.
    pub(crate) fn sign(&self, name: &str, params: &CertificateParams, by: &Authority) {
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, by).unwrap();
        file(self.dir.path(), &format!("{name}.pem"), &made.pem());
        file(
            self.dir.path(),
            &format!("{name}.key"),
            &key.serialize_pem(),
        );
    }

    pub(crate) fn give(&self, name: &str, names: &[&str]) {
        self.sign(name, &client(names), &self.authority);
    }

    /// What `curl` gets, as whoever's certificate that is: the status (0 where there is no answer) and the body.
    pub(crate) fn curl(
        &self,
        server: &Server,
        who: &str,
        path: &str,
        more: &[&str],
    ) -> (u16, String) {
        let mut command = Command::new("curl");
        command
            .args(["-sS", "-w", "\n%{http_code}", "--cacert"])
            .arg(self.path("cert.pem"));
        if !who.is_empty() {
            let at = |end: &str| self.path(&format!("{who}.{end}"));
            command.arg("--cert").arg(at("pem"));
            command.arg("--key").arg(at("key"));
        }
        let url = format!("https://localhost:{}{path}", server.address.port());
        let out = command.args(more).arg(url).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        let (body, status) = said.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// Who the API says that it is; nothing for a stranger.
    pub(crate) fn session(&self, server: &Server, who: &str, more: &[&str]) -> Value {
        let (status, body) = self.curl(server, who, "/api/v1/session", more);
        if status != 200 {
            return Value::from(status);
        }
        serde_json::from_str::<Value>(&body).unwrap()["user"].clone()
    }
}
