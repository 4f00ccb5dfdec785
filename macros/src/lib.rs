//! The `#[jwt_auth]` attribute. Depend on [`socketioxide-jwt-auth`](https://docs.rs/socketioxide-jwt-auth),
//! which re-exports it.

// First, for its macro.
#[macro_use]
mod options;

mod checks;
mod errors;
mod expand;
mod forwarded_attrs;
mod parse;
mod signature;
mod suggest;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    errors::Errors,
    signature::{Function, Lookup},
};

/// Makes a connect middleware from a function that finds the user of a verified token.
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
/// The function stays as it is, and can be called and tested like any other. The attribute adds a
/// type of the same name with two functions:
///
/// - `authenticate::middleware()` builds the connect middleware. It loads keys and environment
///   variables, and fails with a `ConfigError` if one of them cannot be used.
/// - `authenticate::builder()` returns the builder of the middleware, with the options of the
///   attribute. Every option is a method of the builder, for values that are known at run time only
///   and for tests: `authenticate::builder().secret("…").build()`.
///
/// No other type or module in the same scope can have this name.
///
/// # The function
///
/// The function is an `async fn` or a `fn`, outside of any `impl` and without generics.
///
/// | part | accepted |
/// |---|---|
/// | first parameter | `C`, the token's claims: `C: DeserializeOwned + Send + Sync + 'static`. With `Option<C>` the function is also called for a guest, with `None` |
/// | further parameters | connect extractors of socketioxide, such as `State<T>`, `SocketRef` or `HttpExtension<T>`; `RawToken`, the encoded token |
/// | return type | `Option<T>`, `Result<T, E>` or `Result<Option<T>, E>`, also through an alias of the `Result`, such as `sqlx::Result<Option<T>>`, or `LookupResult<T>`; `T: Send + Sync + 'static`, `E: Into<Box<dyn Error + Send + Sync>>` |
///
/// `None` refuses the connection. An `Err` does, too: an `AuthError` is sent to the client as it
/// is, also if it is inside of another error: a `Box<dyn Error + Send + Sync>`, an `anyhow::Error`,
/// or an error whose `source()` it is. Any other error becomes `internal_error`, and its cause goes
/// to `tracing` only.
///
/// The attribute sees names, not types. `Option` around the claims and around the user must be
/// written out: a user `T` that is an `Option`, a `Result` or a `bool` does not compile, and
/// neither do claims that are an `Option`, whatever alias they are written with.
///
/// # Options
///
/// Exactly one key source is required, one of the options from `secret_env` to `issuers`, or
/// `keys_at_runtime`. Strings are literals, which are checked at compile time, or other expressions,
/// which are checked when the middleware is built.
///
/// | option | value, such as | default | meaning |
/// |---|---|---|---|
#[doc = option_reference!()]
#[proc_macro_attribute]
pub fn jwt_auth(
    attribute: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let generated = generate(attribute.into(), item.clone());
    // The item stays as it is even if something is wrong with it, because other code may use it.
    quote!(#item #generated).into()
}

/// Names a module of the runtime after the version of this crate. Not public API.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn named_after_version(
    _: proc_macro::TokenStream,
    module: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let mut module = syn::parse_macro_input!(module as syn::ItemMod);
    module.ident = expand::version_name();
    quote!(#module).into()
}

/// Returns the function's companion and what is wrong with the function or the attribute.
fn generate(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => return error.to_compile_error(),
    };

    let mut errors = Errors::default();
    let mut entries = parse::parse(attribute, &mut errors);
    checks::check(&mut entries, &mut errors);

    if let Some(receiver) = function.signature.receiver() {
        // The companion is left out, because a type cannot be defined in an `impl`.
        errors.at(
            receiver,
            "the function must be outside of any `impl`; take what it needs through extractors, such \
             as `State<Db>`",
        );
        return errors.into_compile_errors();
    }

    let companion = match Lookup::parse(&function.signature, &mut errors) {
        Some(lookup) => expand::companion(&function, &lookup, &entries),
        None => expand::fallback(&function, &entries),
    };
    let errors = errors.into_compile_errors();
    quote!(#companion #errors)
}
