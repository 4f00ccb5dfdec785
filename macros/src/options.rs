//! Every option of the attribute, in one table: its name, the form of its value, an example and its
//! documentation.
//!
//! A row is all that an option needs in this crate. The generated code calls the builder's method
//! of the same name, and the reference in the attribute's documentation is made of the rows.

use crate::{checks::strings, suggest};

/// What an option's value may be. Any expression may stand where a literal may; only literals are
/// checked here.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A string.
    String(strings::Check),
    /// A string or a list of strings.
    StringOrList(strings::Check),
    /// A list of strings, which is not empty.
    List(strings::Check),
    /// A list of strings, which may be empty.
    ListOrNone(strings::Check),
    /// Anything that is `AsRef<[u8]>`.
    Bytes,
    /// An expression that only the runtime crate can check.
    Expression,
    /// A closure that returns the key of a user.
    UserKey,
    /// A closure that returns the key of a login, or an `Option` of one.
    SessionKey,
    /// A closure that is called with each event.
    EventHook,
    /// `true` or `false`.
    Bool,
    /// A whole number from 1 to this one.
    Integer(usize),
    /// Where a token is looked for: `[auth("token"), bearer]`.
    TokenSources,
    /// Claims and their accepted values, in parentheses: `(token_use = "access")`.
    ClaimValues,
    /// The option's name alone, which stands for `true`. For the attribute only.
    Flag,
    /// A path to the runtime crate.
    Path,
}

/// The kind of keys that a key source yields, which decides the algorithms that fit it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum KeyKind {
    Secret,
    Public,
    Mixed,
    /// Each issuer has its own keys and algorithms.
    PerIssuer,
}

/// One row of the table.
pub(crate) struct OptionRule {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// A correct value, shown in error messages. That of `ClaimValues` is without parentheses.
    pub(crate) example: &'static str,
    /// Set on the options of which exactly one must be given.
    pub(crate) key: Option<KeyKind>,
    /// Other names that people try, and that are too different to be found by comparing letters.
    aliases: &'static [&'static str],
}

impl OptionRule {
    /// Returns the option with its correct value.
    pub(crate) fn example(&self) -> String {
        let Self { name, example, .. } = self;
        match self.form {
            Form::ClaimValues => format!("{name}({example})"),
            Form::Flag => name.to_string(),
            _ => format!("{name} = {example}"),
        }
    }
}

macro_rules! options {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal: $form:ident $(($argument:expr))?, $example:literal
            $(, default = $default:literal)?
            $(, key = $key:ident)?
            $(, aliases = [$($alias:literal),+])?;
    )+) => {
        pub(crate) const OPTIONS: &[OptionRule] = &[$(
            OptionRule {
                name: $name,
                form: Form::$form $(($argument))?,
                example: $example,
                key: options!(@key $($key)?),
                aliases: &[$($($alias),+)?],
            },
        )+];

        /// The table's rows in Markdown: option, value, default and meaning.
        macro_rules! option_reference {
            () => {
                concat!($(
                    "| `", $name, "` | ", options!(@value $form $example), " | ",
                    $("`", $default, "`",)? " |", $($doc,)+ " |\n",
                )+)
            };
        }
    };
    (@key) => { None };
    (@key $key:ident) => { Some(KeyKind::$key) };
    (@value StringOrList $example:literal) => { concat!("`", $example, "` or a list") };
    // A `|` would end the column.
    (@value UserKey $example:literal) => {
        "closure, such as <code>&#124;user: &User&#124; user.id</code>"
    };
    (@value SessionKey $example:literal) => {
        "closure, such as <code>&#124;claims: &Claims&#124; claims.sid.clone()</code>"
    };
    (@value EventHook $example:literal) => {
        "closure, such as <code>&#124;event: &AuthEvent&#124; audit(event)</code>"
    };
    (@value Bytes $example:literal) => { concat!("`AsRef<[u8]>`, such as `", $example, "`") };
    (@value Expression $example:literal) => { concat!("expression, such as `", $example, "`") };
    (@value Flag $example:literal) => { "none" };
    (@value ClaimValues $example:literal) => { concat!("`(", $example, ")`") };
    (@value $form:ident $example:literal) => { concat!("`", $example, "`") };
}

// As in `runtime/src/token/payload.rs`.
const MAX_TOKEN_BYTES: usize = 1024 * 1024;

// As in `runtime/src/verify/token_cache.rs`.
const MAX_CACHED_TOKENS: usize = 1_000_000;

options! {
    /// HMAC secrets from environment variables, which are loaded when the middleware is built. With
    /// a list, a token may be signed with any of the secrets.
    "secret_env": StringOrList(strings::environment_name), r#""JWT_SECRET""#,
        key = Secret, aliases = ["key", "env", "jwt_secret"];
    /// HMAC secrets from files, which are loaded when the middleware is built. One line break at the
    /// end is not part of the secret.
    "secret_file": StringOrList(strings::not_empty), r#""/run/secrets/jwt""#,
        key = Secret, aliases = ["secret_path", "jwt_secret_file"];
    /// HMAC secret from code.
    "secret": Bytes, "load_secret()", key = Secret;
    /// Encoding of the secret: `"utf8"`, `"base64"`, `"base64url"` or `"hex"`.
    "secret_encoding": String(strings::secret_encoding), r#""base64""#,
        default = r#""utf8""#, aliases = ["encoding", "base64"];
    /// Accepts a secret that is shorter than the hash (32, 48 or 64 bytes).
    "allow_weak_secret": Bool, "true", default = "false", aliases = ["weak_secret"];
    /// Public keys from the environment, in PEM; certificates need the feature `certificates`.
    "public_key_env": StringOrList(strings::environment_name), r#""JWT_PUBLIC_KEY""#, key = Public;
    /// Public keys from files, in PEM; certificates need the feature `certificates`.
    "public_key_file": StringOrList(strings::not_empty), r#""keys/public.pem""#,
        key = Public, aliases = ["pem"];
    /// Public key from code, in PEM; a certificate needs the feature `certificates`.
    "public_key": Bytes, r#"include_str!("public.pem")"#, key = Public;
    /// JWK Set from a file.
    "jwks_file": String(strings::not_empty), r#""keys/jwks.json""#, key = Mixed;
    /// JWK Set as a JSON string.
    "jwks": Expression, r#"include_str!("jwks.json")"#, key = Mixed;
    /// JWK Set from a URL, cached and refreshed. Needs the feature `jwks`.
    "jwks_url": String(strings::not_empty), r#""https://auth.example.com/.well-known/jwks.json""#,
        key = Public, aliases = ["jwks_uri"];
    /// Like `jwks_url`, with the URL from the environment.
    "jwks_url_env": String(strings::environment_name), r#""JWKS_URL""#, key = Public;
    /// OpenID Connect discovery: the JWK Set and `issuer`. Needs the feature `jwks`.
    "oidc_issuer": String(strings::not_empty), r#""https://auth.example.com""#,
        key = Public, aliases = ["oidc"];
    /// Like `oidc_issuer`, with the URL from the environment.
    "oidc_issuer_env": String(strings::environment_name), r#""OIDC_ISSUER""#, key = Public;
    /// Accepts `http://` for the four options above on every host, not only on a loopback address.
    /// Everyone who can change the answer on its way can then forge tokens.
    "allow_insecure_http": Bool, "true", default = "false", aliases = ["insecure", "allow_http"];
    /// Looks at the files of `secret_file`, `public_key_file` or `jwks_file` again after this time,
    /// at least `"1s"`. A bad new file keeps the old keys.
    "reload_keys": String(strings::reload_interval), r#""30s""#,
        aliases = ["reload", "reload_interval"];
    /// Any keys, chosen for each token: a `KeySource`.
    "keys": Expression, "TenantKeys::new()", key = Mixed, aliases = ["key_source"];
    /// Several issuers, each with its own keys and rules: a closed list of `Issuer`. The token's
    /// `iss` chooses among them. Other options apply to the issuers that do not have their own.
    "issuers": Expression, r#"[Issuer::new("https://auth.example.com").oidc().algorithm("RS256")]"#,
        key = PerIssuer;
    /// The keys are given to the builder, because they are known at run time only. Without them
    /// building the middleware fails.
    "keys_at_runtime": Flag, "true", aliases = ["runtime_keys", "no_keys"];
    /// The accepted algorithm. Required unless the key source is a secret, where it defaults to
    /// `"HS256"`.
    "algorithm": String(strings::not_empty), r#""RS256""#, aliases = ["alg"];
    /// Several accepted algorithms.
    "algorithms": List(strings::not_empty), r#"["RS256", "ES256"]"#, aliases = ["algs"];
    /// Accepted `iss`. Once set, the claim is required.
    "issuer": StringOrList(strings::not_empty), r#""https://auth.example.com""#, aliases = ["iss"];
    /// Like `issuer`, from an environment variable, separated by commas.
    "issuer_env": String(strings::environment_name), r#""JWT_ISSUER""#;
    /// Accepted `aud`. Once set, the claim is required.
    "audience": StringOrList(strings::not_empty), r#""my-app""#, aliases = ["aud"];
    /// Like `audience`, from an environment variable, separated by commas.
    "audience_env": String(strings::environment_name), r#""JWT_AUDIENCE""#;
    /// Claims that a token must have. With `[]` a token without `exp` is accepted, and its session
    /// never expires.
    "required_claims": ListOrNone(strings::not_empty), r#"["exp", "sub"]"#,
        default = r#"["exp"]"#, aliases = ["claims", "required"];
    /// Claims that a token must have, each with one of the values, or as a list that holds one. A
    /// boolean or an integer counts as it is written: `email_verified = true` also accepts the
    /// string. A name that is not an identifier is written as a string.
    "claim_values": ClaimValues, r#"token_use = "access", azp = ["web", "ios"]"#,
        aliases = ["claim", "claim_value"];
    /// Accepted `typ` of the token's header, in any case and with or without `application/`. Once
    /// set, it is required.
    "token_type": StringOrList(strings::token_type), r#""at+jwt""#, aliases = ["typ", "type"];
    /// Accepts a `sub` that is an integer, and compares it by its digits.
    "numeric_subject": Bool, "true", default = "false", aliases = ["numeric_sub", "integer_subject"];
    /// Clock skew for `exp` and `nbf`, at most one day.
    "leeway": String(strings::leeway), r#""60s""#,
        default = r#""60s""#, aliases = ["clock_skew", "skew"];
    /// The store of revoked tokens, sessions and users: a `RevocationStore`. A store that is also
    /// needed elsewhere is given to the builder.
    "revocations": Expression, "Revocations::in_memory()",
        aliases = ["revocation", "revocation_store", "denylist", "blacklist", "blocklist"];
    /// If the store of revocations does not answer within this time, the token is refused.
    "revocations_timeout": String(strings::time_limit), r#""500ms""#, default = r#""500ms""#;
    /// A longer token is refused before it is parsed. At most 1 MiB.
    "max_token_bytes": Integer(MAX_TOKEN_BYTES), "8192",
        default = "8192", aliases = ["max_size", "max_length"];
    /// Remembers up to this many tokens, so that the signature of a token that comes back is not
    /// verified again. All else is checked each time. Not for HMAC, which is as fast.
    "token_cache": Integer(MAX_CACHED_TOKENS), "10_000",
        aliases = ["cache", "signature_cache", "cache_size"];
    /// Where a token is looked for: a list of `auth("key")`, `bearer`, `authorization("scheme")`,
    /// `header("name")`, `query("name")` and `cookie("name")`. The first source that is present
    /// decides.
    "token": TokenSources, r#"[auth("token"), bearer]"#,
        default = r#"[auth("token"), auth("auth_token"), bearer, header("x-auth-token"), query("auth_token")]"#,
        aliases = ["sources", "token_sources"];
    /// A handshake whose `Origin` is not one of these is refused. One without `Origin` is refused
    /// only if its token comes from a cookie, unless it says `Sec-Fetch-Site: same-origin`.
    /// Required with `cookie`.
    "allowed_origins": StringOrList(strings::origin), r#""https://app.example.com""#,
        aliases = ["origins", "origin"];
    /// Like `allowed_origins`, from an environment variable, separated by commas.
    "allowed_origins_env": String(strings::environment_name), r#""ALLOWED_ORIGINS""#;
    /// Admits a connection without a token as a guest. The log says at DEBUG of every connection
    /// whether it came in as a guest or as a user.
    "guest": Bool, "true", default = "false", aliases = ["allow_guests", "anonymous"];
    /// Disconnects a guest that has not logged in within this time. Needs `guest` and
    /// `authenticate_event`.
    "guest_timeout": String(strings::time_limit), r#""10s""#;
    /// The client logs in or renews its token with this event.
    "authenticate_event": String(strings::event_name), r#""authenticate""#,
        aliases = ["event", "auth_event"];
    /// Emitted once the socket is connected, with `{"logged_in", "expires_at", "expires_in"}`.
    "announce_event": String(strings::announced_event_name), r#""authenticated""#,
        aliases = ["connected_event", "welcome_event"];
    /// What happens to the socket when its token expires: `"disconnect"` or `"ignore"`.
    "expiry": String(strings::expiry), r#""disconnect""#,
        default = r#""disconnect""#, aliases = ["on_expiry"];
    /// Emits `token_expiring` this long before the token expires.
    "expiry_warning": String(strings::time_limit), r#""60s""#, aliases = ["warning"];
    /// Every socket of a user joins one room, so that the user can be reached or disconnected on
    /// every node.
    "user_key": UserKey, "|user: &User| user.id", aliases = ["user_id"];
    /// Every socket of a login joins one room, so that it can be disconnected on every node: one
    /// device, or one session at the identity provider. The closure may return an `Option`.
    "session_key": SessionKey, "|claims: &Claims| claims.sid.clone()",
        aliases = ["session_id", "sid"];
    /// Ends a login after this time, however often its token is renewed.
    "max_session": String(strings::time_limit), r#""12h""#,
        aliases = ["session_timeout", "max_age", "session_limit"];
    /// Calls the lookup again at this interval on open sockets: a user that it refuses is
    /// disconnected, and one that has changed replaces the old one.
    "recheck": String(strings::time_limit), r#""5m""#,
        aliases = ["refresh", "recheck_interval", "revalidate"];
    /// Called for each client that is accepted or refused, and each session that is renewed or
    /// ended: for audit logs. It must not block.
    "on_event": EventHook, "|event: &AuthEvent| audit(event)",
        aliases = ["audit", "hook", "on_auth", "listener"];
    /// A lookup that takes longer refuses the connection.
    "lookup_timeout": String(strings::time_limit), r#""10s""#,
        default = r#""10s""#, aliases = ["timeout"];
    /// Path to the crate, if it is re-exported.
    "crate": Path, "::socketioxide_jwt_auth", default = "::socketioxide_jwt_auth";
}

/// Returns the option of exactly this name.
pub(crate) fn find(name: &str) -> Option<&'static OptionRule> {
    OPTIONS.iter().find(|rule| rule.name == name)
}

/// Returns the option that an unknown name probably stands for.
pub(crate) fn find_similar(name: &str) -> Option<&'static OptionRule> {
    let by_alias = OPTIONS.iter().find(|rule| rule.aliases.contains(&name));
    by_alias.or_else(|| {
        find(suggest::nearest(
            name,
            OPTIONS.iter().map(|rule| rule.name),
        )?)
    })
}

#[cfg(test)]
mod tests {
    use super::{OPTIONS, find_similar};
    use crate::{checks, errors::Errors, parse::parse};

    #[test]
    fn every_example_is_accepted() {
        for rule in OPTIONS {
            let option = rule.example();
            let mut errors = Errors::default();
            let mut entries = parse(option.parse().unwrap(), &mut errors);
            checks::values::check(&mut entries[0], &mut errors);
            assert_eq!(errors.messages(), [""; 0], "{option}");
        }
    }

    #[test]
    fn every_option_has_one_row_of_four_columns_in_the_reference() {
        let rows: Vec<_> = option_reference!().lines().collect();
        assert_eq!(rows.len(), OPTIONS.len());

        for (row, rule) in rows.iter().zip(OPTIONS) {
            assert!(row.starts_with(&format!("| `{}` | ", rule.name)), "{row}");
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
    }

    /// The cases compile only if the builder has a method of the option's name.
    #[test]
    fn every_option_is_in_the_ui_tests() {
        let cases = include_str!("../../tests/ui/tests/pass/options.rs");
        for rule in OPTIONS.iter().filter(|rule| rule.name != "crate") {
            let start = rule.example().replace(rule.example, "");
            let start = start.trim_end_matches(')');
            assert!(cases.contains(start), "{start}");
        }
    }

    #[test]
    fn an_alias_is_not_an_option_and_stands_for_one_only() {
        for rule in OPTIONS {
            for alias in rule.aliases {
                assert!(super::find(alias).is_none(), "{alias}");
                assert_eq!(find_similar(alias).unwrap().name, rule.name, "{alias}");
            }
        }
    }
}
