//! What is asked of the token service: the parameters of a query or a form.

use http::Uri;
use longshore_auth::index::Ask;
use longshore_spec::scope::Scopes;

use super::super::form::{once, pairs};
use super::answer::Problem;

/// The grant of command lines that wait for a browser (RFC 8628, 3.4).
pub(in crate::edge) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The parameters that are read. Others mean nothing here.
#[derive(Default)]
pub(super) struct Parameters {
    service: Option<String>,
    scopes: Vec<String>,
    client: Option<String>,
    offline: bool,
}

impl Parameters {
    /// From the query of a `GET`. Scopes may be repeated. Credentials are not looked at.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, &'static str> {
        let mut read = Parameters::default();
        let mut offline = None;
        for (name, value) in pairs(query.unwrap_or_default())? {
            match name.as_str() {
                "service" => once(&mut read.service, value)?,
                "client_id" => once(&mut read.client, value)?,
                "offline_token" => once(&mut offline, value)?,
                "scope" => read.scopes.push(value),
                _ => {}
            }
        }
        read.offline = offline.as_deref() == Some("true");
        Ok(read)
    }

    /// What the client calls itself; empty where it does not.
    pub(super) fn client(&self) -> &str {
        self.client.as_deref().unwrap_or_default()
    }

    /// The same, understood.
    ///
    /// # Errors
    /// A scope is malformed, or there are too many.
    pub(super) fn ask(&self) -> Result<Ask, String> {
        let scopes = Scopes::parse(self.scopes.iter().map(String::as_str))
            .map_err(|error| error.to_string())?;
        Ok(Ask {
            service: self.service.clone().filter(|service| !service.is_empty()),
            scopes,
            offline: self.offline,
            client: self.client.clone().unwrap_or_default(),
        })
    }
}

/// By what a form asks for a token.
pub(super) enum Wanted {
    Password {
        user: String,
        password: String,
    },
    Refresh(String),
    /// The code of a command line that waits for a browser.
    Device(String),
}

/// A form of OAuth 2.
pub(super) struct Form {
    pub(super) parameters: Parameters,
    pub(super) wanted: Wanted,
}

impl Form {
    /// Reads a form. Each parameter may be there once (RFC 6749, 3.2).
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|_| Problem::Malformed("it is not text"))?;
        let mut read = Parameters::default();
        let (mut grant, mut user, mut password, mut token) = (None, None, None, None);
        let (mut access, mut scope, mut device) = (None, None, None);
        for (name, value) in pairs(text).map_err(Problem::Malformed)? {
            let place = match name.as_str() {
                "grant_type" => &mut grant,
                "username" => &mut user,
                "password" => &mut password,
                "refresh_token" => &mut token,
                "device_code" => &mut device,
                "access_type" => &mut access,
                "scope" => &mut scope,
                "service" => &mut read.service,
                "client_id" => &mut read.client,
                _ => continue,
            };
            once(place, value).map_err(Problem::Malformed)?;
        }
        read.scopes.extend(scope);
        read.offline = access.as_deref() == Some("offline");
        let wanted = match grant.as_deref() {
            Some("password") => match (user, password) {
                (Some(user), Some(password)) => Wanted::Password { user, password },
                _ => return Err(Problem::Malformed("`username` or `password` is missing")),
            },
            Some("refresh_token") => {
                Wanted::Refresh(token.ok_or(Problem::Malformed("`refresh_token` is missing"))?)
            }
            Some(DEVICE_GRANT) => {
                Wanted::Device(device.ok_or(Problem::Malformed("`device_code` is missing"))?)
            }
            Some("authorization_code") => return Err(Problem::Code),
            _ => return Err(Problem::Grant),
        };
        Ok(Form {
            parameters: read,
            wanted,
        })
    }
}

/// A target for the log: of the query only what this service reads, which holds no secret.
pub(super) fn without_secrets(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    let known = ["service", "scope", "account", "client_id", "offline_token"];
    let kept: Vec<&str> = query
        .split('&')
        .filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            known.contains(&name)
        })
        .collect();
    let path = uri.path();
    let text = if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_may_be_repeated_or_joined_and_are_decoded_as_forms_are() {
        for query in [
            "service=s&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository:c:pull",
            "service=s&scope=repository:a/b:pull,push+repository:c:pull",
            "scope=repository:a/b:push,pull%20repository:c:pull&service=s&scope=",
        ] {
            let ask = Parameters::of_query(Some(query)).unwrap().ask().unwrap();
            assert_eq!(ask.service.as_deref(), Some("s"));
            assert_eq!(
                ask.scopes.to_string(),
                "repository:a/b:pull,push repository:c:pull",
                "{query}"
            );
        }
    }

    #[test]
    fn h23_the_log_gets_nothing_that_may_be_a_secret() {
        let shown = |uri: &str| {
            let uri: Uri = uri.parse().unwrap();
            without_secrets(&uri).map_or_else(|| uri.to_string(), |uri| uri.to_string())
        };
        assert_eq!(
            shown("/token?username=a&service=s&password=p&access_token=t&scope=x"),
            "/token?service=s&scope=x"
        );
        assert_eq!(shown("/token?password=p"), "/token");
        assert_eq!(shown("/token?%70assword=p"), "/token");
        assert_eq!(shown("/token"), "/token");
    }
}
