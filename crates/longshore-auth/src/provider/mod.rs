//! Providers of identities on the web: whoever signs tokens about people and machines (OpenID Connect).

mod issuer;
pub mod keyless;
pub mod oidc;
mod pattern;

pub use self::pattern::Pattern;
pub use crate::outbound::Web;

#[cfg(test)]
mod tests;
