//! The JSON API beside the registry: what joins two crates of one level.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_api::{Api, Asking, account};
use longshore_core::{Actor, Finder};
use longshore_http::edge::{Asked, Neighbour, Told};
use longshore_hub::Hub;

/// The API, as the edge asks it.
#[derive(Debug)]
struct Beside(Api);

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
        let answered = self.0.call(asking).await;
        Told {
            response: answered.response,
            actor: answered.actor,
            error: answered.error,
        }
    }
}

/// The API of an index, which looks for repositories with `finder`.
pub fn api(hub: Hub, finder: Arc<dyn Finder>) -> Arc<dyn Neighbour> {
    Arc::new(Beside(Api::new(hub, finder)))
}
