//! The methods that `VerifierBuilder` and `JwtAuthBuilder` share.

/// The settings that a verifier and a middleware have in common: declared and documented once.
macro_rules! verifier_settings {
    (|$builder:ident| $settings:expr) => {
        $crate::verify::verifier_settings! { @methods $builder $settings;
            /// The HMAC secret(s), from environment variables that are read when the middleware is built. All of a list
            /// verify, so that a secret can be rotated: `["JWT_SECRET", "OLD_JWT_SECRET"]`.
            secret_env(variables: impl $crate::OneOrMany) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::SecretEnv(variables.into_texts()).into());

            /// The HMAC secret, from code.
            secret(secret: impl AsRef<[u8]>) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::Secret(secret.as_ref().to_vec()).into());

            /// How the secret is written: `"utf8"` (the default), `"base64"`, `"base64url"` or `"hex"`.
            secret_encoding(encoding: impl $crate::Setting<$crate::SecretEncoding>) =>
                |settings| settings.set_secret_encoding(encoding);

            /// Takes a secret that is shorter than the hash, against
            /// [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2). An empty one is never taken.
            allow_weak_secret(allow: bool) =>
                |settings| settings.secrets.allow_weak = allow;

            /// The public key(s) or certificate(s) in PEM, from environment variables.
            public_key_env(variables: impl $crate::OneOrMany) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::PublicKeyEnv(variables.into_texts()).into());

            /// The public key(s) or certificate(s) in PEM, from files.
            public_key_file(files: impl $crate::OneOrMany) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::PublicKeyFile(files.into_texts()).into());

            /// The public key(s) or certificate(s) in PEM, from code: RSA, EC (P-256, P-384) or Ed25519.
            public_key(pem: impl AsRef<[u8]>) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::PublicKey(pem.as_ref().to_vec()).into());

            /// A JWK Set, from a file that is read when the middleware is built.
            jwks_file(file: impl Into<::std::path::PathBuf>) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::JwksFile(file.into()).into());

            /// A JWK Set, as JSON text.
            jwks(json: impl Into<String>) =>
                |settings| settings.keys = Some($crate::keys::FixedKeys::Jwks(json.into()).into());

            /// The URL of a JWK Set: `https`, except to a loopback address. It is fetched at the first token, and then
            /// refreshed in the background, as often as its `Cache-Control` says: every minute at most, every twelve hours
            /// at least, every ten minutes if nothing is said. A token that no key verifies makes it be fetched anew,
            /// once in ten seconds at most. While it cannot be fetched, the last good set serves until it is a day old.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            jwks_url(url: impl Into<String>) =>
                |settings| settings.keys = Some($crate::keys::RemoteConfig::JwksUrl(url.into()).into());

            /// [`jwks_url`](Self::jwks_url), from an environment variable.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            jwks_url_env(variable: impl Into<String>) =>
                |settings| settings.keys = Some($crate::keys::RemoteConfig::JwksUrlEnv(variable.into()).into());

            /// An issuer that publishes its JWK Set by
            /// [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html). It is also the
            /// accepted `issuer`, unless that is set.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            oidc_issuer(issuer: impl Into<String>) =>
                |settings| settings.keys = Some($crate::keys::RemoteConfig::OidcIssuer(issuer.into()).into());

            /// [`oidc_issuer`](Self::oidc_issuer), from an environment variable.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            oidc_issuer_env(variable: impl Into<String>) =>
                |settings| settings.keys = Some($crate::keys::RemoteConfig::OidcIssuerEnv(variable.into()).into());

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            jwks_url(url: impl $crate::settings::FeatureJwks) =>
                |settings| settings.mistake = Some(url.missing());

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            jwks_url_env(variable: impl $crate::settings::FeatureJwks) =>
                |settings| settings.mistake = Some(variable.missing());

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            oidc_issuer(issuer: impl $crate::settings::FeatureJwks) =>
                |settings| settings.mistake = Some(issuer.missing());

            /// Needs the feature `jwks`.
            #[cfg(not(feature = "jwks"))]
            oidc_issuer_env(variable: impl $crate::settings::FeatureJwks) =>
                |settings| settings.mistake = Some(variable.missing());

            /// The HTTP client that fetches JWK Sets: for a proxy, or certificates of one's own. Let it follow no
            /// redirects to other hosts; an answer from one is not taken.
            #[cfg(feature = "jwks")]
            #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
            http_client(client: ::reqwest::Client) =>
                |settings| settings.http_client = Some($crate::keys::HttpClient(client));

            /// Any keys, chosen for each token.
            keys(source: impl $crate::KeySource) =>
                |settings| settings.keys = Some($crate::keys::KeyConfig::Source(::std::sync::Arc::new(source)));

            /// The one algorithm that tokens may be signed with; `"HS256"` if the key is a secret and nothing is said.
            algorithm(name: impl AsRef<str>) =>
                |settings| settings.algorithms = Some(vec![name.as_ref().to_owned()]);

            /// The algorithms that tokens may be signed with. Each must fit a key's type.
            algorithms(names: impl $crate::OneOrMany) =>
                |settings| settings.algorithms = Some(names.into_texts());

            /// The accepted issuers. Once set, `iss` is required.
            issuer(issuers: impl $crate::OneOrMany) =>
                |settings| settings.issuers = Some(issuers.into_texts());

            /// Who this server is: one of these must be among a token's audiences. Once set, `aud` is required; as long
            /// as it is not, a token that has an `aud` is refused
            /// ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
            audience(audiences: impl $crate::OneOrMany) =>
                |settings| settings.audiences = Some(audiences.into_texts());

            /// The claims that a token must have; `["exp"]` if nothing is said.
            required_claims(names: impl $crate::OneOrMany) =>
                |settings| settings.required_claims = names.into_texts();

            /// How far the clocks of issuer and server may be apart: counts for `exp` and `nbf`. `60s` if nothing is
            /// said, a day at most.
            leeway(leeway: impl $crate::Setting<::std::time::Duration>) =>
                |settings| settings.set_leeway(leeway);

            /// The longest token that is looked at, in bytes; 8192 if nothing is said, 1 MiB at most.
            max_token_bytes(bytes: usize) =>
                |settings| settings.max_token_bytes = bytes;
        }
    };
    (@methods $builder:ident $all:expr; $(
        $(#[$attribute:meta])*
        $name:ident($argument:ident: $type:ty) => |$settings:ident| $effect:expr;
    )*) => {
        $(
            $(#[$attribute])*
            pub fn $name(mut self, $argument: $type) -> Self {
                let $builder = &mut self;
                let $settings = &mut $all;
                $effect;
                self
            }
        )*
    };
}
pub(crate) use verifier_settings;
