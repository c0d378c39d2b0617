//! The gate itself: when it asks, what it learns.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use longshore_core::{Code, Cx, Error, Expect, Op, Registry, Result};
use longshore_layers::{Behind, Gate, Outcome};
use longshore_testkit::content::Maker;
use longshore_testkit::faults;
use longshore_testkit::mem::Mem;
use longshore_testkit::suite::bench::{alice, code, has_blob, put_blob, repo};

/// Writes down what passes it, and refuses what it is told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    refuses: Option<&'static str>,
    left: Arc<Mutex<Vec<(&'static str, Outcome)>>>,
}

impl Gate for Notes {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        if self.refuses == Some(op.name()) {
            return Err(Error::new(Code::Denied, "no"));
        }
        Ok(())
    }

    fn leave(&self, _: &Cx, op: &Op<'_>, (): (), outcome: Outcome) {
        self.left.lock().unwrap().push((op.name(), outcome));
    }
}

impl Notes {
    fn taken(&self) -> Vec<(&'static str, Outcome)> {
        std::mem::take(&mut self.left.lock().unwrap())
    }
}

#[tokio::test]
async fn a_refused_call_has_not_begun_and_its_body_is_not_read() {
    let mem: Arc<dyn Registry> = Arc::new(Mem::new());
    let notes = Notes {
        refuses: Some("put_blob"),
        ..Notes::default()
    };
    let gated = mem.clone().behind(notes.clone());
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let unread = Box::pin(futures_util::stream::poll_fn(|_| {
        panic!("the body was read")
    }));
    assert_eq!(
        code(gated.put_blob(&alice(), &app, &want, unread).await),
        Code::Denied
    );
    assert_eq!(notes.taken(), [], "what was not let in does not leave");
    assert_eq!(
        code(mem.stat_blob(&alice(), &app, &blob.digest).await),
        Code::NameUnknown
    );
}

#[tokio::test]
async fn a_gate_learns_how_each_call_ended() {
    let notes = Notes::default();
    let gated = Arc::new(Mem::new()).behind(notes.clone());
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    put_blob(&*gated, &app, &blob).await;
    assert!(!has_blob(&*gated, &app, &Maker::new(2).blob(10).digest).await);
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let cx = alice();
    {
        let mut call =
            pin!(gated.put_blob(&cx, &app, &want, faults::stalls_after(blob.bytes.clone())));
        assert!(
            call.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    drop(gated.stat_blob(&cx, &app, &blob.digest));
    assert_eq!(
        notes.taken(),
        [
            ("put_blob", Outcome::Done),
            ("stat_blob", Outcome::Failed(Code::BlobUnknown)),
            ("put_blob", Outcome::Dropped),
        ],
        "and nothing of a call that was never polled"
    );
}
