//! What can be wrong with keys from a URL.

use std::str::FromStr;

use reqwest::{StatusCode, Url};

use super::fetch::{SIZE_LIMIT, TIME_LIMIT};
use crate::keys::KeyProblem;

/// Why a URL cannot be used, or why no set can be fetched from it. Its message follows the name of
/// the setting, and never shows the URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteProblem {
    #[error("is not a URL ({0}); write it like https://issuer.example/keys")]
    NotUrl(<Url as FromStr>::Err),
    #[error(
        "must begin with https:// (http:// is for loopback addresses only). On a network of your own, \
         allow_insecure_http = true accepts it; everyone who can change the answer on its way can then forge tokens"
    )]
    PlainHttp,
    #[error("must begin with https:// (or http:// for a loopback address)")]
    OtherScheme,
    #[error("has white space in it; write the issuer exactly as it is in its tokens")]
    IssuerWithSpace,
    #[error("has a query or a fragment, which no issuer has (OpenID Connect Core §2)")]
    IssuerWithQuery,

    #[error("the discovery document has no issuer or jwks_uri")]
    IncompleteDocument,
    #[error("the discovery document is of another issuer ({0:?})")]
    OtherIssuer(String),
    #[error("the discovery document's jwks_uri {0}")]
    JwksUri(Box<Self>),
    #[error("the discovery document's jwks_uri must begin with https://, as the issuer does")]
    InsecureJwksUri,
    #[error("the discovery document's jwks_uri is on this machine, and the issuer is not")]
    LoopbackJwksUri,

    #[error("{0}")]
    Request(String),
    #[error("no whole answer in {:?}", TIME_LIMIT)]
    Timeout,
    #[error("the answer came from another host")]
    OtherHost,
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    #[error("the answer is longer than {} bytes", SIZE_LIMIT)]
    TooLong,
    #[error("the answer is not UTF-8")]
    NotUtf8,
    #[error("{0}")]
    Set(#[from] KeyProblem),
    #[error("the request panicked")]
    Panicked,
}
