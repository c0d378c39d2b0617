//! Where a configuration comes from: the arguments every command that reads one has in common.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, Origin, Problem, Problems, Reader};
use crate::{distribution, takeover};

/// The configuration's file and the flags over it.
#[derive(Debug, Clone, Default, Args)]
pub struct Sources {
    /// A configuration file: Longshore's TOML, or a Distribution `config.yml`.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The same, as an option; LONGSHORE_CONFIG names it where neither is given.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub config: Option<PathBuf>,

    /// The directory that holds everything stored [default: ./longshore-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Where clients connect; may be given more than once [default: 127.0.0.1:5000].
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<String>,

    /// Allow listening beyond this machine although nobody has to log in.
    #[arg(long)]
    pub open: bool,
}

impl Sources {
    /// The configuration a server on this machine is to start with: [`Sources::load`] with `more` flags, and a data
    /// directory it may use.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load_to_serve(
        &self,
        variables: &[(String, String)],
        more: Vec<(&'static str, &'static str, String)>,
    ) -> Result<Config, Problems> {
        let mut config = self.load_with(variables, more)?;
        config.notes.extend(takeover::look(&config)?);
        Ok(config)
    }

    /// Reads the configuration from the file, the environment and the flags, each over the one before.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(&self, variables: &[(String, String)]) -> Result<Config, Problems> {
        self.load_with(variables, Vec::new())
    }

    fn load_with(
        &self,
        variables: &[(String, String)],
        more: Vec<(&'static str, &'static str, String)>,
    ) -> Result<Config, Problems> {
        let mut reader = Reader::default();
        let mut notes = self.read_file(&mut reader, variables)?;
        reader.environment(variables.iter().cloned());
        for (flag, key, text) in self.flags().into_iter().chain(more) {
            reader.flag(flag, key, &text);
        }
        let mut config = Config::from_reader(reader)?;
        notes.append(&mut config.notes);
        config.notes = notes;
        Ok(config)
    }

    fn read_file(
        &self,
        reader: &mut Reader,
        variables: &[(String, String)],
    ) -> Result<Vec<String>, Problems> {
        let is_theirs = distribution::any_variable(variables);
        let Some(path) = self.path(variables) else {
            return if is_theirs {
                distribution::read(reader, None, variables)
            } else {
                Ok(Vec::new())
            };
        };
        let name = path.to_string_lossy();
        let text = read(&path)?;
        if distribution::is_ours_to_read(&name, &text) {
            return distribution::read(reader, Some((&name, &text)), variables);
        }
        reader.file(&name, &text);
        let ignored = "REGISTRY_* variables are ignored: they go with a Distribution config.yml, or with no file";
        Ok(if is_theirs {
            vec![ignored.to_owned()]
        } else {
            Vec::new()
        })
    }

    /// The file to read. The variable is not clap's: it would be in conflict with a file on the command
    /// line, which is to override it.
    fn path(&self, variables: &[(String, String)]) -> Option<PathBuf> {
        let given = self.config.as_ref().or(self.file.as_ref()).cloned();
        given.or_else(|| {
            let set = variables
                .iter()
                .find(|(name, path)| name == "LONGSHORE_CONFIG" && !path.is_empty());
            set.map(|(_, path)| path.into())
        })
    }

    fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        let mut flags = Vec::new();
        if let Some(data) = &self.data {
            flags.push(("--data", "data", data.to_string_lossy().into_owned()));
        }
        if !self.listen.is_empty() {
            flags.push(("--listen", "listen", self.listen.join(",")));
        }
        if self.open {
            flags.push(("--open", "open", "true".to_owned()));
        }
        flags
    }
}

fn read(file: &Path) -> Result<String, Problems> {
    std::fs::read_to_string(file).map_err(|error| {
        let what = format!("cannot read the configuration {}: {error}", file.display());
        Problem::new(Origin::Default, what).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        variables.iter().map(owned).collect()
    }

    #[test]
    fn variables_alone_start_from_the_images_configuration_unless_kubernetes_set_them() {
        let load = |variables: &[(&str, &str)]| Sources::default().load(&owned(variables)).unwrap();
        let theirs = load(&[("REGISTRY_HTTP_ADDR", ":5009")]);
        assert_eq!(theirs.listen[0].to_string(), ":5009");
        assert_eq!(theirs.data, Path::new("/var/lib/registry"));
        for name in [
            "REGISTRY_PORT",
            "REGISTRY_SERVICE_HOST",
            "REGISTRY_AUTH_SERVICE_HOST",
            "REGISTRY_HTTP_PORT",
        ] {
            let ours = load(&[(name, "tcp://10.0.0.1:5000")]);
            assert_eq!(ours, load(&[]), "{name}");
        }
        let over = load(&[
            ("REGISTRY_HTTP_ADDR", ":5009"),
            ("LONGSHORE__DATA", "/ours"),
        ]);
        assert_eq!(over.data, Path::new("/ours"));
    }

    #[test]
    fn a_file_on_the_command_line_overrides_the_one_the_environment_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, "data = \"/from/file\"\n").unwrap();
        let named = [("LONGSHORE_CONFIG", file.to_str().unwrap())];
        let config = Sources::default().load(&owned(&named)).unwrap();
        assert_eq!(config.data, Path::new("/from/file"));
        let given = Sources {
            file: Some(file),
            ..Sources::default()
        };
        let elsewhere = [("LONGSHORE_CONFIG", "/nowhere.toml")];
        assert_eq!(
            given.load(&owned(&elsewhere)).unwrap().data,
            Path::new("/from/file")
        );
        let missing = Sources::default()
            .load(&owned(&elsewhere))
            .unwrap_err()
            .to_string();
        assert!(
            missing.starts_with("error: cannot read the configuration /nowhere.toml: "),
            "{missing}"
        );
    }
}
