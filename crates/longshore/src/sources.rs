//! Where a configuration comes from: the arguments every command that reads one has in common.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, Origin, Problem, Problems};

/// The configuration's file and the flags over it.
#[derive(Debug, Clone, Default, Args)]
pub struct Sources {
    /// A configuration file: Longshore's TOML, or a Distribution `config.yml`.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The same, as an option.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "file",
        env = "LONGSHORE_CONFIG"
    )]
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
    /// Reads the configuration from the file, the environment and the flags.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(
        &self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Problems> {
        let flags = self.flags();
        match self.config.as_ref().or(self.file.as_ref()) {
            Some(file) => {
                let text = read(file)?;
                Config::load(Some((&file.to_string_lossy(), &text)), variables, &flags)
            }
            None => Config::load(None, variables, &flags),
        }
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
