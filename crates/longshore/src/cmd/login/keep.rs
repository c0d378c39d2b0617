//! Where docker keeps logins: its `config.json`, or a credential helper that this names.
//!
//! What else is in the file stays as it was. The file is exchanged as a whole, by a name, and is for its owner alone:
//! whoever reads it meanwhile reads the one or the other.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::helper::{erase, fetch, helper, store};

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

/// A login that is kept.
pub(super) struct Held {
    /// The name; none where a helper keeps a refresh token in its place.
    pub(super) user: Option<String>,
    /// Passwords and tokens, of which there may be two: docker keeps a refresh token beside a name.
    pub(super) secrets: Vec<Zeroizing<String>>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
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

    /// The login at `host`, if one is kept.
    ///
    /// # Errors
    /// The file cannot be read, or the helper cannot be asked.
    pub(super) fn held(&self, host: &str) -> anyhow::Result<Option<Held>> {
        let config = self.read()?;
        if let Some(name) = helper(&config, host)? {
            let found = fetch(&name, host)?;
            return Ok(found.map(|(user, secret)| Held {
                // What docker calls a login without a name.
                user: Some(user).filter(|user| user != "<token>"),
                secrets: vec![secret],
            }));
        }
        let entry = config.get("auths").and_then(|all| all.get(host));
        let Some(entry) = entry.and_then(Value::as_object) else {
            return Ok(None);
        };
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let pair = text("auth").and_then(|auth| STANDARD.decode(auth).ok());
        let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
        let (user, password) = match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
            None => (None, None),
        };
        let secrets = [password, text("identitytoken").map(str::to_owned)];
        let secrets = secrets.into_iter().flatten().filter(|it| !it.is_empty());
        Ok(Some(Held {
            user,
            secrets: secrets.map(Zeroizing::new).collect(),
        }))
    }

    /// Forgets the login at `host`.
    ///
    /// # Errors
    /// The file cannot be written, or the helper does not forget it.
    pub(super) fn forget(&self, host: &str) -> anyhow::Result<Kept> {
        let mut config = self.read()?;
        let helper = helper(&config, host)?;
        if let Some(name) = &helper {
            erase(name, host)?;
        }
        let auths = config.get_mut("auths").and_then(Value::as_object_mut);
        if auths.is_some_and(|auths| auths.remove(host).is_some()) {
            self.write(&config)?;
        }
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
    fn a_login_that_is_kept_is_found_again_and_forgotten_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        let keeper = keeper(dir.path());
        assert!(keeper.held("a").unwrap().is_none());
        keeper.keep("a", "ann", "lsp_x:y").unwrap();
        keeper.keep("b", "bob", "z").unwrap();
        let held = keeper.held("a").unwrap().unwrap();
        assert_eq!(held.user.as_deref(), Some("ann"));
        assert_eq!(held.secrets, [Zeroizing::new("lsp_x:y".to_owned())]);
        assert!(!format!("{held:?}").contains("lsp_x"));
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["auths"]["a"]["identitytoken"] = "lsf_r".into();
        fs::write(&path, config.to_string()).unwrap();
        assert_eq!(keeper.held("a").unwrap().unwrap().secrets.len(), 2);
        keeper.forget("a").unwrap();
        keeper.forget("a").unwrap();
        assert!(keeper.held("a").unwrap().is_none());
        assert_eq!(
            keeper.held("b").unwrap().unwrap().user.as_deref(),
            Some("bob")
        );
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
