//! The `#[jwt_auth]` attribute of `socketioxide-jwt-auth`, which re-exports it: depend on that crate.

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::signature::{Function, Lookup};

mod checks;
mod errors;
mod expand;
mod forwarded_attrs;
mod parse;
mod signature;
mod suggest;
mod types;

/// Makes a connect middleware of a function that finds the user of a verified token.
///
/// ```ignore
/// /// Finds the user that a verified token names.
/// #[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
/// async fn authenticate(claims: Claims, State(db): State<Db>) -> sqlx::Result<Option<User>> {
///     db.user_by_id(&claims.sub).await
/// }
///
/// io.ns("/", on_connect.with(authenticate::middleware()?));
/// ```
///
/// The function stays as it is: it can still be called, and tested, like any other. Beside it stands a type of the
/// same name, with two functions:
///
/// - `authenticate::middleware()` builds the connect middleware. It reads keys and environment variables, and fails
///   with a `ConfigError` if one of them cannot be used.
/// - `authenticate::builder()` is the same before it is built: every option of the attribute is a method of the
///   builder, so that it can be set at run time, or in a test: `authenticate::builder().secret("…").build()`.
///
/// As a type it takes its name from the types and modules of its scope: no module of the same name can stand there.
///
/// # The function
///
/// It is an `async fn` or a `fn`, outside of any `impl` and without generics.
///
/// | part | accepted |
/// |---|---|
/// | first parameter | `C`, the token's claims: `C: DeserializeOwned + Send + Sync + 'static`. With `Option<C>` the function is also called for a guest, with `None` |
/// | further parameters | connect extractors of socketioxide, such as `State<T>`, `SocketRef` or `HttpExtension<T>`; `RawToken`, the encoded token |
/// | return type | `Option<T>`, `Result<T, E>` or `Result<Option<T>, E>`, also through an alias such as `sqlx::Result<Option<T>>`; `T: Send + Sync + 'static`, `E: Into<Box<dyn Error + Send + Sync>>` |
///
/// `None` refuses the connection. So does an `Err`: an `AuthError` is sent to the client as it is, any other error
/// becomes `internal_error`, and its cause goes to `tracing` only. In a `Box<dyn Error + Send + Sync>` an `AuthError` is
/// found again; inside another error type, such as anyhow's, it is not.
///
/// # Options
///
/// Exactly one key source is needed: one of the options from `secret_env` to `keys`. Strings are literals, which are
/// checked at compile time, or constant expressions.
///
/// | option | value | default | meaning |
/// |---|---|---|---|
/// | `secret_env` | `"VAR"` or `["VAR", "OLD_VAR"]` | | HMAC secrets from the environment, read when the middleware is built; each of a list verifies |
/// | `secret` | expression, `AsRef<[u8]>` | | HMAC secret from code |
/// | `secret_encoding` | `"utf8"`, `"base64"`, `"base64url"`, `"hex"` | `"utf8"` | how the secret is written |
/// | `allow_weak_secret` | bool | `false` | accepts a secret that is shorter than the hash (32, 48 or 64 bytes) |
/// | `public_key_env` | `"VAR"` or `["VAR", "OLD_VAR"]` | | public keys from the environment, in PEM |
/// | `public_key_file` | `"path"` or `["path", "old_path"]` | | public keys from files, in PEM |
/// | `public_key` | expression, `AsRef<[u8]>` | | public key from code, in PEM |
/// | `jwks_file` | `"path"` | | JWK Set from a file |
/// | `jwks` | expression | | JWK Set as JSON text |
/// | `jwks_url` | `"url"` | | JWK Set from a URL, cached and refreshed; feature `jwks` |
/// | `jwks_url_env` | `"VAR"` | | the same, the URL from the environment |
/// | `oidc_issuer` | `"url"` | | OpenID Connect discovery: the JWK Set and `issuer`; feature `jwks` |
/// | `oidc_issuer_env` | `"VAR"` | | the same, the URL from the environment |
/// | `keys` | expression, `impl KeySource` | | any key, chosen for each token |
/// | `algorithm` | `"RS256"` | `"HS256"` with a secret | the accepted algorithm; must be given unless a secret is the key source |
/// | `algorithms` | `["RS256", "ES256"]` | | several accepted algorithms |
/// | `issuer` | `"name"` or `["name", "other"]` | | accepted `iss`; once set, the claim is required |
/// | `audience` | `"name"` or `["name", "other"]` | | accepted `aud`; once set, the claim is required |
/// | `required_claims` | `["exp", "sub"]` | `["exp"]` | claims that a token must have |
/// | `leeway` | `"60s"` | `"60s"` | clock skew for `exp` and `nbf`, at most one day |
/// | `max_token_bytes` | integer | `8192` | a longer token is refused unread |
/// | `token` | list of `auth("key")`, `bearer`, `header("name")`, `query("name")`, `cookie("name")` | `[auth("token"), auth("auth_token"), bearer, header("x-auth-token"), query("auth_token")]` | where a token is looked for, in this order; the first that is present decides |
/// | `allowed_origins` | `["https://app.example.com"]` | | required with `cookie`: the handshake's `Origin` must be one of them |
/// | `guest` | bool | `false` | lets a connection without a token in, as a guest |
/// | `guest_timeout` | `"10s"` | off | disconnects a guest that has not logged in by then; needs `guest` and `authenticate_event` |
/// | `authenticate_event` | `"authenticate"` | off | lets the client log in, or renew its token, with this event |
/// | `expiry` | `"disconnect"`, `"ignore"` | `"disconnect"` | what happens to the socket when its token expires |
/// | `expiry_warning` | `"60s"` | off | emits `token_expiring` so long before the token expires |
/// | `user_key` | closure <code>&#124;user: &User&#124; impl Display</code> | | every socket of a user joins one room, so that the user can be reached or disconnected on every node |
/// | `lookup_timeout` | `"10s"` | `"10s"` | a lookup that takes longer refuses the connection |
/// | `crate` | path | `::socketioxide_jwt_auth` | where the crate is, if it is re-exported |
#[proc_macro_attribute]
pub fn jwt_auth(attribute: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let generated = generate(attribute.into(), item.clone());
    // The item stays as it is, whatever is wrong: the rest of the crate must not fall apart.
    quote!(#item #generated).into()
}

/// Everything that stands beside the function: its companion and what is wrong with it.
fn generate(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let mut entries = parse::parse(attribute, &mut errors);
    checks::check(&mut entries, &mut errors);
    if let Some(receiver) = function.signature.receiver() {
        // No type can be defined where a method stands, so there is no companion.
        errors.at(
            receiver,
            "the function must stand alone, outside of any `impl`: take what it needs through extractors, such as `State<Db>`",
        );
        return errors.into_compile_errors();
    }
    let companion = match Lookup::read(&function.signature, &mut errors) {
        Some(lookup) => expand::companion(&function, &lookup, &entries),
        None => expand::fallback(&function, &entries),
    };
    let errors = errors.into_compile_errors();
    quote!(#companion #errors)
}
