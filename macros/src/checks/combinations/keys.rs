//! Checks which options go with the source of the keys.

use proc_macro2::Span;
use syn::{Expr, Lit, LitStr};

use crate::{
    checks::{
        combinations::Options,
        strings,
        values::{literal, without_groups},
    },
    errors::Errors,
    options::{KeyKind, OPTIONS},
    parse::Entry,
    suggest,
};

impl<'a> Options<'a> {
    /// Reports every mistake about the source of the keys and the options that apply to some
    /// sources only.
    pub(super) fn check_keys(&self, errors: &mut Errors) {
        self.check_key_source_is_given(errors);
        self.check_key_source_is_only_one(errors);
        self.check_algorithms(errors);
        self.check_issuers(errors);
        self.check_secret_options(errors);
        self.check_plain_http(errors);
        self.check_reload(errors);
    }

    fn key_sources(&self) -> impl Iterator<Item = (&'a Entry, KeyKind)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry, entry.rule.key?)))
    }

    fn check_key_source_is_given(&self, errors: &mut Errors) {
        if self.key_sources().next().is_some() || self.get("keys_at_runtime").is_some() {
            return;
        }

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

    fn check_key_source_is_only_one(&self, errors: &mut Errors) {
        let mut sources = self
            .key_sources()
            .map(|(entry, _)| entry)
            .filter(|entry| !entry.is_guess);
        let Some(first) = sources.next() else { return };
        let first = first.rule.name;

        if let Some(at_runtime) = self.get("keys_at_runtime").filter(|entry| !entry.is_guess) {
            let message = format!(
                "`keys_at_runtime` is for an attribute without keys, and `{first}` is set; remove one of them"
            );
            errors.at(&at_runtime.key, message);
        }

        for second in sources.filter(|second| second.rule.name != first) {
            let name = second.rule.name;
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
            check_algorithms_of(algorithms, source, errors);
        }

        if let (None, None, Some((source, KeyKind::Public | KeyKind::Mixed))) = (one, many, source)
        {
            let name = source.rule.name;
            let message =
                format!("`{name}` needs the algorithms to accept; add `algorithm = \"RS256\"`");
            errors.at(&source.key, message);
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

        let source = source.rule.name;
        for name in ["secret_encoding", "allow_weak_secret"] {
            if let Some(entry) = self.get(name) {
                let message = format!(
                    "`{name}` applies to a secret, but the key source is `{source}`; remove it"
                );
                errors.at(&entry.key, message);
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
        let (Some((source, _)), Some(entry)) = (self.key_sources().next(), self.get(option)) else {
            return;
        };
        let source = source.rule.name;

        if !sources.contains(&source) {
            let message = format!(
                "`{option}` applies to {what}, but the key source is `{source}`; remove it"
            );
            errors.at(&entry.key, message);
        }
    }
}

/// Without a key source every algorithm fits: that it is missing has been reported.
fn check_algorithms_of(algorithms: &Entry, source: Option<(&Entry, KeyKind)>, errors: &mut Errors) {
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

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use crate::checks::testing::{assert_accepted, assert_mistake, messages};

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
}
