//! The index in this process: the keys of `[index]` and what they amount to.

use std::path::PathBuf;
use std::time::Duration;

use longshore_auth::index::password::{Policy, SHORTEST};
use longshore_auth::issuer::{KidForm, SigningAlgorithm};
use longshore_auth::provider::Web;
use url::Url;

use super::key::section;
use super::ldap::Ldap;
use super::mail::Mail;
use super::oidc::Oidc;
use super::problem::Problem;
use super::reader::Reader;
use super::settings::Settings;
use super::value::choice;

choice! {
    /// How tokens are signed.
    Algorithm {
        /// ECDSA on P-256.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// RSA of 2048 bits.
        Rs256 = "RS256",
    }
}

choice! {
    /// By which name tokens call their key.
    Kid {
        /// The thumbprint of RFC 7638.
        Thumbprint = "thumbprint",
        /// The identifier of libtrust.
        Libtrust = "libtrust",
    }
}

choice! {
    /// What a node does.
    Roles {
        /// Both.
        Both = "both",
        /// Accounts and tokens, no images.
        Index = "index",
        /// Images, with the tokens of another node or service.
        Registry = "registry",
    }
}

section! {
    /// Accounts, rights and tokens in this registry itself. With it nothing can be read or written without a right.
    IndexKeys at "index" since "0.1.0" {
        /// Keep accounts and give out tokens.
        enabled: bool = false,
        /// What this node does: `both`, `index` (accounts and tokens, no images) or `registry` (images, with the tokens
        /// that `[auth.token]` describes).
        roles: Roles = Roles::Both,
        /// The name of the index in tokens (`iss`); unset, `public_url`.
        issuer: Option<String> = None,
        /// The name of the registry beside it in tokens (`aud`); unset, the host of `public_url`.
        service: Option<String> = None,
        /// The names of other registries that trust this index and may be given tokens for.
        services: Vec<String> = Vec::new(),
        /// The file with the key that signing keys and secrets are protected with. It is made at the first start, and
        /// belongs beside your backups, not into them. Unset, `index.key` in the data directory.
        key_file: Option<PathBuf> = None,
        /// How long a token is good; from one minute to an hour. At a registry that cannot ask the index, what was revoked
        /// goes on for that long and its `auth.token.leeway` more.
        token_ttl: Duration = Duration::from_mins(4),
        /// How long a client that logged in can fetch tokens without its password.
        refresh_ttl: Duration = Duration::from_hours(24 * 30),
        /// How tokens are signed: `ES256`, `EdDSA`, or `RS256` for old verifiers.
        algorithm: Algorithm = Algorithm::Es256,
        /// By which name tokens call their key: `thumbprint` (RFC 7638; registry:3 and most others) or `libtrust` (registry:2).
        kid: Kid = Kid::Thumbprint,
        /// Send the certificate of the key with each token, for registries that trust the index's certificate and not its keys.
        x5c: bool = false,
        /// How long a key signs until the next one follows.
        rotate_every: Duration = Duration::from_hours(24 * 90),
        /// How long a new key is shown to registries before it signs.
        rotate_lead: Duration = Duration::from_mins(10),
        /// Look into the database at each write and deletion whether a token's owner still has it and may do that now, instead
        /// of into what is at most 5 seconds old.
        strict_revocation: bool = false,
        /// Where there is no mail server: let people make accounts of their own all the same (when the setting `sign_up` is
        /// `open`). Nobody confirms their addresses then.
        sign_up_without_mail: bool = false,
        /// How long a password is at least, in characters; from 8 to 128. NIST SP 800-63B asks for 15 where it is all that a login takes.
        password_min_length: u32 = 8,
        /// Refuse passwords that are tried first by whoever tries passwords.
        password_refuse_common: bool = true,
        /// Refuse passwords that are too short without the name of their user in them.
        password_refuse_name: bool = true,
        /// How long it is kept who changed what (`longshore admin audit`); at least a day.
        audit_time: Duration = Duration::from_hours(400 * 24),
        /// Of how many reads of what not everybody may see one is written into the audit log: 1 for each, 100 for one of a hundred; 0
        /// for none. What somebody reads in one repository within ten seconds is one row.
        audit_reads: u32 = 0,
        /// Where issuers of tokens and login providers may be that are inside, or not on the usual port: scheme, host and port,
        /// as in `https://id.corp.example:8443`. All others are asked out in the world only.
        outbound_allowed: Vec<String> = Vec::new(),
        /// A file with the certificates of your own authorities, which are trusted there beside the system's, PEM.
        outbound_ca_file: Option<PathBuf> = None,
    }
}

/// An index in this process.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its name in tokens.
    pub issuer: String,
    /// The name of the registry beside it.
    pub service: String,
    /// The file of its key.
    pub key_file: PathBuf,
    /// Directories, in the order in which they are asked.
    pub ldap: Vec<Ldap>,
    /// Login providers.
    pub oidc: Vec<Oidc>,
    /// The way for mail, where there is one.
    pub mail: Option<Mail>,
    /// The rest.
    pub keys: IndexKeys,
}

impl Index {
    /// How tokens are signed.
    pub fn algorithm(&self) -> SigningAlgorithm {
        match self.keys.algorithm {
            Algorithm::Es256 => SigningAlgorithm::Es256,
            Algorithm::EdDsa => SigningAlgorithm::EdDsa,
            Algorithm::Rs256 => SigningAlgorithm::Rs256,
        }
    }

    /// Which passwords are accepted.
    pub fn passwords(&self) -> Policy {
        Policy {
            min_length: self.keys.password_min_length as usize,
            refuse_common: self.keys.password_refuse_common,
            refuse_name: self.keys.password_refuse_name,
        }
    }

    /// By which name tokens call their key.
    pub fn kid(&self) -> KidForm {
        match self.keys.kid {
            Kid::Thumbprint => KidForm::Thumbprint,
            Kid::Libtrust => KidForm::Libtrust,
        }
    }
}

/// Host and port of a URL, as a registry's name has them.
pub(super) fn host(url: &Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}"));
    Some(format!("{}{}", url.host_str()?, port.unwrap_or_default()))
}

/// The index that the keys amount to.
pub(super) fn choose(settings: &Settings, origins: &Reader) -> Result<Index, Vec<Problem>> {
    let keys = &settings.index;
    let at = |path: &str| origins.place(path);
    let mut problems = Vec::new();
    for other in ["auth.htpasswd", "auth.token"] {
        if origins.is_set(other) {
            problems.push(
                Problem::new(at(other), format!("`{other}` and `index.enabled` are both set"))
                    .hint("an index keeps its own accounts: take one of them out; `longshore admin user import-htpasswd` takes over the users of a file"),
            );
        }
    }
    if origins.is_set("auth.anonymous") {
        problems.push(
            Problem::new(
                at("auth.anonymous"),
                "`auth.anonymous` and `index.enabled` are both set",
            )
            .hint("with an index, who may pull without a login is said by namespaces: make those public"),
        );
    }
    if keys.roles == Roles::Registry {
        problems.push(
            Problem::new(
                at("index.roles"),
                "a node of the role `registry` has no index",
            )
            .hint("set `index.enabled = false`, and `auth.token.index` to the index's address"),
        );
    }
    let (least, most) = (Duration::from_mins(1), Duration::from_hours(1));
    if keys.token_ttl < least || keys.token_ttl > most {
        problems.push(
            Problem::new(
                at("index.token_ttl"),
                "`index.token_ttl` must be from one minute to an hour",
            )
            .hint(
                "clients take a shorter one for a minute, and what is revoked is good until then",
            ),
        );
    }
    if keys.rotate_every < most || keys.rotate_every < keys.rotate_lead * 2 {
        problems.push(
            Problem::new(
                at("index.rotate_every"),
                "`index.rotate_every` must be an hour or more, and twice `index.rotate_lead` or more",
            )
            .hint("registries need time to fetch a new key before it signs"),
        );
    }
    if !SHORTEST.contains(&(keys.password_min_length as usize)) {
        problems.push(
            Problem::new(
                at("index.password_min_length"),
                "`index.password_min_length` must be from 8 to 128",
            )
            .hint(
                "shorter ones are guessed, and longer ones are written down; 15 is a good length",
            ),
        );
    }
    if keys.audit_time < Duration::from_hours(24) {
        problems.push(
            Problem::new(
                at("index.audit_time"),
                "`index.audit_time` must be a day or more",
            )
            .hint("what was done yesterday should be known today; leave it out for 400 days"),
        );
    }
    let mut oidc = Vec::new();
    match Web::new(&keys.outbound_allowed, None) {
        Ok(web) => match super::oidc::choose(settings, &web, origins) {
            Ok(found) => oidc = found,
            Err(found) => problems.extend(found),
        },
        Err(error) => {
            let at = at("index.outbound_allowed");
            let what = format!("`index.outbound_allowed` cannot be used: {error}");
            problems.push(Problem::new(at, what));
        }
    }
    let ldap = super::ldap::choose(settings, origins).unwrap_or_else(|found| {
        problems.extend(found);
        Vec::new()
    });
    let mail = super::mail::choose(settings, origins).unwrap_or_else(|found| {
        problems.extend(found);
        None
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let public = settings.place.public_url.as_ref();
    Ok(Index {
        issuer: keys
            .issuer
            .clone()
            .or_else(|| public.map(|url| url.as_str().trim_end_matches('/').to_owned()))
            .unwrap_or_else(|| "longshore".to_owned()),
        service: keys
            .service
            .clone()
            .or_else(|| public.and_then(host))
            .unwrap_or_else(|| "longshore".to_owned()),
        key_file: keys
            .key_file
            .clone()
            .unwrap_or_else(|| settings.place.data.join("index.key")),
        ldap,
        oidc,
        mail,
        keys: keys.clone(),
    })
}
