//! The users of an htpasswd file, taken over with the passwords they have.

use anyhow::Context as _;
use longshore_hub::NewPassword;
use longshore_hub::accounts::NewAccount;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

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
        let hub = state.hub()?;
        let mut done = Imported::default();
        for (line, number) in args.text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line
                .split_once(':')
                .with_context(|| format!("line {number} has no colon; a line is `name:hash`"))?;
            let new = NewAccount {
                name: name.to_owned(),
                password: Some(NewPassword::Hash(hash.to_owned())),
                ..NewAccount::default()
            };
            match hub.user_create(&state.operator(), new).await {
                Ok(_) => done.made.push(name.to_owned()),
                Err(error) if error.code().is_ours() => return Err(error.into()),
                Err(error) => done.left.push((name.to_owned(), error.public().to_owned())),
            }
        }
        Ok(done)
    }
}
