//! The JSON API beside the registry: what joins two crates of one level.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_api::{Api, Asking, account};
use longshore_core::{Actor, Finder};
use longshore_http::edge::{Asked, Neighbour, Told};
use longshore_hub::Hub;
use tokio_util::task::TaskTracker;

/// The API, as the edge asks it. What was begun is brought to its end, also when nobody waits for the answer any more: after a change
/// is there to stay, others are told of it, and its answer is kept for whoever asks again.
#[derive(Debug)]
struct Beside(Api, TaskTracker);

#[async_trait]
impl Neighbour for Beside {
    fn is_for(&self, path: &str) -> bool {
        Api::is_for(path) || account::is_for(path)
    }

    async fn answer(&self, asked: Asked) -> Told {
        if account::is_for(&asked.path) {
            return Told {
                response: account::answer(&asked.head.method, &asked.path),
                actor: Actor::Anonymous,
                error: None,
            };
        }
        let asking = Asking {
            head: asked.head,
            body: asked.body,
            path: asked.path,
            base: asked.base,
            address: asked.address,
            request: asked.request,
            now: asked.now,
            certificate: asked.certificate,
        };
        let api = self.0.clone();
        let call = self.1.spawn(async move { api.call(asking).await }).await;
        let answered = match call {
            Ok(answered) => answered,
            Err(error) => match error.try_into_panic() {
                // So does the request, as if it had been its own.
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and with it whoever waits.
                Err(_) => std::future::pending().await,
            },
        };
        Told {
            response: answered.response,
            actor: answered.actor,
            error: answered.error,
        }
    }
}

/// The API of an index, which looks for repositories with `finder`; its work is among `tasks`, which are waited for.
pub fn api(hub: Hub, finder: Arc<dyn Finder>, tasks: TaskTracker) -> Arc<dyn Neighbour> {
    Arc::new(Beside(Api::new(hub, finder), tasks))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::FutureExt as _;
    use http::Request;
    use longshore_core::body;
    use longshore_hub::Caller;
    use longshore_spec::name::{RepoName, Tag};

    use super::*;
    use crate::assemble;
    use crate::config::Config;

    /// Everything that a node with an index is made of, in a folder.
    async fn node(folder: &tempfile::TempDir, more: &str) -> (assemble::Parts, Hub) {
        let text = format!(
            "data = \"{}\"\npublic_url = \"http://index.example\"\n[index]\nenabled = true\n[storage]\nunsafe_storage = true\n{more}",
            folder.path().join("data").display()
        );
        let config = Config::load(Some(("longshore.toml", &text)), [], &[]).unwrap();
        longshore_auth::install_crypto_provider();
        let parts = assemble::open(&config).await.unwrap();
        let collection = assemble::collection(&config, &parts);
        let hub = assemble::index(&config, &parts, &collection).await.unwrap();
        (parts, hub.unwrap())
    }

    #[tokio::test]
    async fn what_was_begun_is_done_although_nobody_waits_for_the_answer_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (parts, hub) = node(&folder, "").await;
        let token = hub.setup_token(assemble::now()).await.unwrap().unwrap();
        let body_of = format!(
            r#"{{"token":"{}","name":"ada","password":"correct horse battery"}}"#,
            token.as_str()
        );
        let tasks = TaskTracker::new();
        let finder = Arc::new(longshore_layers::Names::of(Arc::new(parts.store.clone())));
        let neighbour = api(hub.clone(), finder, tasks.clone());
        let request = Request::post("/api/v1/setup").header("content-type", "application/json");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let asked = Asked {
            path: head.uri.path().to_owned(),
            head,
            body: body::once(body_of.into()),
            base: String::new(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            request: 1,
            now: assemble::now(),
            certificate: None,
        };
        let early = neighbour.answer(asked).now_or_never();
        assert!(early.is_none(), "it was dropped before it was answered");
        tasks.close();
        tasks.wait().await;
        assert!(hub.has_administrator().await.unwrap());
    }

    #[tokio::test]
    async fn a_registry_that_is_read_only_undoes_and_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (_parts, hub) = node(&folder, "read_only = true\n").await;
        let by = Caller::operator(1, assemble::now());
        let name: RepoName = "library/app".parse().unwrap();
        let tag: Tag = "1".parse().unwrap();
        hub.repository_create(&by, &name).await.unwrap();
        let restored = hub.tag_restore(&by, &name, &tag, None).await;
        let refused = |error: longshore_core::Error| error.public().contains("read-only");
        assert!(refused(restored.unwrap_err()));
        assert!(refused(hub.trash_empty(&by).await.unwrap_err()));
        let ask = longshore_core::past::Ask::default();
        assert!(refused(hub.collect(&by, ask.clone()).await.unwrap_err()));
        let dry = longshore_core::past::Ask {
            dry_run: true,
            ..ask
        };
        hub.collect(&by, dry).await.unwrap();
    }
}
