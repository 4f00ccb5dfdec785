//! The feature `metrics`: what a recorder of the `metrics` facade is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, set_default_local_recorder,
};
use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{AuthError, ErrorCode, JwtAuthBuilder, disconnect_user, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Received, SECRET, Server, User, answer, audit, find_user, join, ready, renew, token,
    token_valid_for, unauthorized, within,
};

/// Keeps the values by their name and labels; of a histogram the number of values.
#[derive(Clone, Default)]
struct Values(Arc<Mutex<BTreeMap<String, f64>>>);

impl Values {
    fn add(&self, key: &str, value: f64) {
        *self.0.lock().unwrap().entry(key.to_owned()).or_default() += value;
    }

    fn get(&self, key: &str) -> f64 {
        let key = format!("socketioxide_auth_{key}");
        self.0
            .lock()
            .unwrap()
            .get(&key)
            .copied()
            .unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    async fn expect(&self, key: &str, value: f64) {
        within(key, async {
            while self.get(key) != value {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    fn handle(&self, key: &Key) -> Arc<Handle> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let key = match labels.as_slice() {
            [] => key.name().to_owned(),
            labels => format!("{} {}", key.name(), labels.join(",")),
        };

        Arc::new(Handle {
            values: self.clone(),
            key,
        })
    }
}

struct Handle {
    values: Values,
    key: String,
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.values.add(&self.key, value as f64);
    }

    fn absolute(&self, _: u64) {
        unreachable!()
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.values.add(&self.key, value);
    }

    fn decrement(&self, value: f64) {
        self.values.add(&self.key, -value);
    }

    fn set(&self, _: f64) {
        unreachable!()
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        assert!((0.0..10.0).contains(&value), "{value} seconds");
        self.values.add(&self.key, 1.0);
    }
}

impl Recorder for Values {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.add(&format!("described {}", key.as_str()), 1.0);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe_counter(key, unit, text);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        assert_eq!(unit, Some(Unit::Seconds));
        self.describe_counter(key, unit, text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.handle(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.handle(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.handle(key))
    }
}

#[jwt_auth(
    secret = SECRET,
    leeway = "0s",
    guest = true,
    authenticate_event = "authenticate",
    user_key = |user: &User| user.name,
)]
async fn log_in(claims: Claims) -> Result<User, AuthError> {
    match claims.sub.as_str() {
        "custom" => Err(AuthError::custom("under_age", "Come back later.").into()),
        "other" => Err(AuthError::custom("abroad", "Come back later.").into()),
        subject => find_user(subject).ok_or_else(|| ErrorCode::UserNotFound.into()),
    }
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> Server {
    let server = Server::start().await;
    let middleware = builder.build().unwrap();
    server.io.ns("/", answer.with(middleware.clone()));
    server.io.ns("/room", answer.with(middleware));
    server
}

#[tokio::test]
async fn connections_logins_renewals_and_ends_are_counted() {
    let values = Values::default();
    let _recorder = set_default_local_recorder(&values);
    let server = serve(log_in::builder()).await;
    let mut guest = ready(&server, "/", None).await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    join(&mut ada, "/room", Some(&token("ada"))).await;
    assert_eq!(values.get("accepted_total kind=guest"), 1.0);
    assert_eq!(values.get("accepted_total kind=user"), 2.0);
    assert_eq!(values.get("open_sessions"), 3.0);
    assert_eq!(values.get("authentication_seconds"), 3.0);
    assert_eq!(values.get("lookup_seconds"), 2.0);

    renew(&mut guest, &token("grace")).await;
    renew(&mut guest, &token("grace")).await;
    assert_eq!(values.get("accepted_total kind=user"), 3.0);
    assert_eq!(values.get("renewed_total"), 1.0);
    assert_eq!(values.get("open_sessions"), 3.0);

    disconnect_user(&server.io, "Ada").await.unwrap();
    assert_eq!(values.get("ended_total code=session_ended"), 2.0);
    assert_eq!(values.get("open_sessions"), 1.0);

    let (short, _) = token_valid_for(0.7, "ada");
    let mut short = ready(&server, "/", Some(&short)).await;
    short.expect("/", unauthorized("token_expired")).await;
    assert_eq!(values.get("ended_total code=token_expired"), 1.0);
    assert_eq!(values.get("open_sessions"), 1.0);
}

#[tokio::test]
async fn the_number_of_open_sessions_falls_when_a_client_leaves() {
    let values = Values::default();
    let _recorder = set_default_local_recorder(&values);
    let server = serve(log_in::builder()).await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    let grace = ready(&server, "/", Some(&token("grace"))).await;

    assert_eq!(values.get("open_sessions"), 2.0);
    ada.leave("/").await;
    values.expect("open_sessions", 1.0).await;
    drop(grace);
    values.expect("open_sessions", 0.0).await;
    drop(server);
    values.expect("open_sessions", 0.0).await;
}

#[tokio::test]
async fn refusals_are_counted_by_code_and_own_codes_together() {
    let values = Values::default();
    let _recorder = set_default_local_recorder(&values);
    let server = serve(log_in::builder()).await;

    for subject in ["nobody", "custom", "other"] {
        server.client().token(&token(subject)).refusal().await;
    }

    let mut raw = server.raw().await;
    for _ in 0..21 {
        raw.connect_with_token("/", "blabla").await;
        assert!(matches!(raw.next().await.1, Received::Refused(_)));
    }

    assert_eq!(values.get("refused_total code=user_not_found"), 1.0);
    assert_eq!(values.get("refused_total code=custom"), 2.0);
    assert_eq!(values.get("refused_total code=token_malformed"), 20.0);
    assert_eq!(values.get("refused_total code=too_many_attempts"), 1.0);
    assert_eq!(values.get("open_sessions"), 0.0);
    assert_eq!(values.get("authentication_seconds"), 23.0);
}

#[tokio::test]
async fn no_label_comes_from_a_client_and_each_metric_is_described() {
    let values = Values::default();
    let _recorder = set_default_local_recorder(&values);
    let server = serve(log_in::builder()).await;
    ready(&server, "/", Some(&token("ada"))).await;
    let mut grace = ready(&server, "/", Some(&token("grace"))).await;
    renew(&mut grace, &token("grace")).await;
    server.client().token("blabla").refusal().await;
    disconnect_user(&server.io, "Grace").await.unwrap();

    let (described, recorded): (Vec<_>, Vec<_>) = values
        .names()
        .into_iter()
        .partition(|name| name.starts_with("described "));
    assert_eq!(
        recorded,
        [
            "socketioxide_auth_accepted_total kind=user",
            "socketioxide_auth_authentication_seconds",
            "socketioxide_auth_ended_total code=session_ended",
            "socketioxide_auth_lookup_seconds",
            "socketioxide_auth_open_sessions",
            "socketioxide_auth_refused_total code=token_malformed",
            "socketioxide_auth_renewed_total",
        ]
    );
    for name in recorded {
        let name = name.split(' ').next().unwrap();
        assert!(described.contains(&format!("described {name}")), "{name}");
    }
}

#[tokio::test]
async fn a_hook_and_metrics_are_told_the_same() {
    let values = Values::default();
    let _recorder = set_default_local_recorder(&values);
    let (hook, mut events) = audit();
    let server = serve(log_in::builder().on_event(hook)).await;
    ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(events.line().await, "Accepted / Ada -");
    assert_eq!(values.get("accepted_total kind=user"), 1.0);
}

struct Broken;

impl Recorder for Broken {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("on purpose")
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("on purpose")
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("on purpose")
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        panic!("on purpose")
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("on purpose")
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_recorder_that_panics_changes_nothing() {
    let _recorder = set_default_local_recorder(&Broken);
    let (hook, mut events) = audit();
    let server = serve(log_in::builder().on_event(hook)).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    renew(&mut raw, &token("ada")).await;
    assert_eq!(
        server.client().token("blabla").refusal().await,
        "token_malformed"
    );
    disconnect_user(&server.io, "Ada").await.unwrap();
    raw.expect("/", unauthorized("session_ended")).await;
    for kind in ["Accepted", "Renewed", "Refused", "Ended"] {
        assert!(events.line().await.starts_with(kind));
    }

    ready(&server, "/", None)
        .await
        .emit_with_ack("/", 1, &json!(["ping"]))
        .await;
}
