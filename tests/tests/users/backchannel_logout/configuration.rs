//! A route for tokens of any issuer, or for any audience, cannot be built.

use axum::Router;
use socketioxide::SocketIo;
use socketioxide_jwt_auth::{
    ConfigErrorKind, Issuer, JwtAuthBuilder, OneOrMany, axum::BackchannelLogout,
    backchannel_logout, jwt_auth,
};
use socketioxide_jwt_auth_tests::{Claims, SECRET, User, find_user};

#[jwt_auth(secret = SECRET)]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn error_of(builder: JwtAuthBuilder<log_in>) -> Option<String> {
    let (_layer, io) = SocketIo::new_layer();
    let route = backchannel_logout::<(), _, _>(&builder.build().unwrap(), io);
    route.err().map(|error| {
        assert_eq!(error.kind(), ConfigErrorKind::Missing);
        error.to_string()
    })
}

/// Returns why a route with an audience of its own cannot be built.
fn error_with(
    builder: JwtAuthBuilder<log_in>,
    audience: impl OneOrMany,
) -> Option<(ConfigErrorKind, String)> {
    let (_layer, io) = SocketIo::new_layer();
    let route = BackchannelLogout::new(&builder.build().unwrap(), io).audience(audience);
    let error = route.route::<()>().err()?;
    Some((error.kind(), error.to_string()))
}

#[test]
fn an_audience_of_the_route_is_enough_and_an_empty_one_is_an_error() {
    let builder = || log_in::builder().issuer("a");
    assert_eq!(error_with(builder(), "web"), None);
    assert_eq!(error_with(builder().audience("api"), ["web", "app"]), None);
    let issuers = [Issuer::new("https://a.example").secret(SECRET)];
    assert_eq!(error_with(log_in::builder().issuers(issuers), "web"), None);

    let (kind, no_issuer) = error_with(log_in::builder(), "web").unwrap();
    assert_eq!(kind, ConfigErrorKind::Missing);
    assert!(
        no_issuer.contains("`issuer`") && !no_issuer.contains("`audience`"),
        "{no_issuer}"
    );
    for empty in [vec![], vec![""], vec!["web", ""]] {
        let (kind, error) = error_with(builder().audience("api"), empty).unwrap();
        assert_eq!(kind, ConfigErrorKind::Invalid);
        assert!(error.contains("audience is empty"), "{error}");
    }
}

#[test]
fn an_issuer_and_an_audience_are_needed() {
    let neither = error_of(log_in::builder()).unwrap();
    assert!(
        neither.contains("`issuer`") && neither.contains("`audience`"),
        "{neither}"
    );

    let no_issuer = error_of(log_in::builder().audience("web")).unwrap();
    assert!(
        no_issuer.contains("`issuer`") && !no_issuer.contains("`audience`"),
        "{no_issuer}"
    );

    let no_audience = error_of(log_in::builder().issuer("a")).unwrap();
    assert!(
        no_audience.contains("`audience`") && !no_audience.contains("`issuer`"),
        "{no_audience}"
    );
    assert_eq!(
        error_of(log_in::builder().issuer("a").audience("web")),
        None
    );
}

#[test]
fn each_of_several_issuers_needs_an_audience() {
    let issuers = |audience: Option<&str>| {
        let second = Issuer::new("https://b.example/{tid}").secret(SECRET);
        [
            Issuer::new("https://a.example")
                .secret(SECRET)
                .audience("web"),
            match audience {
                Some(audience) => second.audience(audience),
                None => second,
            },
        ]
    };
    let error = error_of(log_in::builder().issuers(issuers(None))).unwrap();
    assert!(
        error.contains("the issuer \"https://b.example/{tid}\""),
        "{error}"
    );
    assert!(!error.contains("a.example"), "{error}");
    assert_eq!(
        error_of(log_in::builder().issuers(issuers(Some("web")))),
        None
    );
    assert_eq!(
        error_of(log_in::builder().issuers(issuers(None)).audience("web")),
        None
    );
}

/// Compiles for any state, and as a service.
#[test]
fn the_route_fits_into_every_router() {
    let middleware = log_in::builder()
        .issuer("a")
        .audience("web")
        .build()
        .unwrap();
    let (_layer, io) = SocketIo::new_layer();
    let with_state: Router<String> =
        Router::new().route("/a", backchannel_logout(&middleware, io.clone()).unwrap());
    let _: Router = with_state.with_state(String::new()).route_service(
        "/b",
        backchannel_logout::<(), _, _>(&middleware, io).unwrap(),
    );
}
