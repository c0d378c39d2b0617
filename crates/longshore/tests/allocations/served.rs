//! The server under count: the parts of `longshore serve`, on a runtime of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore::assemble;
use longshore::config::Config;
use longshore::telemetry::access::AccessLog;
use longshore::telemetry::requests::Requests;
use longshore_http::edge::{self, Edge};
use longshore_http::server::{Address, Server};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::issuer::{ISSUER, Issuer, SERVICE};
use longshore_testkit::wire::{Ask, Login, Wire};
use tokio_util::sync::CancellationToken;

/// A server with one image, that goes away with the process.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) authorization: String,
    pub(crate) manifest: Digest,
    pub(crate) small: Digest,
    pub(crate) big: Digest,
    _folder: tempfile::TempDir,
}

impl Served {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::new();
        std::fs::write(folder.path().join("jwks.json"), issuer.jwks()).unwrap();
        let at = folder.path().to_str().unwrap();
        let text = format!(
            "data = '{at}/data'\nlisten = '127.0.0.1:0'\nstorage.unsafe_storage = true\n[auth.token]\n\
             realm = 'https://auth.example/token'\nservice = '{SERVICE}'\nissuer = '{ISSUER}'\njwks_file = '{at}/jwks.json'\n"
        );
        let config = Config::load(Some(("longshore.toml", &text)), [], &[]).unwrap();
        let (told, address) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(config, told));
        });
        let address = address.recv().unwrap();
        #[allow(
            clippy::disallowed_methods,
            reason = "the server under test goes by the wall clock"
        )]
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let token = issuer.token("ci", &[("acme/app", &["pull", "push"])], now, 3600);
        let (manifest, small, big) = tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(push(address, &token));
        Self {
            address,
            authorization: format!("Bearer {token}"),
            manifest,
            small,
            big,
            _folder: folder,
        }
    }
}

async fn serve(config: Config, told: mpsc::Sender<SocketAddr>) {
    longshore_auth::install_crypto_provider();
    let server = Server::bind(assemble::server_options(&config).unwrap())
        .await
        .unwrap();
    let Some(Address::Tcp(address)) = server.addresses().into_iter().next() else {
        panic!("no address");
    };
    let parts = assemble::open(&config).await.unwrap();
    let access = AccessLog::to(config.log.format, std::io::sink()).unwrap();
    let edge = Edge::new(
        assemble::tower(&config, parts.store.clone(), None, &assemble::meter()),
        assemble::authenticator(&config, None).await.unwrap(),
        assemble::edge_options(&config).unwrap(),
        Some(assemble::observer(
            Arc::new(Requests::new(&edge::ROUTES)),
            Some(access),
            None,
            None,
            None,
        )),
    );
    told.send(address).unwrap();
    server.run(edge, CancellationToken::new()).await;
}

/// Pushes an image with a small and a big layer; their digests.
async fn push(address: SocketAddr, token: &str) -> (Digest, Digest, Digest) {
    let mut wire = Wire::new(address, Login::always_bearer(token));
    let small = blob(&mut wire, vec![7; 10 << 10]).await;
    let big = blob(&mut wire, vec![9; 1 << 20]).await;
    let descriptor = |digest: &Digest, size: usize| {
        format!(
            "{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"{digest}\",\"size\":{size}}}"
        )
    };
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST}\",\"config\":{},\"layers\":[{}]}}",
        descriptor(&small, 10 << 10),
        descriptor(&big, 1 << 20)
    );
    let digest = Digest::of(Algorithm::Sha256, manifest.as_bytes());
    let answer = wire
        .ask(
            &Ask::new("PUT", "/v2/acme/app/manifests/1.0")
                .header("content-type", MANIFEST)
                .sized(manifest),
        )
        .await
        .unwrap();
    assert_eq!(
        answer.status,
        201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    (digest, small, big)
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

async fn blob(wire: &mut Wire, bytes: Vec<u8>) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let path = format!("/v2/acme/app/blobs/uploads/?digest={digest}");
    let answer = wire
        .ask(&Ask::new("POST", path).sized(bytes))
        .await
        .unwrap();
    assert_eq!(
        answer.status,
        201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    digest
}
