//! Checks which options go together.

mod keys;

use std::collections::HashSet;

use syn::{Expr, Lit};

use crate::{
    checks::{token_sources, values::literal},
    errors::Errors,
    parse::Entry,
};

/// Reports every mistake in the combination of options.
pub(crate) fn check(entries: &[Entry], errors: &mut Errors) {
    let options = Options { entries };

    options.check_duplicates(errors);
    options.check_keys(errors);
    options.check_environment(errors);
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

fn is_literal_false(value: &Expr) -> bool {
    matches!(literal(value), Some(Lit::Bool(boolean)) if !boolean.value)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use crate::checks::testing::{assert_accepted, assert_mistake};

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
