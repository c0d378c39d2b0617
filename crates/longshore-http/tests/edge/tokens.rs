//! The token server that these tests trust.

use std::io::Write as _;
use std::time::SystemTime;

use longshore_auth::{AnonymousAccess, Authenticator, TokenOptions};
use longshore_testkit::issuer::{ISSUER, Issuer, SERVICE};

/// An authenticator that trusts this issuer.
pub(crate) async fn trusted(
    issuer: &Issuer,
    anonymous: AnonymousAccess,
    now: SystemTime,
) -> Authenticator {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(issuer.jwks().as_bytes()).unwrap();
    let options = TokenOptions {
        jwks_file: Some(file.path().to_owned()),
        anonymous,
        ..TokenOptions::new("https://auth.example/token", SERVICE, ISSUER)
    };
    Authenticator::token(options, now).await.unwrap()
}
