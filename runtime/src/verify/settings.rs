//! The settings that `VerifierBuilder` and `JwtAuthBuilder` share: what each is called, takes and
//! means.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{Issuer, VerifierBuilder, claims::ClaimValues};
#[cfg(feature = "jwks")]
use crate::keys::{HttpClient, RemoteSettings};
#[cfg(not(feature = "jwks"))]
use crate::settings::FeatureJwks;
use crate::{
    JwtAuthBuilder, KeySource, OneOrMany, SecretEncoding, Setting, UserLookup,
    error::ConfigError,
    keys::{FixedKeys, KeySettings},
    revocations::{RevocationSetting, RevocationStore},
    settings::{StringList, declare_settings},
};

declare_settings! {
    /// The raw values of a verifier's settings; `None` for those that are not given.
    /// `VerifierRules` checks them and has the defaults.
    #[derive(Debug, Clone, Default)]
    struct VerifierSettings;

    impl [] VerifierBuilder { self.settings }
    impl [] Issuer { self.settings }
    impl [L: UserLookup] JwtAuthBuilder<L> { self.verifier }

    => {
        keys: KeyChoice {
            /// The HMAC secret(s), from environment variables, which are loaded when the middleware
            /// is built. All of a list verify, so that a secret can be rotated: `["JWT_SECRET",
            /// "OLD_JWT_SECRET"]`.
            fn secret_env(variables: impl OneOrMany) { FixedKeys::SecretEnv(variables.into_strings()).into() }

            /// The HMAC secret(s), from files: secrets of Docker and Kubernetes. One line break at
            /// the end (`\n` or `\r\n`) is not part of the secret; everything else is, unless
            /// [`secret_encoding`](Self::secret_encoding) says that the file is encoded. All of a
            /// list verify, so that a secret can be rotated.
            ///
            /// The files are loaded when the middleware is built. A relative path starts at the
            /// working directory of the process.
            ///
            /// ```no_run
            /// use socketioxide_jwt_auth::Verifier;
            ///
            /// let verifier = Verifier::builder()
            ///     .secret_file(["/run/secrets/jwt", "/run/secrets/jwt_old"])
            ///     .build()?;
            /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
            /// ```
            fn secret_file(files: impl OneOrMany) { FixedKeys::SecretFile(files.into_strings()).into() }

            /// The HMAC secret, from code.
            fn secret(secret: impl AsRef<[u8]>) { FixedKeys::Secret(secret.as_ref().to_vec()).into() }

            /// The public key(s) or certificate(s) in PEM, from environment variables. See
            /// [`public_key`](Self::public_key).
            fn public_key_env(variables: impl OneOrMany) { FixedKeys::PublicKeyEnv(variables.into_strings()).into() }

            /// The public key(s) or certificate(s) in PEM, from files. See
            /// [`public_key`](Self::public_key).
            fn public_key_file(files: impl OneOrMany) { FixedKeys::PublicKeyFile(files.into_strings()).into() }

            /// The public key(s) or certificate(s) in PEM, from code: RSA, EC (P-256, P-384, or
            /// P-521 with the feature `aws_lc_rs`) or Ed25519.
            ///
            /// Certificates need the feature `certificates`. Of a chain of them, only the leaf is a
            /// key.
            ///
            /// Line breaks may be written as `\n`, and the whole PEM may be in base64, as it often
            /// is in environment variables.
            fn public_key(pem: impl AsRef<[u8]>) { FixedKeys::PublicKey(pem.as_ref().to_vec()).into() }

            /// A JWK Set, from a file that is loaded when the middleware is built. See
            /// [`KeySet::from_jwks`](crate::KeySet::from_jwks).
            fn jwks_file(file: impl Into<PathBuf>) { FixedKeys::JwksFile(file.into()).into() }

            /// A JWK Set, as a JSON string. See [`KeySet::from_jwks`](crate::KeySet::from_jwks).
            fn jwks(json: impl Into<String>) { FixedKeys::Jwks(json.into()).into() }

            /// The URL of a JWK Set: `https`, except to a loopback address or with
            /// [`allow_insecure_http`](Self::allow_insecure_http). The set is fetched at
            /// the first token, and then refreshed in the background as often as its
            /// `Cache-Control` says: at most every minute, at least every twelve hours, by default
            /// every ten minutes. If no key verifies a token, the set is fetched again, at most
            /// once in ten seconds. While it cannot be fetched, the last valid set serves until it
            /// is a day old. Keys that cannot verify a token are left out, with a line in the log at
            /// WARN.
            ///
            /// So new keys of the issuer are found by their first token. If the issuer changes its
            /// keys a second time within ten seconds, tokens of the newest key are refused with
            /// `token_key_unknown` until the ten seconds are over; its action is `renew`, with
            /// which clients try again.
            ///
            /// [`Verifier::warm_up`](crate::Verifier::warm_up) fetches the set before the first
            /// token.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            fn jwks_url(url: impl Into<String>) { RemoteSettings::JwksUrl(url.into()).into() }

            /// [`jwks_url`](Self::jwks_url), from an environment variable.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            fn jwks_url_env(variable: impl Into<String>) { RemoteSettings::JwksUrlEnv(variable.into()).into() }

            /// An issuer that publishes its JWK Set by [OpenID Connect
            /// Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html). It is also
            /// the accepted `issuer`, unless that is set.
            ///
            /// The document of discovery is fetched together with the set, as often as
            /// [`jwks_url`](Self::jwks_url) says; a second change of keys within ten seconds is
            /// found after them.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            fn oidc_issuer(issuer: impl Into<String>) { RemoteSettings::OidcIssuer(issuer.into()).into() }

            /// [`oidc_issuer`](Self::oidc_issuer), from an environment variable.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            fn oidc_issuer_env(variable: impl Into<String>) { RemoteSettings::OidcIssuerEnv(variable.into()).into() }

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            fn jwks_url(url: impl FeatureJwks) { url.missing() }

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            fn jwks_url_env(variable: impl FeatureJwks) { variable.missing() }

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            fn oidc_issuer(issuer: impl FeatureJwks) { issuer.missing() }

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            fn oidc_issuer_env(variable: impl FeatureJwks) { variable.missing() }

            /// A source that chooses the keys of each token.
            fn keys(source: impl KeySource) { KeySettings::Source(Arc::new(source)).into() }
        }

        secret_encoding: Result<SecretEncoding, ConfigError> {
            /// How the secret is written: `"utf8"` (the default), `"base64"`, `"base64url"` or
            /// `"hex"`.
            fn secret_encoding(encoding: impl Setting<SecretEncoding>) { encoding.into_value("secret_encoding") }
        }

        allow_weak_secret: bool {
            /// Accepts a secret that is shorter than the hash, against [RFC 7518
            /// §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2). An empty one is never
            /// accepted.
            fn allow_weak_secret(allow: bool) { allow }
        }

        reload_keys: Result<Duration, ConfigError> {
            /// Looks at the files of keys and secrets again after this time: those of
            /// [`secret_file`](Self::secret_file), [`public_key_file`](Self::public_key_file) and
            /// [`jwks_file`](Self::jwks_file). At least `1s`; `30s` is usual. Without it they are
            /// loaded once. With [`issuers`](VerifierBuilder::issuers) it applies to each issuer
            /// that has such a file.
            ///
            /// The first token that comes after this time has the files read, off the async
            /// worker, and waits for it, at most 2 seconds. So a key that is no longer in a file
            /// verifies no token once this time is over, and nothing runs while there are no
            /// tokens. Sessions that are open stay open.
            ///
            /// Files count as changed if their content is another, so a volume of Kubernetes, whose
            /// files are symbolic links, works. If the new content would be refused at the start,
            /// or a file is missing, the old keys are kept, and an ERROR says why, once for each
            /// content. Replace a file in one step, by renaming a new one: a part of a secret may
            /// be long enough to count as one.
            ///
            /// ```no_run
            /// use socketioxide_jwt_auth::Verifier;
            ///
            /// let verifier = Verifier::builder()
            ///     .secret_file("/run/secrets/jwt")
            ///     .reload_keys("30s")
            ///     .build()?;
            /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
            /// ```
            fn reload_keys(interval: impl Setting<Duration>) { interval.into_value("reload_keys") }
        }

        allow_insecure_http: bool {
            /// Accepts `http://` for [`jwks_url`](Self::jwks_url) and
            /// [`oidc_issuer`](Self::oidc_issuer) on every host; for the keys that discovery finds,
            /// if the issuer's URL begins with `http://` too. Defaults to `false`: `http://` is
            /// accepted for loopback addresses only.
            ///
            /// **Everyone who can change the answer on its way can put in keys of their own, and
            /// log in as any user.** It is for a network that only your own servers are on, such as
            /// that of docker compose. Over other networks use `https://`, with
            /// `http_client` if the certificate is one of your own.
            ///
            /// It never makes a request less safe than its first URL: `https://` is not redirected
            /// to `http://`, and an issuer with `https://` needs keys with `https://`.
            fn allow_insecure_http(allow: bool) { allow }
        }

        #[cfg(feature = "jwks")]
        http_client: HttpClient {
            /// The HTTP client that fetches JWK Sets: for a proxy, or for your own certificates. It
            /// should not follow redirects to other hosts; an answer from another host is refused.
            ///
            /// ```
            /// use std::time::Duration;
            /// use socketioxide_jwt_auth::{Verifier, reqwest};
            ///
            /// # fn build(certificate: &[u8]) -> Result<Verifier, Box<dyn std::error::Error>> {
            /// let client = reqwest::Client::builder()
            ///     .redirect(reqwest::redirect::Policy::none())
            ///     .timeout(Duration::from_secs(5))
            ///     .tls_certs_merge([reqwest::Certificate::from_pem(certificate)?])
            ///     .build()?;
            /// let verifier = Verifier::builder()
            ///     .oidc_issuer("https://login.internal.example")
            ///     .algorithm("RS256")
            ///     .http_client(client)
            ///     .build()?;
            /// # Ok(verifier)
            /// # }
            /// ```
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            fn http_client(client: reqwest::Client) { HttpClient(client) }
        }

        algorithms: Vec<String> {
            /// The only algorithm that tokens may be signed with. Defaults to `"HS256"` if the key
            /// is a secret, and must be given otherwise.
            fn algorithm(name: impl AsRef<str>) { vec![name.as_ref().to_owned()] }

            /// The algorithms that tokens may be signed with. Each must fit a key's type.
            fn algorithms(names: impl OneOrMany) { names.into_strings() }
        }

        issuers: StringList {}

        revocations: RevocationSetting {}

        revocations_timeout: Result<Duration, ConfigError> {}

        audiences: StringList {
            /// The names of this server: one of them must be among a token's audiences. Once set,
            /// `aud` is required. Without it, a token that has an `aud` is refused ([RFC 7519
            /// §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
            fn audience(audiences: impl OneOrMany) { StringList::Strings(audiences.into_strings()) }

            /// [`audience`](Self::audience), from an environment variable: names that are separated
            /// by commas.
            fn audience_env(variable: impl Into<String>) {
                StringList::Environment { setting: "audience_env", variable: variable.into() }
            }
        }

        required_claims: Vec<String> {
            /// The claims that a token must have. Defaults to `["exp"]`.
            fn required_claims(names: impl OneOrMany) { names.into_strings() }
        }

        claim_values: Vec<ClaimValues> {
            /// A claim that a token must have, with one of these values; or a list that holds one
            /// of them. Otherwise it is refused with `token_claims_invalid`. Calls for different
            /// claims add up; another call for the same claim replaces the first.
            ///
            /// A boolean or an integer in the token counts as what is written there, so `"true"` is
            /// for issuers that write `true` and for those that write `"true"`. The values are
            /// compared as a whole and with regard to case: a `scope` of several words is one
            /// value.
            ///
            /// ```
            /// use socketioxide_jwt_auth::Verifier;
            ///
            /// let verifier = Verifier::builder()
            ///     .secret("a secret of thirty-two bytes or more")
            ///     .claim_values("token_use", "access")
            ///     .claim_values("azp", ["web", "ios"])
            ///     .claim_values("email_verified", "true")
            ///     .build()?;
            /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
            /// ```
            fn claim_values(name: impl Into<String>, values: impl OneOrMany) into all {
                ClaimValues { name: name.into(), accepted: values.into_strings() }.put_into(all)
            }
        }

        token_types: Vec<String> {
            /// The accepted `typ`s of a token's header, such as `"at+jwt"` for access tokens of
            /// [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068). Once set, `typ` is required, and
            /// another one is refused with `token_claims_invalid`. Case, `application/` before the
            /// name and parameters after it do not count.
            ///
            /// Without it, every `typ` is accepted but those of other kinds of JWT: `logout+jwt`,
            /// `dpop+jwt`, `secevent+jwt` and `token-introspection+jwt`.
            fn token_type(types: impl OneOrMany) { types.into_strings() }
        }

        numeric_subject: bool {
            /// Accepts a `sub` that is an integer, as many applications issue it, against [RFC 7519
            /// §4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2). It counts as its
            /// decimal digits: a session of `5` can be renewed with a token of `5` or `"5"`.
            /// Defaults to `false`.
            ///
            /// The integer is from 0 to `u64::MAX` and written with digits only: `5.0`, `5e0` and
            /// `-5` are refused. The claims that the lookup gets are unchanged, so their `sub` must
            /// be of a type that is deserialized from a number.
            fn numeric_subject(accept: bool) { accept }
        }

        leeway: Result<Duration, ConfigError> {
            /// How far the clocks of issuer and server may differ: counts for `exp` and `nbf`.
            /// Defaults to `60s`; at most a day.
            fn leeway(leeway: impl Setting<Duration>) { leeway.into_value("leeway") }
        }

        max_token_bytes: usize {
            /// The maximum length of a token, in bytes. A longer one is refused without looking at
            /// it. Defaults to 8192; at most 1 MiB.
            fn max_token_bytes(bytes: usize) { bytes }
        }

        token_cache: usize {
            /// Remembers up to this many tokens whose signature is good, so that it is not verified
            /// again when a token comes back: when clients connect again after the server or the
            /// network was down, or use several namespaces with one token. From 1 to 1,000,000;
            /// `10_000` is usual, and takes less than a megabyte. Off by default.
            ///
            /// It saves nearly all of the time of ES256 and EdDSA and most of that of RS256, but
            /// nothing for the first use of a token. It is ignored for HS256, HS384 and HS512,
            /// which are as fast as the cache. A middleware or verifier and its clones share a
            /// cache; with [`issuers`](VerifierBuilder::issuers) each issuer has one. A
            /// [`KeySource`] that makes a new [`KeySet`](crate::KeySet) for each token gains
            /// nothing, because only the set that verified a token knows it again.
            ///
            /// No other check is left out: algorithm, key, `exp`, `nbf`, `iss`, `aud`, `typ`,
            /// [`claim_values`](Self::claim_values), the claims, revocations and the lookup count
            /// each time. Once keys are fetched or loaded again, every signature is verified again,
            /// so a key that was removed verifies nothing. Tokens that are refused are not
            /// remembered, and a token is not remembered as such, but as a SHA-256 hash.
            ///
            /// ```
            /// use socketioxide_jwt_auth::Issuer;
            ///
            /// let issuer = Issuer::new("https://auth.example.com")
            ///     .public_key_file("keys/public.pem")
            ///     .algorithm("ES256")
            ///     .token_cache(10_000);
            /// # drop(issuer);
            /// ```
            fn token_cache(max_tokens: usize) { max_tokens }
        }
    }
}

// Declared apart, because an `Issuer` has its name already and must not have these methods.
declare_settings! {
    impl [] VerifierBuilder { self.settings }
    impl [L: UserLookup] JwtAuthBuilder<L> { self.verifier }

    => {
        issuers: StringList {
            /// The accepted issuers. Once set, `iss` is required.
            ///
            /// All of them share the keys. For issuers with keys of their own use
            /// [`issuers`](Self::issuers).
            fn issuer(issuers: impl OneOrMany) { StringList::Strings(issuers.into_strings()) }

            /// [`issuer`](Self::issuer), from an environment variable: issuers that are separated by
            /// commas.
            fn issuer_env(variable: impl Into<String>) {
                StringList::Environment { setting: "issuer_env", variable: variable.into() }
            }
        }

        keys: KeyChoice {
            /// Several issuers, each with its own keys and rules: a closed list.
            ///
            /// The `iss` of a token chooses among them and nothing else does. Only the keys of that
            /// issuer verify the token, and a token of any other issuer is refused with
            /// `token_issuer_invalid`, without a request. Every other setting of the builder
            /// applies to the issuers that do not have their own.
            ///
            /// Like any source of keys it replaces an earlier one.
            fn issuers(issuers: impl IntoIterator<Item = Issuer>) { KeyChoice::ByIssuer(issuers.into_iter().collect()) }
        }

        revocations: RevocationSetting {
            /// The store of revoked tokens, sessions and users: [`Revocations`](crate::Revocations),
            /// `RedisRevocations` (feature `redis`), or a [`RevocationStore`] of your own.
            ///
            /// It is asked once for each token that is otherwise accepted. A revoked one is refused
            /// with `token_revoked`. If the store does not answer, the token is refused with
            /// `revocations_unavailable`.
            ///
            /// A middleware asks it at each connection, login, renewal and re-check, after the
            /// lookup, and not about guests. A renewal that is refused leaves the session as it is.
            /// If the store does not answer at a re-check, the session goes on, and the log says so
            /// at WARN. The key of a session is that of
            /// [`session_key`](crate::JwtAuthBuilder::session_key), or else the `sid` claim; that of
            /// a user is that of [`user_key`](crate::JwtAuthBuilder::user_key), or else the `sub`
            /// claim. A [`Verifier`](crate::Verifier) has only the claims.
            ///
            /// A revocation also ends the open sockets that it concerns, in every namespace with the
            /// store, and with Redis on every node: their clients are told `unauthorized` with
            /// `token_revoked`, and disconnected. A renewed session counts by its new token.
            ///
            /// `leeway` may be at most `5m` then, because revocations are kept for ten minutes after
            /// the last token that they concern has expired.
            fn revocations(store: impl RevocationStore) { RevocationSetting::new(store) }
        }

        revocations_timeout: Result<Duration, ConfigError> {
            /// The time limit for the answer of the store of [`revocations`](Self::revocations).
            /// Defaults to `500ms`.
            fn revocations_timeout(limit: impl Setting<Duration>) { limit.into_value("revocations_timeout") }
        }
    }
}

/// The keys of a verifier, or the issuers that have them.
#[derive(Debug, Clone)]
pub(crate) enum KeyChoice {
    One(KeySettings),
    ByIssuer(Vec<Issuer>),
}

impl From<KeySettings> for KeyChoice {
    fn from(keys: KeySettings) -> Self {
        Self::One(keys)
    }
}

impl From<FixedKeys> for KeyChoice {
    fn from(keys: FixedKeys) -> Self {
        Self::One(keys.into())
    }
}

#[cfg(feature = "jwks")]
impl From<RemoteSettings> for KeyChoice {
    fn from(keys: RemoteSettings) -> Self {
        Self::One(keys.into())
    }
}
