//! Checks which options go together.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::{Expr, Lit, LitStr};

use crate::{
    checks::{
        strings, token_sources,
        values::{literal, without_groups},
    },
    errors::Errors,
    options::{KeyKind, OPTIONS},
    parse::Entry,
    suggest,
};

/// Reports every mistake in the combination of options.
pub(crate) fn check(entries: &[Entry], errors: &mut Errors) {
    let options = Options { entries };
    options.check_duplicates(errors);
    options.check_key_source(errors);
    options.check_algorithms(errors);
    options.check_environment(errors);
    options.check_issuers(errors);
    options.check_secret_options(errors);
    options.check_plain_http(errors);
    options.check_reload(errors);
    options.check_cookies(errors);
    options.check_guest_timeout(errors);
    options.check_events(errors);
}

struct Options<'a> {
    entries: &'a [Entry],
}

impl<'a> Options<'a> {
    fn get(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.rule.name == name)
    }

    fn key_sources(&self) -> impl Iterator<Item = (&'a Entry, KeyKind)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry, entry.rule.key?)))
    }

    fn check_duplicates(&self, errors: &mut Errors) {
        let mut seen = HashSet::new();
        for entry in self.entries.iter().filter(|entry| !entry.is_guess) {
            if !seen.insert(entry.rule.name) {
                let name = entry.rule.name;
                errors.at(
                    &entry.key,
                    format!("duplicate option `{name}`: it is already set; remove one of the two"),
                );
            }
        }
    }

    fn check_key_source(&self, errors: &mut Errors) {
        let at_runtime = self.get("keys_at_runtime");
        if self.key_sources().next().is_none() && at_runtime.is_none() {
            let others = OPTIONS
                .iter()
                .filter(|rule| rule.key.is_some() && rule.name != "secret_env");
            let others = suggest::listed(others.map(|rule| rule.name));
            let message = format!(
                "no key to verify tokens with; add `secret_env = \"JWT_SECRET\"` \
                 (other key sources are {others}), or `keys_at_runtime` if the builder gets the keys"
            );
            errors.at_span(Span::call_site(), message);
        }

        let mut sources = self
            .key_sources()
            .map(|(entry, _)| entry)
            .filter(|entry| !entry.is_guess);
        let Some(first) = sources.next() else { return };
        if let Some(at_runtime) = at_runtime.filter(|entry| !entry.is_guess) {
            let first = first.rule.name;
            let message = format!(
                "`keys_at_runtime` is for an attribute without keys, and `{first}` is set; remove one of them"
            );
            errors.at(&at_runtime.key, message);
        }
        for second in sources.filter(|second| second.rule.name != first.rule.name) {
            let (first, name) = (first.rule.name, second.rule.name);
            let message =
                format!("two key sources: `{first}` is already set; remove `{first}` or `{name}`");
            errors.at(&second.key, message);
        }
    }

    fn check_algorithms(&self, errors: &mut Errors) {
        let (one, many) = (self.get("algorithm"), self.get("algorithms"));
        if let (Some(_), Some(many)) = (one, many) {
            errors.at(
                &many.key,
                "`algorithm` and `algorithms` are both set; keep one of them",
            );
        }

        let source = self.key_sources().next();
        for algorithms in one.into_iter().chain(many) {
            check_algorithms(algorithms, source, errors);
        }
        if let (None, None, Some((source, KeyKind::Public | KeyKind::Mixed))) = (one, many, source)
        {
            let name = source.rule.name;
            let message =
                format!("`{name}` needs the algorithms to accept; add `algorithm = \"RS256\"`");
            errors.at(&source.key, message);
        }
    }

    /// A value from the code and one from the environment are the same setting.
    fn check_environment(&self, errors: &mut Errors) {
        for (name, from_environment) in [
            ("issuer", "issuer_env"),
            ("audience", "audience_env"),
            ("allowed_origins", "allowed_origins_env"),
        ] {
            if let (Some(_), Some(second)) = (self.get(name), self.get(from_environment)) {
                let message =
                    format!("`{name}` and `{from_environment}` are both set; keep one of them");
                errors.at(&second.key, message);
            }
        }
    }

    fn check_issuers(&self, errors: &mut Errors) {
        let Some(issuers) = self.get("issuers").filter(|entry| !entry.is_guess) else {
            return;
        };
        for name in ["issuer", "issuer_env"] {
            if let Some(issuer) = self.get(name) {
                let message = format!(
                    "`{name}` and `issuers` are both set; each `Issuer` has its own name, so remove `{name}`"
                );
                errors.at(&issuer.key, message);
            }
        }

        let value = issuers.value.as_ref().map(without_groups);
        if let Some(Expr::Array(list)) = value
            && list.elems.is_empty()
        {
            let example = issuers.rule.example;
            errors.at(
                list,
                format!("`issuers` must not be an empty list: write `issuers = {example}`"),
            );
        }
    }

    fn check_secret_options(&self, errors: &mut Errors) {
        let Some((source, kind)) = self.key_sources().next() else {
            return;
        };
        if matches!(kind, KeyKind::Secret | KeyKind::PerIssuer) {
            return;
        }

        for name in ["secret_encoding", "allow_weak_secret"] {
            if let Some(entry) = self.get(name) {
                let source = source.rule.name;
                errors.at(
                    &entry.key,
                    format!(
                        "`{name}` applies to a secret, but the key source is `{source}`; remove it"
                    ),
                );
            }
        }
    }

    fn check_plain_http(&self, errors: &mut Errors) {
        const URLS: &[&str] = &[
            "jwks_url",
            "jwks_url_env",
            "oidc_issuer",
            "oidc_issuer_env",
            "issuers",
        ];
        self.check_source_of("allow_insecure_http", "keys from a URL", URLS, errors);
    }

    fn check_reload(&self, errors: &mut Errors) {
        const FILES: &[&str] = &["secret_file", "public_key_file", "jwks_file", "issuers"];
        self.check_source_of("reload_keys", "keys in files", FILES, errors);
    }

    /// Reports an option that applies to some sources of keys only, which `what` describes.
    fn check_source_of(&self, option: &str, what: &str, sources: &[&str], errors: &mut Errors) {
        if let Some((source, _)) = self.key_sources().next()
            && let Some(entry) = self.get(option)
            && !sources.contains(&source.rule.name)
        {
            let source = source.rule.name;
            errors.at(
                &entry.key,
                format!(
                    "`{option}` applies to {what}, but the key source is `{source}`; remove it"
                ),
            );
        }
    }

    fn check_cookies(&self, errors: &mut Errors) {
        let Some(value) = self.get("token").and_then(|entry| entry.value.as_ref()) else {
            return;
        };
        if ["allowed_origins", "allowed_origins_env"]
            .iter()
            .any(|name| self.get(name).is_some())
        {
            return;
        }

        for source in token_sources::parse(value)
            .iter()
            .filter(|source| *source.name == "cookie")
        {
            let message = "a browser sends cookies along with a connection that any site opens; \
                add `allowed_origins = [\"https://app.example.com\"]`";
            errors.at(source.name, message);
        }
    }

    fn check_events(&self, errors: &mut Errors) {
        let event = |name| match self.get(name)?.value.as_ref().and_then(literal)? {
            Lit::Str(event) => Some(event),
            _ => None,
        };
        let Some(announced) = event("announce_event") else {
            return;
        };

        if event("authenticate_event").is_some_and(|event| event.value() == announced.value()) {
            let message = "`announce_event` and `authenticate_event` must be two names, \
                such as \"authenticated\" and \"authenticate\"";
            errors.at(announced, message);
        }
    }

    fn check_guest_timeout(&self, errors: &mut Errors) {
        let Some(timeout) = self.get("guest_timeout") else {
            return;
        };

        let is_off = |guest: &Entry| guest.value.as_ref().is_some_and(is_literal_false);
        if self.get("guest").is_none_or(is_off) {
            errors.at(
                &timeout.key,
                "`guest_timeout` needs guests to be let in; add `guest = true`",
            );
        }

        if self.get("authenticate_event").is_none() {
            let message = "`guest_timeout` needs a way for a guest to log in; \
                add `authenticate_event = \"authenticate\"`";
            errors.at(&timeout.key, message);
        }
    }
}

/// Without a key source every algorithm fits: that it is missing has been reported.
fn check_algorithms(algorithms: &Entry, source: Option<(&Entry, KeyKind)>, errors: &mut Errors) {
    let Some(value) = &algorithms.value else {
        return;
    };
    let kind = source.map_or(KeyKind::Mixed, |(_, kind)| kind);
    let source = source.map(|(source, _)| source.rule.name);

    for algorithm in string_literals(value) {
        if let Err(wrong) = strings::algorithm(&algorithm.value(), kind, source) {
            errors.at(algorithm, format!("`{}` {wrong}", algorithms.rule.name));
        }
    }
}

fn string_literals(value: &Expr) -> Vec<&LitStr> {
    let values: Vec<&Expr> = match without_groups(value) {
        Expr::Array(list) => list.elems.iter().collect(),
        single => vec![single],
    };
    let strings = values.into_iter().filter_map(|value| match literal(value) {
        Some(Lit::Str(string)) => Some(string),
        _ => None,
    });
    strings.collect()
}

fn is_literal_false(value: &Expr) -> bool {
    matches!(literal(value), Some(Lit::Bool(boolean)) if !boolean.value)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use crate::{checks, errors::Errors, parse::parse};

    fn messages(attribute: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let mut entries = parse(attribute, &mut errors);
        checks::check(&mut entries, &mut errors);
        errors.messages()
    }

    #[track_caller]
    fn assert_mistake(attribute: TokenStream, part: &str) {
        let messages = messages(attribute);
        assert!(
            messages.len() == 1 && messages[0].contains(part),
            "{messages:#?}"
        );
    }

    #[track_caller]
    fn assert_accepted(attribute: TokenStream) {
        assert_eq!(messages(attribute), [""; 0]);
    }

    #[test]
    fn one_mistake_is_one_message() {
        assert_mistake(quote!(secret_evn = "A"), "did you mean `secret_env`");
        assert_mistake(quote!(secret = S, secrets = S), "did you mean `secret`");
        assert_mistake(quote!(secret_env = 5), "a string or a list of strings");
        assert_mistake(quote!(secret_env), "needs a value");
        assert_mistake(
            quote!(jwks = J, algoritms = ["RS256"]),
            "did you mean `algorithms`",
        );
        assert_mistake(
            quote!(secret = S, guest = true, guest = true),
            "duplicate option `guest`",
        );
    }

    #[test]
    fn issuers_have_their_own_names_keys_and_algorithms() {
        assert_accepted(quote!(issuers = [Issuer::new("a").oidc()], leeway = "5s"));
        assert_accepted(quote!(issuers = list(), secret_encoding = "hex"));
        assert_accepted(quote!(issuers = list(), algorithms = ["RS256", "HS256"]));
        assert_mistake(quote!(issuers = []), "must not be an empty list");
        assert_mistake(
            quote!(issuers = list(), issuer = "a"),
            "`issuer` and `issuers` are both set",
        );
        assert_mistake(
            quote!(issuers = list(), secret = S),
            "two key sources: `issuers` is already set",
        );
    }

    #[test]
    fn plain_http_is_an_option_of_keys_from_a_url() {
        for source in ["jwks_url", "jwks_url_env", "oidc_issuer", "oidc_issuer_env"] {
            let source: TokenStream = source.parse().unwrap();
            assert_accepted(quote!(
                #source = "http://keycloak:8080",
                algorithm = "RS256",
                allow_insecure_http = true
            ));
        }
        assert_accepted(quote!(issuers = list(), allow_insecure_http = IS_LOCAL));
        assert_mistake(
            quote!(secret = S, allow_insecure_http = true),
            "applies to keys from a URL, but the key source is `secret`",
        );
    }

    #[test]
    fn keys_are_reloaded_from_files_only() {
        assert_accepted(quote!(secret_file = "a", reload_keys = "30s"));
        for source in ["public_key_file", "jwks_file"] {
            let source: TokenStream = source.parse().unwrap();
            assert_accepted(quote!(
                #source = "a",
                algorithm = "RS256",
                reload_keys = INTERVAL
            ));
        }
        assert_accepted(quote!(issuers = list(), reload_keys = "1m"));
        assert_mistake(
            quote!(secret_env = "A", reload_keys = "30s"),
            "applies to keys in files, but the key source is `secret_env`",
        );
    }

    #[test]
    fn there_is_one_key_source() {
        assert_mistake(quote!(), "no key to verify tokens with");
        assert_mistake(
            quote!(secret = S, keys = k),
            "two key sources: `secret` is already set",
        );
    }

    #[test]
    fn keys_at_runtime_are_instead_of_a_key_source() {
        assert_accepted(quote!(keys_at_runtime));
        assert_accepted(quote!(keys_at_runtime = true, algorithm = "RS256"));
        assert_accepted(quote!(
            algorithms = ["HS256"],
            secret_encoding = "hex",
            keys_at_runtime,
        ));
        assert_mistake(quote!(guest = true), "or `keys_at_runtime`");
        assert_mistake(
            quote!(keys_at_runtime, secret = S),
            "`keys_at_runtime` is for an attribute without keys, and `secret` is set",
        );
        for value in [quote!(false), quote!("true"), quote!(KEYS), quote!(1)] {
            assert_mistake(
                quote!(keys_at_runtime = #value),
                "write `keys_at_runtime`, or leave it out",
            );
        }
        assert_mistake(quote!(keys_at_runtime =), "needs a value");
        assert_mistake(quote!(keys_at_runtim), "did you mean `keys_at_runtime`");
    }

    #[test]
    fn algorithms_fit_the_key() {
        assert_accepted(quote!(
            secret_env = ["A", "B"],
            algorithm = "HS512",
            secret_encoding = ENCODING
        ));
        assert_accepted(quote!(
            jwks = JSON,
            algorithms = ["HS256", "ES256"],
            issuer = ISSUERS
        ));
        assert_mistake(quote!(public_key = K), "add `algorithm = \"RS256\"`");
        assert_mistake(
            quote!(public_key = K, algorithm = "HS256"),
            "must not be \"HS256\" with `public_key`",
        );
        assert_mistake(
            quote!(secret = S, algorithms = ["HS256", "ES256"]),
            "must not be \"ES256\" with `secret`",
        );
        assert_mistake(
            quote!(secret = S, algorithm = "HS256", algorithms = ["HS384"]),
            "are both set",
        );
        assert_mistake(
            quote!(keys = k, algorithm = "RS256", allow_weak_secret = true),
            "applies to a secret",
        );
    }

    #[test]
    fn an_algorithm_is_suggested_only_if_it_fits_the_key() {
        for (attribute, is_suggested, is_not) in [
            (
                quote!(public_key_file = "a.pem", algorithms = ["ES256K"]),
                "`ES384`",
                "HS",
            ),
            (
                quote!(jwks_url = "https://a.example", algorithm = "HS265"),
                "`RS256`",
                "HS256",
            ),
            (quote!(secret = S, algorithm = "RS265"), "`HS256`", "RS256"),
            (
                quote!(public_key = K, algorithm = "RS265"),
                "did you mean \"RS256\"?",
                "HS",
            ),
            (
                quote!(secret = S, algorithm = "HS265"),
                "did you mean \"HS256\"?",
                "RS",
            ),
            (
                quote!(jwks = J, algorithm = "HS265"),
                "did you mean \"HS256\"?",
                "RS",
            ),
        ] {
            let messages = messages(attribute);
            assert_eq!(messages.len(), 1, "{messages:?}");
            assert!(messages[0].contains(is_suggested), "{messages:?}");
            assert!(!messages[0].contains(is_not), "{messages:?}");
        }
        assert_mistake(
            quote!(public_key = K, algorithm = "ES256K"),
            "does not support \"ES256K\"",
        );
        assert_mistake(
            quote!(secret = S, algorithm = "Ed448"),
            "does not support \"Ed448\"",
        );
    }

    #[test]
    fn a_setting_comes_from_the_code_or_from_the_environment() {
        assert_accepted(quote!(
            secret = S,
            issuer_env = "I",
            audience_env = "A",
            token = [cookie("c")],
            allowed_origins_env = "O"
        ));
        for name in ["issuer", "audience", "allowed_origins"] {
            let [name, variable]: [TokenStream; 2] = [
                name.parse().unwrap(),
                format!("{name}_env").parse().unwrap(),
            ];
            let message = format!("`{name}` and `{variable}` are both set");
            assert_mistake(
                quote!(secret = S, #name = "https://a.example", #variable = "V"),
                &message,
            );
        }
    }

    #[test]
    fn cookies_need_origins() {
        assert_accepted(quote!(
            secret = S,
            token = [cookie(C), bearer],
            allowed_origins = ORIGINS
        ));
        assert_mistake(
            quote!(secret = S, token = [cookie("c")]),
            "add `allowed_origins",
        );
    }

    #[test]
    fn a_guest_timeout_needs_guests_who_can_log_in() {
        assert_accepted(quote!(
            secret = S,
            guest = is(),
            guest_timeout = "5s",
            authenticate_event = "a"
        ));
        assert_mistake(
            quote!(
                secret = S,
                guest,
                guest_timeout = "5s",
                authenticate_event = "a"
            ),
            "write `guest = true`",
        );
        assert_mistake(
            quote!(secret = S, guest = true, guest_timeout = "5s"),
            "add `authenticate_event",
        );
        let attribute = quote!(
            secret = S,
            guest = false,
            guest_timeout = "5s",
            authenticate_event = "a"
        );
        assert_mistake(attribute, "add `guest = true`");
    }
}
