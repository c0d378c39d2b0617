//! Providers of identities on the web: whoever signs tokens about people and machines (OpenID Connect).

mod addresses;
mod issuer;
pub mod keyless;
pub mod oidc;
mod pattern;
mod web;

pub use self::pattern::Pattern;
pub use self::web::Web;

#[cfg(test)]
mod tests;
