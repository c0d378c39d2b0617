//! Issuers and providers of our own, good and hostile.

mod hostile;
mod keyless;
mod oidc;
mod server;
