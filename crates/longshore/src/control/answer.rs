//! From a request to an operation, and from the operation to the lines of the answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::Stream;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use longshore_http::server::Body;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::backup::Backup;
use super::explain::Explain;
use super::fsck::Fsck;
use super::gc::Gc;
use super::line::Line;
use super::operation::{Operation, State, Steps};
use super::people::People;
use super::places::Places;
use super::resting::Resting;
use super::rights::Rights;
use super::settings::Settings;
use super::status::Status;
use super::what_if::WhatIf;
use super::{
    audit, certificates, htpasswd, identities, invitations, keys, mail, robots, tags, tokens,
    trash, trust, users,
};
use crate::transfer::export::Export;
use crate::transfer::import::Import;

/// What stands before an operation's name.
pub const PREFIX: &str = "/control/v1/";
/// How many bytes the arguments of an operation may have.
const ARGS: usize = 4 << 20;
/// How many lines may wait for their reader.
const WAITING: usize = 64;

/// An operation, told its arguments as JSON: tells its steps as lines, and gives the last line.
type Run = fn(Arc<State>, Bytes, mpsc::Sender<String>) -> BoxFuture<'static, String>;

/// All operations.
const OPERATIONS: &[(&str, Run)] = &[
    (Status::NAME, run::<Status>),
    (Explain::NAME, run::<Explain>),
    (WhatIf::NAME, run::<WhatIf>),
    (Fsck::NAME, run::<Fsck>),
    (Backup::NAME, run::<Backup>),
    (Export::NAME, run::<Export>),
    (Import::NAME, run::<Import>),
    (Gc::NAME, run::<Gc>),
    (keys::List::NAME, run::<keys::List>),
    (keys::Rotate::NAME, run::<keys::Rotate>),
    (users::Create::NAME, run::<users::Create>),
    (users::Passwd::NAME, run::<users::Passwd>),
    (users::Switch::NAME, run::<users::Switch>),
    (users::List::NAME, run::<users::List>),
    (users::Show::NAME, run::<users::Show>),
    (users::Change::NAME, run::<users::Change>),
    (invitations::Create::NAME, run::<invitations::Create>),
    (invitations::List::NAME, run::<invitations::List>),
    (invitations::Withdraw::NAME, run::<invitations::Withdraw>),
    (mail::Test::NAME, run::<mail::Test>),
    (mail::Waiting::NAME, run::<mail::Waiting>),
    (htpasswd::Import::NAME, run::<htpasswd::Import>),
    (tokens::Create::NAME, run::<tokens::Create>),
    (tokens::List::NAME, run::<tokens::List>),
    (tokens::Revoke::NAME, run::<tokens::Revoke>),
    (robots::Create::NAME, run::<robots::Create>),
    (robots::Rotate::NAME, run::<robots::Rotate>),
    (robots::List::NAME, run::<robots::List>),
    (robots::Show::NAME, run::<robots::Show>),
    (robots::Edit::NAME, run::<robots::Edit>),
    (robots::TakeOver::NAME, run::<robots::TakeOver>),
    (robots::Delete::NAME, run::<robots::Delete>),
    (certificates::Create::NAME, run::<certificates::Create>),
    (certificates::List::NAME, run::<certificates::List>),
    (certificates::Delete::NAME, run::<certificates::Delete>),
    (trust::Create::NAME, run::<trust::Create>),
    (trust::List::NAME, run::<trust::List>),
    (trust::Delete::NAME, run::<trust::Delete>),
    (identities::List::NAME, run::<identities::List>),
    (identities::Expect::NAME, run::<identities::Expect>),
    (identities::Forget::NAME, run::<identities::Forget>),
    (
        identities::RemoveFactor::NAME,
        run::<identities::RemoveFactor>,
    ),
    (People::NAME, run::<People>),
    (Places::NAME, run::<Places>),
    (Resting::NAME, run::<Resting>),
    (Rights::NAME, run::<Rights>),
    (Settings::NAME, run::<Settings>),
    (audit::Rows::NAME, run::<audit::Rows>),
    (audit::Verify::NAME, run::<audit::Verify>),
    (audit::Accept::NAME, run::<audit::Accept>),
    (tags::History::NAME, run::<tags::History>),
    (tags::Restore::NAME, run::<tags::Restore>),
    (trash::List::NAME, run::<trash::List>),
    (trash::Restore::NAME, run::<trash::Restore>),
    (trash::Empty::NAME, run::<trash::Empty>),
];

fn run<O: Operation>(
    state: Arc<State>,
    args: Bytes,
    lines: mpsc::Sender<String>,
) -> BoxFuture<'static, String> {
    Box::pin(async move {
        let done = match serde_json::from_slice(&args) {
            Ok(args) => O::run(&state, args, Steps::new(lines)).await,
            Err(error) => Err(anyhow::anyhow!(
                "the server does not understand what it is asked ({error}); use a command of its version"
            )),
        };
        let line: Line<(), _> = match done {
            Ok(done) => Line::Done(done),
            Err(error) => Line::Failed(format!("{error:#}")),
        };
        line.text()
    })
}

/// Answers one request. `stop` ends an operation that is under way.
pub async fn answer<B>(
    state: Arc<State>,
    stop: CancellationToken,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    let path = request.uri().path();
    let Some(name) = path.strip_prefix(PREFIX) else {
        return refused(StatusCode::NOT_FOUND, &format!("there is no {path} here"));
    };
    let Some((_, run)) = OPERATIONS.iter().find(|(known, _)| *known == name) else {
        let version = env!("CARGO_PKG_VERSION");
        return refused(
            StatusCode::NOT_FOUND,
            &format!(
                "the server that runs is Longshore {version} and knows no operation {name:?}; use a command of its version, or restart it"
            ),
        );
    };
    if request.method() != Method::POST {
        let what = "operations are asked for with POST";
        return refused(StatusCode::METHOD_NOT_ALLOWED, what);
    }
    let args = match Limited::new(request.into_body(), ARGS).collect().await {
        Ok(args) => args.to_bytes(),
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (sender, lines) = mpsc::channel(WAITING);
    let work = run(state, args, sender);
    let lines = Lines {
        lines,
        work: Some(Box::pin(async move {
            let ended = stop.run_until_cancelled(work).await;
            ended.unwrap_or_else(|| failed("the server is stopping; ask again when it is back"))
        })),
    };
    let mut response = Response::new(Body::stream(Box::pin(lines), None));
    let kind = header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn failed(what: &str) -> String {
    Line::<(), ()>::Failed(what.to_owned()).text()
}

fn refused(status: StatusCode, what: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(failed(what))));
    *response.status_mut() = status;
    response
}

/// The lines of an operation: those that are told while it runs, then the last.
struct Lines {
    lines: mpsc::Receiver<String>,
    work: Option<BoxFuture<'static, String>>,
}

impl Stream for Lines {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The work first: it may tell steps, or end.
        let end = match &mut self.work {
            Some(work) => work.as_mut().poll(cx),
            None => Poll::Pending,
        };
        if let Poll::Ready(last) = end {
            self.work = None;
            // Steps that wait come before the end.
            let mut text = String::new();
            while let Ok(line) = self.lines.try_recv() {
                text.push_str(&line);
            }
            text.push_str(&last);
            return Poll::Ready(Some(Ok(Bytes::from(text))));
        }
        if self.work.is_none() {
            return Poll::Ready(None);
        }
        match self.lines.poll_recv(cx) {
            Poll::Ready(Some(line)) => Poll::Ready(Some(Ok(Bytes::from(line)))),
            // The sender is the work's, which has not ended.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn steps_come_in_order_and_before_the_end_however_they_are_read() {
        let (sender, lines) = mpsc::channel(2);
        let work = Box::pin(async move {
            for step in 0..10 {
                sender.send(format!("{step}\n")).await.unwrap();
                if step % 3 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            "end\n".to_owned()
        });
        let lines = Lines {
            lines,
            work: Some(work),
        };
        let parts: Vec<_> = lines.map(Result::unwrap).collect().await;
        let text = String::from_utf8(parts.concat()).unwrap();
        assert_eq!(text, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nend\n");
    }
}
