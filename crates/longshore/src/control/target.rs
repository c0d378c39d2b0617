//! Which server a command asks: the arguments they have in common.

use std::path::PathBuf;

use clap::Args;

use super::client::Client;
use crate::config::{Config, Problems};
use crate::sources::Sources;

/// Where the server that is asked was configured. By default the one over `./longshore-data`.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// The configuration the server was started with; LONGSHORE_CONFIG names it where this is not given.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The server's data directory [default: ./longshore-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Target {
    /// The server's configuration, as it would read it now.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, variables: &[(String, String)]) -> Result<Config, Problems> {
        let sources = Sources {
            config: self.config.clone(),
            data: self.data.clone(),
            ..Sources::default()
        };
        sources.load(variables)
    }

    /// Somebody who asks the server.
    ///
    /// # Errors
    /// What is wrong with the configuration, in words for whoever runs the command.
    pub fn client(&self, variables: &[(String, String)]) -> anyhow::Result<Client> {
        // A directory that is named needs no configuration, which may be for the server's eyes only.
        if let Some(data) = &self.data {
            return Ok(Client::new(data));
        }
        match self.load(variables) {
            Ok(config) => Ok(Client::new(&config.data)),
            Err(problems) => Err(anyhow::anyhow!(
                "the configuration that says where the server is has mistakes:\n{problems}"
            )),
        }
    }
}
