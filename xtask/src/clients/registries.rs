//! The registries of one scenario. Every scenario has an open one and one with a password; those over TLS, with tokens and with accounts are started
//! only for the scenarios that speak of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::certificate::Certificate;
use crate::ci_issuer::CiIssuer;
use crate::server::{Access, Manifests, SERVICE, Server};
use crate::token_service::TokenService;

/// What the token of the job says that a scenario is to trust, and that of another.
const TRUSTED: &str = "repo:acme/app:ref:refs/heads/main";
const OTHER: &str = "repo:acme/app:ref:refs/heads/branch";

/// Where a scenario's registries come from.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Started for it from this program.
    Fresh(PathBuf),
    /// One that is running already, `host:port`.
    Running(String),
}

/// What a scenario is told in its environment.
pub(super) type Variables = Vec<(&'static str, String)>;

/// The registries of one scenario; dropped, they are stopped.
#[derive(Debug)]
pub(super) struct Registries {
    place: Place,
    work: PathBuf,
    servers: Vec<Server>,
}

impl Registries {
    /// None yet; each will have a folder in `work`.
    pub(super) fn new(place: &Place, work: &Path) -> Self {
        Self {
            place: place.clone(),
            work: work.to_owned(),
            servers: Vec::new(),
        }
    }

    /// Starts the two that every scenario has.
    pub(super) fn usual(&mut self) -> Result<Variables> {
        let (open, locked) = match self.place.clone() {
            Place::Running(address) => (address, String::new()),
            Place::Fresh(program) => (
                self.plain(&program, "open", &Access::Open)?,
                self.plain(&program, "locked", &Access::Basic)?,
            ),
        };
        Ok(vec![("REGISTRY", open), ("LOCKED", locked)])
    }

    /// Starts those for the capabilities that the scenario `has`. A registry that was running already has no such siblings.
    pub(super) fn special(&mut self, has: impl Fn(&str) -> bool) -> Result<Variables> {
        let mut variables = Variables::new();
        let Place::Fresh(program) = self.place.clone() else {
            return Ok(variables);
        };
        if has("tls") {
            let certificate = Certificate::make(&self.work.join("certificate"))?;
            let folder = self.work.join("tls");
            let server = Server::start_with_tls(&program, &folder, &certificate.identity)?;
            variables.push(("TLS_REGISTRY", self.keep(server)));
            variables.push(("TLS_CA", certificate.authority.display().to_string()));
        }
        if has("token") {
            let jwks = self.work.join("keys.json");
            let realm = TokenService::start(&jwks, &[])?.realm();
            let access = Access::Bearer { realm, jwks };
            variables.push(("TOKEN_REGISTRY", self.plain(&program, "token", &access)?));
        }
        if has("index") {
            variables.extend(self.index(&program)?);
        }
        Ok(variables)
    }

    /// One that keeps accounts itself, and a CI whose jobs it may be told to trust. Who is in it is the scenario's affair.
    fn index(&mut self, program: &Path) -> Result<Variables> {
        let issuer = CiIssuer::start()?;
        let folder = self.work.join("index");
        let access = Access::Index(issuer.url().to_owned());
        let server = Server::start(program, &folder, &access, Manifests::Usual)?;
        let data = server.data().display().to_string();
        Ok(vec![
            ("INDEX_REGISTRY", self.keep(server)),
            ("INDEX_DATA", data),
            ("LONGSHORE", program.display().to_string()),
            ("CI_ISSUER", issuer.url().to_owned()),
            ("CI_TRUSTED", issuer.token(SERVICE, TRUSTED)?),
            ("CI_OTHER", issuer.token(SERVICE, OTHER)?),
            ("CI_SUBJECT", TRUSTED.to_owned()),
        ])
    }

    /// Stops them all and keeps their logs in `folder`.
    pub(super) fn stop(&mut self, folder: &Path) {
        for server in self.servers.drain(..) {
            let log = server.log().to_owned();
            drop(server);
            if let Some(name) = log.file_name() {
                fs::copy(&log, folder.join(format!("registry-{}", name.display()))).ok();
            }
        }
    }

    fn plain(&mut self, program: &Path, name: &str, access: &Access) -> Result<String> {
        let server = Server::start(program, &self.work.join(name), access, Manifests::Usual)?;
        Ok(self.keep(server))
    }

    fn keep(&mut self, server: Server) -> String {
        let address = server.address().to_owned();
        self.servers.push(server);
        address
    }
}
