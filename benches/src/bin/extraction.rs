//! Extracting the user in an event handler against what socketioxide itself offers: time (A B A B,
//! medians) and allocations.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin extraction`

use std::{
    convert::Infallible,
    hint::black_box,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    extract::{AckSender, Extension, SocketRef},
    handler::{ConnectHandler, FromMessageParts, Value},
    socket::Socket,
};
use socketioxide_jwt_auth::{AuthClaims, AuthUser, MaybeAuthUser};
use socketioxide_jwt_auth_benches::{
    Claims, Client, Result, User, allocations, authenticate, in_an_hour, median, token,
};
use tokio::net::TcpListener;

const ROUNDS: usize = 101;
const EXTRACTIONS_PER_ROUND: u32 = 10_000;

/// An extractor like any other, that extracts others and says what they cost.
struct Measured(Vec<Cost>);

struct Cost {
    name: &'static str,
    /// Of a round.
    time: Duration,
    /// Of one extraction.
    allocations: usize,
}

impl<A: Adapter> FromMessageParts<A> for Measured {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<A>>,
        value: &mut Value,
        ack_id: &Option<i64>,
    ) -> std::result::Result<Self, Infallible> {
        let mut parts = Parts {
            socket,
            value,
            ack_id,
        };

        let extractors: [(&str, fn(&mut Parts<'_, A>) -> bool); 5] = [
            ("Extension<Arc<User>>", extracts::<A, Extension<Arc<User>>>),
            ("SocketRef", extracts::<A, SocketRef<A>>),
            ("AuthUser<User>", extracts::<A, AuthUser<User>>),
            ("MaybeAuthUser<User>", extracts::<A, MaybeAuthUser<User>>),
            ("AuthClaims<Claims>", extracts::<A, AuthClaims<Claims>>),
        ];

        let mut times: [Vec<Duration>; 5] = Default::default();
        for _ in 0..ROUNDS {
            for ((_, extract), times) in extractors.iter().zip(&mut times) {
                times.push(time(|| extract(&mut parts)));
            }
        }

        let costs = extractors
            .into_iter()
            .zip(times)
            .map(|((name, extract), times)| {
                let (allocations, _) = allocations(|| extract(&mut parts));
                Cost {
                    name,
                    time: median(times),
                    allocations,
                }
            });
        Ok(Self(costs.collect()))
    }
}

/// What an extractor is given.
struct Parts<'a, A: Adapter> {
    socket: &'a Arc<Socket<A>>,
    value: &'a mut Value,
    ack_id: &'a Option<i64>,
}

fn extracts<A: Adapter, E: FromMessageParts<A>>(parts: &mut Parts<'_, A>) -> bool {
    black_box(E::from_message_parts(
        parts.socket,
        parts.value,
        parts.ack_id,
    ))
    .is_ok()
}

fn time(mut extract: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..EXTRACTIONS_PER_ROUND {
        assert!(extract(), "every extraction succeeds");
    }
    start.elapsed()
}

async fn on_connect(socket: SocketRef) {
    socket.extensions.insert(Arc::new(User {
        name: "user-1".to_owned(),
    }));
    socket.on("measure", print);
}

async fn print(ack: AckSender, Measured(costs): Measured) {
    println!("{:22} {:>10} {:>6}  allocations", "", "time", "ratio");

    for Cost {
        name,
        time,
        allocations,
    } in &costs
    {
        let ratio = time.div_duration_f64(costs[0].time);
        println!(
            "{name:22} {:>10?} {ratio:>6.2}  {allocations}",
            *time / EXTRACTIONS_PER_ROUND
        );
    }

    ack.send(&()).ok();
}

/// On one thread: while an extractor runs, nothing else allocates.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", on_connect.with(authenticate::middleware()?));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, Router::new().layer(layer)).await });

    let mut client = Client::connect(address, &token("user-1", in_an_hour())?).await?;
    client.ask("measure").await?;
    Ok(())
}
