//! A freshly started registry with a data directory of its own, for what talks to one over the wire.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::build;
use crate::process::{self, Running};
use crate::workspace::Workspace;

/// The name and password that the test registries know.
pub(crate) const USER: &str = "alice";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "open sesame 5";
/// What `htpasswd -nbB -C 5` printed for the two.
const HTPASSWD: &str = "alice:$2y$05$fdUpqnxiEoa6f47Gi6W4K.Quee5QuHTNsiF/NMuKztIE.FbyvjBIG\n";

const READY_WITHIN: Duration = Duration::from_secs(20);

/// How a test registry lets clients in.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Everybody may do everything.
    Open,
    /// [`USER`] with [`PASSWORD`] may do everything.
    Basic,
    /// Tokens of the service at `realm`, checked with the keys in `jwks`.
    Bearer {
        /// Its address.
        realm: String,
        /// A JSON Web Key Set.
        jwks: PathBuf,
    },
    /// Accounts and tokens of its own; nobody has one yet. Trust rules may name the issuer at this address.
    Index(String),
}

/// What a test registry shows to clients that begin with TLS, both PEM.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The certificate.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// What manifests a test registry takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manifests {
    /// As it comes out of the box.
    Usual,
    /// Also those of which parts are missing, which the conformance program asks for.
    Sparse,
}

/// The name of the test registries in tokens.
pub(crate) const SERVICE: &str = "longshore-test";
/// Who issues the tokens.
pub(crate) const ISSUER: &str = "xtask";

/// A running registry; dropped, it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    running: Running,
    address: String,
    data: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Builds the program of this clone and returns where it is.
    ///
    /// # Errors
    /// When it does not compile in time.
    pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
        Ok(build::debug(workspace)?.join("longshore"))
    }

    /// Starts `program` with its data in `folder` and waits until it answers. The log is `folder`.log.
    ///
    /// # Errors
    /// When it ends or does not answer in time; its last lines are in the text.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        access: &Access,
        manifests: Manifests,
    ) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let table = configuration(folder, &address, access, manifests)?;
        Self::start_as(program, folder, address, &table)
    }

    /// Like [`Server::start`], open to everybody and over TLS only.
    ///
    /// # Errors
    /// See [`Server::start`].
    pub(crate) fn start_with_tls(
        program: &Path,
        folder: &Path,
        identity: &Identity,
    ) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut table = configuration(folder, &address, &Access::Open, Manifests::Usual)?;
        let files = [("cert", text(&identity.cert)), ("key", text(&identity.key))];
        let files = files.map(|(key, value)| (key.to_owned(), value));
        table.insert("tls".to_owned(), Table::from_iter(files).into());
        Self::start_as(program, folder, address, &table)
    }

    fn start_as(program: &Path, folder: &Path, address: String, table: &Table) -> Result<Self> {
        let config = folder.join("longshore.toml");
        fs::write(&config, table.to_string()).context("a configuration cannot be written")?;
        let log = folder.with_extension("log");
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&config);
        let mut server = Self {
            running: Running::start(&command, &log)?,
            address,
            data: data_in(folder),
            log,
        };
        server.wait()?;
        Ok(server)
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its data directory, by which `longshore admin` reaches it.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Where its output goes.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !answers(&self.address) {
            if let Some(ended) = self.running.ended()? {
                bail!(
                    "the registry ended ({ended}):\n{}",
                    process::tail(&self.log, 20)
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "the registry does not answer:\n{}",
                    process::tail(&self.log, 20)
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// A port that was free a moment ago.
///
/// # Errors
/// When the system gives none.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener
        .local_addr()
        .context("a port has no number")?
        .port())
}

/// Whether a registry answers `GET /v2/` at `address`, whatever it says. Where TLS is spoken it says in HTTP that it is.
pub(crate) fn answers(address: &str) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut head = vec![0; 12];
        stream.read_exact(&mut head)?;
        Ok(head)
    };
    ask().is_ok_and(|head| head.starts_with(b"HTTP/1.1 "))
}

/// The settings of such a registry; what it needs beside is written into `folder`, which is made.
fn configuration(
    folder: &Path,
    address: &str,
    access: &Access,
    manifests: Manifests,
) -> Result<Table> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // A scratch folder may be in memory; what is tried here is the protocol, not power cuts.
    let mut table = Table::from_iter([
        ("listen".to_owned(), address.into()),
        ("data".to_owned(), text(&data_in(folder))),
        ("storage".to_owned(), one("unsafe_storage", true)),
        ("metrics".to_owned(), one("listen", "127.0.0.1:0")),
    ]);
    if manifests == Manifests::Sparse {
        table.insert("manifests".to_owned(), one("sparse", "all"));
    }
    let auth = match access {
        Access::Open => return Ok(table),
        Access::Index(issuer) => {
            let keys = [
                ("enabled", true.into()),
                ("service", SERVICE.into()),
                (
                    "outbound_allowed",
                    Value::Array(vec![issuer.as_str().into()]),
                ),
            ];
            table.insert("index".to_owned(), table_of(keys));
            return Ok(table);
        }
        Access::Basic => {
            let file = folder.join("htpasswd");
            fs::write(&file, HTPASSWD).context("a password file cannot be written")?;
            one("htpasswd", one("path", text(&file)))
        }
        Access::Bearer { realm, jwks } => {
            let keys = [
                ("realm", realm.as_str().into()),
                ("service", SERVICE.into()),
                ("issuer", ISSUER.into()),
                ("jwks_file", text(jwks)),
            ];
            one("token", table_of(keys))
        }
    };
    table.insert("auth".to_owned(), auth);
    Ok(table)
}

/// Where a registry whose folder this is has its data.
fn data_in(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// A path as a value.
fn text(path: &Path) -> Value {
    path.display().to_string().into()
}

/// A table with one key.
fn one(key: &str, value: impl Into<Value>) -> Value {
    table_of([(key, value.into())])
}

fn table_of<const N: usize>(keys: [(&str, Value); N]) -> Value {
    Table::from_iter(keys.map(|(key, value)| (key.to_owned(), value))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_toml_whatever_the_folder_is_called() {
        let folder = std::env::temp_dir().join(format!("xtask \"server\" {}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let access = Access::Bearer {
            realm: "http://127.0.0.1:1/token".into(),
            jwks: folder.join("keys.json"),
        };
        let index = Access::Index("http://127.0.0.1:2".into());
        for access in [Access::Open, Access::Basic, access, index] {
            let table = configuration(&folder, "127.0.0.1:5", &access, Manifests::Sparse).unwrap();
            let table: toml::Table = table.to_string().parse().unwrap();
            assert_eq!(
                table["data"].as_str().unwrap(),
                folder.join("data").to_str().unwrap()
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
