//! The users of an htpasswd file, taken over with the passwords they have.

use anyhow::Context as _;
use longshore_auth::index::password;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use super::users::{Making, check, write};
use crate::assemble;

/// Takes over the users of an htpasswd file, with the passwords they have.
#[derive(Debug)]
pub struct Import;

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
pub struct ImportArgs {
    /// What is in the file.
    pub text: String,
}

impl std::fmt::Debug for ImportArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ImportArgs(..)")
    }
}

/// What became of the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Users that were made.
    pub made: Vec<String>,
    /// Lines that were left out, with why.
    pub left: Vec<(String, String)>,
}

impl Operation for Import {
    const NAME: &'static str = "user-import-htpasswd";
    type Args = ImportArgs;
    type Step = ();
    type Done = Imported;

    async fn run(state: &State, args: ImportArgs, _steps: Steps<()>) -> anyhow::Result<Imported> {
        state.index()?;
        let mut done = Imported::default();
        let now = micros(assemble::now());
        for (line, number) in args.text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line
                .split_once(':')
                .with_context(|| format!("line {number} has no colon; a line is `name:hash`"))?;
            let fits = check(name)
                .map_err(|error| error.to_string())
                .and_then(|()| password::foreign(name, hash));
            if let Err(why) = fits {
                done.left.push((name.to_owned(), why));
                continue;
            }
            let making = Making {
                name: name.to_owned(),
                full_name: String::new(),
                mail: String::new(),
                hash: Some(hash.to_owned()),
                admin: false,
                now,
            };
            if write(&state.db, making).await? {
                done.made.push(name.to_owned());
            } else {
                let why = "the name is taken".to_owned();
                done.left.push((name.to_owned(), why));
            }
        }
        Ok(done)
    }
}
