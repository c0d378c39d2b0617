//! The endpoints, one file for each kind of thing.

mod accounts;
mod bindings;
mod certificates;
mod collection;
mod content;
mod doors;
mod explain;
mod factors;
mod identities;
mod invitations;
mod keys;
mod log;
mod mail;
mod moves;
mod namespaces;
mod organisations;
mod own;
mod past;
mod repositories;
mod resting;
mod robots;
mod roles;
mod session;
mod sessions;
mod settings;
mod setup;
mod teams;
mod tokens;
mod trust;
mod what_if;

use crate::endpoint::Endpoint;

/// Every endpoint, in the order of the document.
pub(crate) static ALL: &[&[Endpoint]] = &[
    session::ENDPOINTS,
    setup::ENDPOINTS,
    doors::ENDPOINTS,
    own::ENDPOINTS,
    factors::ENDPOINTS,
    invitations::ENDPOINTS,
    accounts::ENDPOINTS,
    tokens::ENDPOINTS,
    identities::ENDPOINTS,
    sessions::ENDPOINTS,
    organisations::ENDPOINTS,
    teams::ENDPOINTS,
    robots::ENDPOINTS,
    trust::ENDPOINTS,
    certificates::ENDPOINTS,
    namespaces::ENDPOINTS,
    repositories::ENDPOINTS,
    moves::ENDPOINTS,
    resting::ENDPOINTS,
    content::ENDPOINTS,
    past::ENDPOINTS,
    bindings::ENDPOINTS,
    roles::ENDPOINTS,
    explain::ENDPOINTS,
    what_if::ENDPOINTS,
    settings::ENDPOINTS,
    keys::ENDPOINTS,
    mail::ENDPOINTS,
    collection::ENDPOINTS,
    log::ENDPOINTS,
];
