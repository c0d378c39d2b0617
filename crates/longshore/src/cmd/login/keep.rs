//! Where docker keeps logins: its `config.json`, or a credential helper that this names.
//!
//! What else is in the file stays as it was. The file is exchanged as a whole, by a name, and is for its owner alone:
//! whoever reads it meanwhile reads the one or the other.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Keeps a login.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
}

/// Where a login is kept.
#[derive(Debug)]
pub(super) enum Kept {
    File(PathBuf),
    Helper(String),
}

impl Keeper {
    /// Finds the file: the one that was named, or docker's.
    ///
    /// # Errors
    /// There is no place for it, or what is there is not such a file.
    pub(super) fn open(
        named: Option<&Path>,
        variables: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value).filter(|it| !it.is_empty())
        };
        let path = match (named, variable("DOCKER_CONFIG"), variable("HOME")) {
            (Some(path), _, _) => path.to_owned(),
            (None, Some(folder), _) => Path::new(folder).join("config.json"),
            (None, None, Some(home)) => Path::new(home).join(".docker/config.json"),
            (None, None, None) => {
                bail!(
                    "neither DOCKER_CONFIG nor HOME is set; say where the login is to be kept with --authfile"
                )
            }
        };
        // A link stays one: what it leads to is exchanged.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let keeper = Keeper { path };
        keeper.read()?;
        Ok(keeper)
    }

    fn read(&self) -> anyhow::Result<Map<String, Value>> {
        let shown = self.path.display();
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(error).with_context(|| format!("{shown} cannot be read")),
        };
        if text.trim_ascii().is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&text) {
            Ok(Value::Object(map)) => Ok(map),
            _ => bail!(
                "{shown} is no JSON object, so it is left alone; repair it, or name another file with --authfile"
            ),
        }
    }

    /// Keeps `secret` as `user`'s at `host`.
    ///
    /// # Errors
    /// The file cannot be written, or the helper does not take it.
    pub(super) fn keep(&self, host: &str, user: &str, secret: &str) -> anyhow::Result<Kept> {
        let mut config = self.read()?;
        let helper = helper(&config, host)?;
        let entry = match &helper {
            Some(name) => {
                store(name, host, user, secret)?;
                json!({})
            }
            None => json!({ "auth": STANDARD.encode(format!("{user}:{secret}")) }),
        };
        let auths = config.entry("auths").or_insert_with(|| json!({}));
        let Some(auths) = auths.as_object_mut() else {
            bail!(
                "`auths` in {} is no object, so it is left alone",
                self.path.display()
            );
        };
        auths.insert(host.to_owned(), entry);
        self.write(&config)?;
        Ok(match helper {
            Some(name) => Kept::Helper(name),
            None => Kept::File(self.path.clone()),
        })
    }

    fn write(&self, config: &Map<String, Value>) -> anyhow::Result<()> {
        let shown = self.path.display();
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut printer = serde_json::Serializer::with_formatter(&mut text, indent);
        serde::Serialize::serialize(config, &mut printer)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let next = folder.join(format!(".{name}.{}", std::process::id()));
        let written = (|| {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&next)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&next, &self.path)
        })();
        if written.is_err() {
            // What was begun has a secret in it.
            let _ = fs::remove_file(&next);
        }
        written.with_context(|| format!("{shown} cannot be written"))
    }
}

/// The helper that a configuration names for a registry.
fn helper(config: &Map<String, Value>, host: &str) -> anyhow::Result<Option<String>> {
    let own = config.get("credHelpers").and_then(|all| all.get(host));
    let name = own.or_else(|| config.get("credsStore"));
    let Some(name) = name.and_then(Value::as_str).filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_name) {
        bail!("`{name}` is no name of a credential helper");
    }
    Ok(Some(name.to_owned()))
}

/// Gives a secret to `docker-credential-NAME` (docker-credential-helpers, "Development").
fn store(name: &str, host: &str, user: &str, secret: &str) -> anyhow::Result<()> {
    let program = format!("docker-credential-{name}");
    let mut child = Command::new(&program)
        .arg("store")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| {
            format!("`{program}`, which docker's configuration names, cannot be run")
        })?;
    let said = json!({ "ServerURL": host, "Username": user, "Secret": secret }).to_string();
    if let Some(mut to) = child.stdin.take() {
        to.write_all(said.as_bytes())?;
    }
    let done = child.wait_with_output()?;
    if !done.status.success() {
        let why = String::from_utf8_lossy(&done.stdout);
        bail!(
            "`{program}` did not take the login: {}",
            why.trim().escape_debug()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper(folder: &Path) -> Keeper {
        Keeper::open(
            None,
            &[("DOCKER_CONFIG".to_owned(), folder.display().to_string())],
        )
        .unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_login_is_kept_as_docker_reads_it_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        keeper(&folder).keep("reg.example", "ann", "lsp_x").unwrap();
        let path = folder.join("config.json");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\n\t\"auths\": {\n\t\t\"reg.example\": {\n\t\t\t\"auth\": \"YW5uOmxzcF94\"\n\t\t}\n\t}\n}"
        );
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn what_else_is_in_the_file_stays_and_a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real.json");
        fs::write(
            &real,
            r#"{"z":1,"auths":{"a":{"auth":"x"}},"psFormat":"t"}"#,
        )
        .unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        let link = dir.path().join("config.json");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        keeper(dir.path()).keep("b", "u", "s").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let read: Value = serde_json::from_slice(&fs::read(&real).unwrap()).unwrap();
        assert_eq!(read["z"], 1);
        assert_eq!(read["psFormat"], "t");
        assert_eq!(read["auths"]["a"]["auth"], "x");
        assert_eq!(read["auths"]["b"]["auth"], "dTpz");
        assert_eq!(mode(&real), 0o600, "there is a secret in it now");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_is_no_such_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        for text in ["[]", "{", "\"x\""] {
            fs::write(&path, text).unwrap();
            let variables = [("DOCKER_CONFIG".to_owned(), dir.path().display().to_string())];
            let error = Keeper::open(None, &variables).unwrap_err().to_string();
            assert!(error.contains("--authfile"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(Keeper::open(None, &[]).is_err());
    }

    #[test]
    fn a_helper_is_one_of_a_name_for_the_registry_or_for_all() {
        let config = |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap() };
        let both = config(r#"{"credsStore":"pass","credHelpers":{"a":"own"}}"#);
        assert_eq!(helper(&both, "a").unwrap().as_deref(), Some("own"));
        assert_eq!(helper(&both, "b").unwrap().as_deref(), Some("pass"));
        assert_eq!(helper(&config("{}"), "a").unwrap(), None);
        assert_eq!(helper(&config(r#"{"credsStore":""}"#), "a").unwrap(), None);
        assert!(helper(&config(r#"{"credsStore":"../x"}"#), "a").is_err());
    }
}
