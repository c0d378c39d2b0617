//! An edge over a registry in memory, and ways to ask it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use longshore_auth::{AnonymousAccess, Authenticator, HtpasswdOptions};
use longshore_core::Registry;
use longshore_http::edge::{Edge, EdgeOptions, Observer};
use longshore_http::server::Peer;
use longshore_layers::{Behind, RightsGate};
use longshore_testkit::bad_input::{Target, Who};
use longshore_testkit::issuer::Issuer;
use longshore_testkit::mem::Mem;
use longshore_testkit::wire::{Answer, Ask, Body};

use super::tokens::trusted;

/// The one moment at which these tests happen, in seconds since 1970.
pub(crate) const NOW_SECS: u64 = 1_900_000_000;

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS)
}

pub(crate) fn options() -> EdgeOptions {
    EdgeOptions {
        now,
        ..EdgeOptions::default()
    }
}

/// A registry that compares rights, as every tower does.
pub(crate) fn registry() -> Arc<dyn Registry> {
    Arc::new(Mem::new()).behind(RightsGate)
}

/// An edge and those who ask it.
pub(crate) struct House {
    pub(crate) edge: Edge,
    credentials: HashMap<Who, Option<String>>,
}

impl House {
    /// Everybody may do everything.
    pub(crate) fn open() -> Self {
        Self::open_with(registry(), options(), None)
    }

    pub(crate) fn open_with(
        registry: Arc<dyn Registry>,
        options: EdgeOptions,
        observer: Option<Observer>,
    ) -> Self {
        Self {
            edge: Edge::new(registry, Authenticator::open(), options, observer),
            credentials: HashMap::from([(Who::Owner, None)]),
        }
    }

    /// Passwords of a file.
    pub(crate) async fn passwords(anonymous: AnonymousAccess, options: EdgeOptions) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for user in ["owner", "colleague"] {
            writeln!(file, "{user}:{}", bcrypt::hash("secret", 4).unwrap()).unwrap();
        }
        let asks = HtpasswdOptions {
            file: file.path().to_owned(),
            realm: "Longshore".to_owned(),
            anonymous,
            limits: longshore_auth::Limits::default(),
        };
        let authenticator = Authenticator::htpasswd(asks, now()).await.unwrap();
        let basic = |user: &str| {
            let plain = format!("{user}:secret");
            Some(format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(plain)
            ))
        };
        Self {
            edge: Edge::new(registry(), authenticator, options, None),
            credentials: HashMap::from([
                (Who::Owner, basic("owner")),
                (Who::Colleague, basic("colleague")),
                (Who::Stranger, None),
            ]),
        }
    }

    /// Tokens of an issuer.
    pub(crate) async fn tokens(anonymous: AnonymousAccess, options: EdgeOptions) -> Self {
        let issuer = Issuer::new();
        let authenticator = trusted(&issuer, anonymous, now()).await;
        let all: &[&str] = &["pull", "push", "delete"];
        let access = [
            ("acme/app", all),
            ("acme/other", all),
            ("acme/never", all),
            ("conformance/one", all),
            ("conformance/two", all),
            // Names that the table pulls from to see that they are names.
            ("manifests", all),
            ("tags/list", all),
            ("a/blobs/uploads", all),
            ("a/manifests/b", all),
            ("*", &["*"]),
        ];
        let token = |who: &str, access: &[(&str, &[&str])]| {
            Some(format!(
                "Bearer {}",
                issuer.token(who, access, NOW_SECS, 300)
            ))
        };
        let elsewhere: &[(&str, &[&str])] = &[("elsewhere", &["pull"]), ("dropbox", &["push"])];
        Self {
            edge: Edge::new(registry(), authenticator, options, None),
            credentials: HashMap::from([
                (Who::Owner, token("owner", &access)),
                (Who::Colleague, token("colleague", &access)),
                (Who::Stranger, None),
                (Who::Outsider, token("outsider", elsewhere)),
            ]),
        }
    }

    /// Everybody who asks here, with what they put into `Authorization`.
    pub(crate) fn callers(&self) -> impl Iterator<Item = (Who, Option<&str>)> {
        self.credentials
            .iter()
            .map(|(who, credentials)| (*who, credentials.as_deref()))
    }

    /// What a caller puts into `Authorization`.
    pub(crate) fn credentials(&self, who: Who) -> Option<String> {
        self.credentials.get(&who).cloned().flatten()
    }

    /// Asks as the owner.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        self.ask_as(Who::Owner, ask).await
    }

    pub(crate) async fn ask_as(&self, who: Who, ask: Ask) -> Answer {
        let credentials = self
            .credentials
            .get(&who)
            .expect("this house knows nobody of that kind");
        let request = request(&ask, credentials.as_deref());
        answer(self.edge.call(Peer::default(), request).await).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask(Ask::new("GET", target)).await
    }

    /// Stores a blob and gives its digest.
    pub(crate) async fn blob(&self, repo: &str, bytes: &'static [u8]) -> String {
        let digest = digest(bytes);
        let ask =
            Ask::new("POST", format!("/v2/{repo}/blobs/uploads/?digest={digest}")).sized(bytes);
        let answer = self.ask(ask).await;
        assert_eq!(answer.status, 201, "{answer}");
        digest
    }

    /// Stores a manifest and gives its digest.
    pub(crate) async fn manifest(
        &self,
        repo: &str,
        at: &str,
        media_type: &str,
        json: &str,
    ) -> String {
        let ask = Ask::new("PUT", format!("/v2/{repo}/manifests/{at}"))
            .header("content-type", media_type)
            .sized(json.to_owned());
        let answer = self.ask(ask).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.header("docker-content-digest").unwrap().to_owned()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    longshore_spec::Digest::of(longshore_spec::Algorithm::Sha256, bytes).to_string()
}

/// The request as it would come off a connection.
pub(crate) fn request(ask: &Ask, credentials: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(&ask.target)
        .header("host", "registry.example");
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(credentials) = credentials {
        request = request.header("authorization", credentials);
    }
    let (request, body) = match &ask.body {
        Body::Absent => (request, Bytes::new()),
        Body::Sized(bytes) => (request.header("content-length", bytes.len()), bytes.clone()),
        Body::Chunked(bytes) => (
            request.header("transfer-encoding", "chunked"),
            bytes.clone(),
        ),
    };
    request.body(Full::new(body)).unwrap()
}

pub(crate) async fn answer(response: Response<longshore_http::server::Body>) -> Answer {
    let (head, body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: body.collect().await.unwrap().to_bytes(),
    }
}

impl Target for House {
    fn knows(&self, who: Who) -> bool {
        self.credentials.contains_key(&who)
    }

    async fn send(&mut self, who: Who, ask: &Ask) -> io::Result<Answer> {
        Ok::<_, Infallible>(self.ask_as(who, ask.clone()).await).map_err(|never| match never {})
    }
}
