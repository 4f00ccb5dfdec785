//! The attribute's grammar: `name = value` entries, each name with its span.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token};

use crate::checks::strings as text;
use crate::errors::Errors;
use crate::suggest;

/// What an option's value may be. Wherever a literal may stand, so may any other expression; only
/// literals are checked here.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A string.
    Text(text::Check),
    /// A string or a list of strings.
    TextOrList(text::Check),
    /// A list of strings.
    List(text::Check),
    /// Anything that is `AsRef<[u8]>`.
    Bytes,
    /// An expression that only the runtime crate can judge.
    Expression,
    /// A closure from a user to what names it.
    UserKey,
    /// `true` or `false`.
    Boolean,
    /// A whole number greater than zero.
    Count,
    /// Where a token is looked for: `[auth("token"), bearer]`.
    TokenSources,
    /// A path to the runtime crate.
    Path,
}

/// What kind of key a key source yields, which decides the algorithms that fit it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum KeyKind {
    Secret,
    Public,
    Mixed,
}

/// One row of the table of options.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// A correct value, shown in error messages.
    pub(crate) example: &'static str,
    /// Set on the options of which exactly one must be given.
    pub(crate) key: Option<KeyKind>,
    /// Other names that people try, and that are too far away to be found by their letters.
    aliases: &'static [&'static str],
}

impl Rule {
    const fn new(name: &'static str, form: Form, example: &'static str) -> Self {
        Rule { name, form, example, key: None, aliases: &[] }
    }

    const fn key(self, kind: KeyKind) -> Self {
        Rule { key: Some(kind), ..self }
    }

    const fn alias(self, aliases: &'static [&'static str]) -> Self {
        Rule { aliases, ..self }
    }
}

/// Every option. A row is all that an option needs here: it is emitted as a call of the builder's
/// method of the same name.
#[rustfmt::skip]
pub(crate) const OPTIONS: &[Rule] = &[
    Rule::new("secret_env", Form::TextOrList(text::environment_name), r#""JWT_SECRET""#).key(KeyKind::Secret).alias(&["key", "env", "jwt_secret"]),
    Rule::new("secret", Form::Bytes, "load_secret()").key(KeyKind::Secret),
    Rule::new("secret_encoding", Form::Text(text::secret_encoding), r#""base64""#).alias(&["encoding", "base64"]),
    Rule::new("allow_weak_secret", Form::Boolean, "true").alias(&["weak_secret"]),
    Rule::new("public_key_env", Form::TextOrList(text::environment_name), r#""JWT_PUBLIC_KEY""#).key(KeyKind::Public),
    Rule::new("public_key_file", Form::TextOrList(text::not_empty), r#""keys/public.pem""#).key(KeyKind::Public).alias(&["pem"]),
    Rule::new("public_key", Form::Bytes, r#"include_str!("public.pem")"#).key(KeyKind::Public),
    Rule::new("jwks_file", Form::Text(text::not_empty), r#""keys/jwks.json""#).key(KeyKind::Mixed),
    Rule::new("jwks", Form::Expression, r#"include_str!("jwks.json")"#).key(KeyKind::Mixed),
    Rule::new("jwks_url", Form::Text(text::not_empty), r#""https://auth.example.com/.well-known/jwks.json""#).key(KeyKind::Public).alias(&["jwks_uri"]),
    Rule::new("jwks_url_env", Form::Text(text::environment_name), r#""JWKS_URL""#).key(KeyKind::Public),
    Rule::new("oidc_issuer", Form::Text(text::not_empty), r#""https://auth.example.com""#).key(KeyKind::Public).alias(&["oidc"]),
    Rule::new("oidc_issuer_env", Form::Text(text::environment_name), r#""OIDC_ISSUER""#).key(KeyKind::Public),
    Rule::new("keys", Form::Expression, "TenantKeys::new()").key(KeyKind::Mixed).alias(&["key_source"]),
    Rule::new("algorithm", Form::Text(text::algorithm), r#""RS256""#).alias(&["alg"]),
    Rule::new("algorithms", Form::List(text::algorithm), r#"["RS256", "ES256"]"#).alias(&["algs"]),
    Rule::new("issuer", Form::TextOrList(text::not_empty), r#""https://auth.example.com""#).alias(&["iss"]),
    Rule::new("audience", Form::TextOrList(text::not_empty), r#""my-app""#).alias(&["aud"]),
    Rule::new("required_claims", Form::List(text::not_empty), r#"["exp", "sub"]"#).alias(&["claims", "required"]),
    Rule::new("leeway", Form::Text(text::leeway), r#""60s""#).alias(&["clock_skew", "skew"]),
    Rule::new("max_token_bytes", Form::Count, "8192").alias(&["max_size", "max_length"]),
    Rule::new("token", Form::TokenSources, r#"[auth("token"), bearer]"#).alias(&["sources", "token_sources"]),
    Rule::new("allowed_origins", Form::List(text::origin), r#"["https://app.example.com"]"#).alias(&["origins", "origin"]),
    Rule::new("guest", Form::Boolean, "true").alias(&["allow_guests", "anonymous"]),
    Rule::new("guest_timeout", Form::Text(text::time_limit), r#""10s""#),
    Rule::new("authenticate_event", Form::Text(text::event_name), r#""authenticate""#).alias(&["event", "auth_event"]),
    Rule::new("expiry", Form::Text(text::expiry), r#""disconnect""#).alias(&["on_expiry"]),
    Rule::new("expiry_warning", Form::Text(text::time_limit), r#""60s""#).alias(&["warning"]),
    Rule::new("user_key", Form::UserKey, "|user: &User| user.id").alias(&["user_id"]),
    Rule::new("lookup_timeout", Form::Text(text::time_limit), r#""10s""#).alias(&["timeout"]),
    Rule::new("crate", Form::Path, "::socketioxide_jwt_auth"),
];

/// One option as it was written.
pub(crate) struct Entry {
    pub(crate) rule: &'static Rule,
    pub(crate) key: Ident,
    /// `None` if a mistake in this entry has been reported. The entry still counts as given, so that
    /// one mistake does not cause a second message.
    pub(crate) value: Option<Expr>,
    /// Whether the rule is only what an unknown name probably stands for.
    pub(crate) is_guess: bool,
}

/// Reads all entries, going on after a mistake.
pub(crate) fn parse(attribute: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    let parser = |input: ParseStream| {
        while !input.is_empty() {
            let before = errors.count();
            entries.extend(entry(input, errors));
            if !at_end_of_entry(input) && errors.count() == before {
                errors.push(input.error("expected a comma between two options"));
            }
            skip_to_next_entry(input)?;
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(attribute) {
        errors.push(error);
    }
    entries
}

fn entry(input: ParseStream, errors: &mut Errors) -> Option<Entry> {
    let Ok(key) = input.call(Ident::parse_any) else {
        errors.push(input.error("expected the name of an option, as in `secret_env = \"JWT_SECRET\"`"));
        return None;
    };
    let name = key.unraw().to_string();
    let known = OPTIONS.iter().find(|rule| rule.name == name);
    let value = value(input, &key, known);
    let Some(rule) = known else {
        errors.at(&key, unknown_option(&name));
        return meant(&name).map(|rule| Entry { rule, key, value: None, is_guess: true });
    };
    let value = value.map_err(|error| errors.push(error)).ok();
    Some(Entry { rule, key, value, is_guess: false })
}

fn value(input: ParseStream, key: &Ident, rule: Option<&Rule>) -> syn::Result<Expr> {
    if input.parse::<Option<Token![=]>>()?.is_some() && !at_end_of_entry(input) {
        return input.parse();
    }
    let correct = rule.map_or_else(String::new, |rule| format!(": write `{} = {}`", rule.name, rule.example));
    Err(syn::Error::new(key.span(), format!("`{key}` needs a value{correct}")))
}

fn at_end_of_entry(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Passes the comma, or what could not be read. The next entry may start without a comma.
fn skip_to_next_entry(input: ParseStream) -> syn::Result<()> {
    let starts_another = |input: ParseStream| input.peek(Ident::peek_any) && input.peek2(Token![=]);
    while !at_end_of_entry(input) && !starts_another(input) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}

fn unknown_option(name: &str) -> String {
    if let Some(rule) = meant(name) {
        return format!("unknown option `{name}`; did you mean `{}`?", rule.name);
    }
    let names = suggest::listed(OPTIONS.iter().map(|rule| rule.name));
    format!("unknown option `{name}`; the options are {names}")
}

/// The option that an unknown name probably stands for.
fn meant(name: &str) -> Option<&'static Rule> {
    let by_alias = OPTIONS.iter().find(|rule| rule.aliases.contains(&name));
    by_alias.or_else(|| {
        let nearest = suggest::nearest(name, OPTIONS.iter().map(|rule| rule.name))?;
        OPTIONS.iter().find(|rule| rule.name == nearest)
    })
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{OPTIONS, parse};
    use crate::errors::Errors;

    fn messages(attribute: proc_macro2::TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        parse(attribute, &mut errors);
        errors.messages()
    }

    #[test]
    fn every_mistake_is_found_in_one_run() {
        let messages = messages(
            quote!(= 1, guest, "x" = 2, secert_env = f(a, b), issuer("a"), leeway = "1s" 5, expiry =, gest = true iss = "a"),
        );
        assert_eq!(messages.len(), 9, "{messages:#?}");
        assert_eq!(messages[1], "`guest` needs a value: write `guest = true`");
        assert_eq!(messages[3], "unknown option `secert_env`; did you mean `secret_env`?");
        assert_eq!(messages[4], "`issuer` needs a value: write `issuer = \"https://auth.example.com\"`");
    }

    #[test]
    fn an_option_is_known_by_other_names_too() {
        assert_eq!(messages(quote!(iss = "a")), ["unknown option `iss`; did you mean `issuer`?"]);
        assert!(messages(quote!(database = "a"))[0].ends_with("`lookup_timeout` and `crate`"));
    }

    #[test]
    fn every_row_shows_a_value_that_is_right() {
        for rule in OPTIONS {
            let option = format!("{} = {}", rule.name, rule.example);
            let mut errors = Errors::default();
            let mut entries = parse(option.parse().unwrap(), &mut errors);
            crate::checks::values::check(&mut entries[0], &mut errors);
            assert_eq!(errors.messages(), [""; 0], "{option}");
        }
    }
}
