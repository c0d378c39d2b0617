//! The whole crate: the edge behind the server, asked over a socket by a client that hides nothing.

use std::net::SocketAddr;

use longshore_auth::AnonymousAccess;
use longshore_core::Children;
use longshore_http::edge::{Edge, EdgeOptions};
use longshore_http::server::{Address, Options, Server};
use longshore_testkit::bad_input::{self, Callers, Who};
use longshore_testkit::conformance;
use longshore_testkit::wire::{Login, Wire};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::house::{House, options, registry};

/// A server that runs until the guard is dropped.
async fn serve(edge: Edge) -> (SocketAddr, DropGuard) {
    serve_with(edge, Options::default()).await
}

/// The same, told something.
pub(crate) async fn serve_with(edge: Edge, options: Options) -> (SocketAddr, DropGuard) {
    let options = Options {
        listen: vec![Address::Tcp(([127, 0, 0, 1], 0).into())],
        ..options
    };
    let server = Server::bind(options).await.unwrap();
    let Some(Address::Tcp(address)) = server.addresses().into_iter().next() else {
        panic!("the server listens nowhere")
    };
    let stop = CancellationToken::new();
    tokio::spawn(server.run(edge, stop.clone()));
    (address, stop.drop_guard())
}

/// A house that takes what the conformance program pushes: sparse images and indexes too.
fn sparse() -> EdgeOptions {
    EdgeOptions {
        children: Children::MayBeAbsent,
        ..options()
    }
}

async fn every_point_holds(house: House, login: Login) {
    let (address, _running) = serve(house.edge).await;
    let target = conformance::Target::new(address).asked_by(login);
    let report = conformance::run(&target).await;
    report.expect_all();
    assert!(report.passed.len() > 1000, "{report}");
}

#[tokio::test]
async fn every_point_of_the_specification_holds_for_anybody() {
    let house = House::open_with(registry(), sparse(), None);
    every_point_holds(house, Login::Nobody).await;
}

#[tokio::test]
async fn every_point_of_the_specification_holds_for_a_caller_with_a_password() {
    let house = House::passwords(AnonymousAccess::Nothing, sparse()).await;
    every_point_holds(house, Login::with_password("owner", "secret")).await;
}

#[tokio::test]
async fn every_point_of_the_specification_holds_for_a_caller_with_a_token() {
    let house = House::tokens(AnonymousAccess::Nothing, sparse()).await;
    let token = house.credentials(Who::Owner).unwrap();
    every_point_holds(house, Login::Always(token)).await;
}

async fn every_row_holds(house: House) {
    let (address, _running) = serve(house.edge.clone()).await;
    let callers = house.callers().map(|(who, credentials)| {
        let login = credentials.map_or(Login::Nobody, |credentials| {
            Login::Always(credentials.to_owned())
        });
        (who, Wire::new(address, login))
    });
    let report = bad_input::run(&mut Callers(callers.collect()))
        .await
        .unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.ran.len() > 80, "{report}");
}

#[tokio::test]
async fn bad_input_is_answered_over_a_socket_as_the_table_says() {
    every_row_holds(House::open()).await;
}

#[tokio::test]
async fn bad_input_of_strangers_and_outsiders_is_answered_over_a_socket_as_the_table_says() {
    every_row_holds(House::tokens(AnonymousAccess::Nothing, options()).await).await;
}
