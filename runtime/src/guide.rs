//! Guides: a page for each task, with code that compiles.
//!
//! | to | read |
//! |---|---|
//! | write the first server, choose features | [Getting started](getting_started) |
//! | choose where tokens are looked for, and what is demanded of them | [Tokens](tokens) |
//! | load keys, rotate them, trust several issuers | [Keys](keys) |
//! | use Keycloak, Auth0, Entra ID, Firebase and others | [Providers](providers) |
//! | let clients renew and log in, admit guests, notice users that change | [Sessions](sessions) |
//! | end a device, a user or a token | [Logout and revocation](logout) |
//! | understand a refusal, refuse with your own codes | [Errors](errors) |
//! | write a client in Python, Swift, Kotlin or Dart | [Clients](clients) |
//! | decide who may do what | [Authorisation](authorisation) |
//! | have the same user in HTTP routes | [HTTP](http) |
//! | test a server | [Testing](testing) |
//! | run several nodes | [Clusters](clusters) |
//! | go live: TLS, proxies, limits, shutdown | [Deploying](deploying) |
//! | hold more sockets with the same memory, plan for a million | [Tuning](tuning) |
//! | read the log, keep an audit log, count | [Logs](logs) |
//! | come from Node.js | [Migrating](migrating) |
//!
//! How attacks are answered, and which tests check it, is on the page [Security](crate::security).

/// Declares a page for each file of `docs`. The code of some pages needs features, without which
/// the page says so. The documentation of a release has all of them.
macro_rules! guides {
    ($($name:ident: $title:literal, $file:literal $(, $feature:literal)*;)*) => {$(
        #[cfg_attr(all($(feature = $feature),*), doc = include_str!($file))]
        #[cfg_attr(
            not(all($(feature = $feature),*)),
            doc = concat!($title, ": this page needs" $(, " `", $feature, "`")*, ".")
        )]
        pub mod $name {}
    )*};
}

// The pages link to items by their names.
#[allow(
    unused_imports,
    clippy::wildcard_imports,
    reason = "for links only, which a build without documentation does not see"
)]
use crate::*;

guides! {
    getting_started: "Getting started", "../docs/getting-started.md";
    tokens: "Tokens", "../docs/tokens.md";
    keys: "Keys", "../docs/keys.md", "jwks";
    providers: "Providers", "../docs/providers.md", "jwks";
    sessions: "Sessions", "../docs/sessions.md";
    logout: "Logout and revocation", "../docs/logout.md", "axum", "jwks", "redis";
    errors: "Errors", "../docs/errors.md";
    clients: "Clients", "../docs/clients.md";
    authorisation: "Authorisation", "../docs/authorisation.md", "axum";
    http: "HTTP", "../docs/http.md", "axum";
    testing: "Testing", "../docs/testing.md", "testing";
    clusters: "Clusters", "../docs/clusters.md", "redis";
    deploying: "Deploying", "../docs/deploying.md", "axum";
    tuning: "Tuning", "../docs/tuning.md", "axum";
    logs: "Logs", "../docs/logs.md";
    migrating: "Migrating from Node.js", "../docs/migrating.md";
}
