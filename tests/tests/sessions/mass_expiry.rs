//! A thousand sockets whose tokens expire at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use socketioxide::{extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth_tests::{
    Raw, Received, SECRET, Server, authenticate, join, mint, now, unauthorized,
};

/// Several sockets share a connection, so that the test stays below the limit of open files.
const CONNECTIONS: usize = 200;
const NAMESPACES: [&str; 5] = ["/", "/b", "/c", "/d", "/e"];

async fn greet(socket: SocketRef) {
    socket.emit("ready", &()).unwrap();
}

/// Reads until every socket of the connection was told the reason and disconnected, and returns
/// when the last one was.
async fn until_all_are_out(mut raw: Raw) -> f64 {
    let mut told_why = Vec::new();
    let mut disconnected = 0;

    while disconnected < NAMESPACES.len() {
        match raw.next().await {
            (namespace, received) if received == unauthorized("token_expired") => {
                told_why.push(namespace)
            }
            (namespace, Received::Disconnected) => {
                assert!(
                    told_why.contains(&namespace),
                    "{namespace} was not told why"
                );
                disconnected += 1;
            }
            other => panic!("{other:?}"),
        }
    }

    assert_eq!(told_why.len(), disconnected);
    now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sockets_that_expire_at_once_are_all_told_and_disconnected() {
    let server = Server::start().await;
    for namespace in NAMESPACES {
        server.io.ns(
            namespace,
            greet.with(authenticate::builder().leeway("0s").build().unwrap()),
        );
    }
    let mut raws = join_all((0..CONNECTIONS).map(|_| server.raw())).await;
    let expires_at = now() + 4.0;
    let token = mint(&json!({ "sub": "ada", "exp": expires_at }), SECRET);
    join_all(raws.iter_mut().map(async |raw| {
        for namespace in NAMESPACES {
            join(raw, namespace, Some(&token)).await;
        }
    }))
    .await;
    let sockets: usize = NAMESPACES
        .iter()
        .map(|namespace| server.sockets_in(namespace))
        .sum();
    assert_eq!(sockets, CONNECTIONS * NAMESPACES.len());
    let spare = expires_at - now();

    let readers: Vec<_> = raws
        .into_iter()
        .map(|raw| tokio::spawn(until_all_are_out(raw)))
        .collect();
    let ends = join_all(readers).await.into_iter().map(Result::unwrap);
    let (first, last) = ends.fold((f64::MAX, f64::MIN), |(first, last), end| {
        (first.min(end), last.max(end))
    });
    let [first, last] = [first, last].map(|end| Duration::from_secs_f64(end - expires_at));
    println!(
        "{sockets} sockets, connected {spare:.1} s before `exp`: the first connection had no sockets {first:.1?} \
         after `exp` plus leeway, the last one {last:.1?} after"
    );
    assert!(last < Duration::from_secs(5), "{last:?}");
    for namespace in NAMESPACES {
        assert_eq!(server.sockets_in(namespace), 0);
    }
}
