//! What the operator of a running server asks it: by a Unix socket in the data directory.
//!
//! Who may use the socket is for the file system to say (its mode is 0600): there are no passwords here, and no address that a
//! stranger could reach. It speaks HTTP/1.1; a request is `POST /control/v1/<operation>` with the operation's arguments as
//! JSON, the answer a line of JSON for each step and a last one that says how it ended ([`line::Line`]).
//!
//! An operation is one file: it implements [`Operation`] and has its line in [`answer`]'s table. Commands ask with
//! [`Client::call`], in the same types.

pub mod answer;
pub mod audit;
pub mod backup;
pub mod certificates;
pub mod client;
mod ends;
pub mod explain;
pub mod fsck;
pub mod gc;
pub mod htpasswd;
pub mod identities;
pub mod invitations;
pub mod keys;
pub mod line;
pub mod mail;
mod narrow;
pub mod operation;
pub mod people;
pub mod place;
pub mod places;
pub mod resting;
pub mod rights;
pub mod robots;
pub mod server;
pub mod settings;
pub mod status;
pub mod tags;
pub mod target;
pub mod tokens;
pub mod trash;
pub mod trust;
pub mod users;
pub mod what_if;

pub use client::Client;
pub use operation::{Operation, State, Steps};
pub use server::ControlServer;
pub use target::Target;
