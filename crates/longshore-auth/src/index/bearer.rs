//! Who asks an API: by Basic credentials, or by a personal token or a robot's secret as a Bearer.
//!
//! The tokens of the token service are none for this: they say what may be done with repositories, to registries.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_meta::secrets::Kind;

use super::Index;
use super::known::Known;
use super::secret::{Looks, looks, prefix};
use crate::header::Credentials;
use crate::identity::Refusal;

impl Index {
    /// Who asks, by the values of all `Authorization` headers: nobody, or whoever has the password or the secret.
    ///
    /// # Errors
    /// The credentials are malformed or wrong, or nobody may try just now.
    pub async fn by_any_header<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Known>, Refusal> {
        match Credentials::parse(authorization, &self.0.options.limits)? {
            Credentials::None => Ok(None),
            Credentials::Basic { user, password } => {
                let known = Box::pin(self.login(&user, password, peer, now)).await?;
                Ok(Some(known))
            }
            Credentials::Bearer(secret) => {
                let known = self.by_bearer(secret, peer, now).await;
                self.noted("", known, peer, now).map(Some)
            }
        }
    }

    /// The same for a request that brings a code of a second factor along, which counts with a name and a password only.
    ///
    /// # Errors
    /// See [`Index::by_any_header`]; the code is wrong or was used.
    pub async fn by_any_header_with_code<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        code: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Known>, Refusal> {
        match Credentials::parse(authorization, &self.0.options.limits)? {
            Credentials::Basic { user, password } if matches!(looks(&password), Looks::Other) => {
                let known = Box::pin(self.login_with_code(&user, password, code, peer, now));
                known.await.map(Some)
            }
            _ => Err(Refusal::password(
                "a code of a second factor without a name and a password",
            )),
        }
    }

    /// Whoever holds a personal token or a robot's secret. Failures count for the address alone: there is no name that could be
    /// anybody else's.
    async fn by_bearer(
        &self,
        secret: &[u8],
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        let kind = match looks(secret) {
            Looks::Like(found) if found == prefix(Kind::Personal) => Kind::Personal,
            Looks::Like(found) if found == prefix(Kind::Robot) => Kind::Robot,
            _ => return Err(Refusal::token("not a personal token, nor a robot's secret")),
        };
        let Some(known) = self.by_hash(secret, kind, peer, now).await? else {
            self.count_wrong("bearer", peer, now)?;
            return Err(Refusal::token("no such token, or it has ended"));
        };
        Ok(known)
    }
}
