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
        realm: "https://auth.example/token".to_owned(),
        service: SERVICE.to_owned(),
        issuer: ISSUER.to_owned(),
        root_bundle: None,
        jwks_file: Some(file.path().to_owned()),
        jwks_url: None,
        anonymous,
    };
    Authenticator::token(options, now).await.unwrap()
}
