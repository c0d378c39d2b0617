//! The endpoints, one file for each kind of thing.

mod accounts;
mod bindings;
mod content;
mod doors;
mod explain;
mod invitations;
mod log;
mod namespaces;
mod organisations;
mod own;
mod repositories;
mod roles;
mod session;
mod sessions;
mod settings;
mod teams;

use crate::endpoint::Endpoint;

/// Every endpoint, in the order of the document.
pub(crate) static ALL: &[&[Endpoint]] = &[
    session::ENDPOINTS,
    doors::ENDPOINTS,
    own::ENDPOINTS,
    invitations::ENDPOINTS,
    accounts::ENDPOINTS,
    sessions::ENDPOINTS,
    organisations::ENDPOINTS,
    teams::ENDPOINTS,
    namespaces::ENDPOINTS,
    repositories::ENDPOINTS,
    content::ENDPOINTS,
    bindings::ENDPOINTS,
    roles::ENDPOINTS,
    explain::ENDPOINTS,
    settings::ENDPOINTS,
    log::ENDPOINTS,
];
