//! Checks the value of one option, as far as it is a literal.

use std::collections::HashSet;

use syn::{Expr, Lit};

use crate::{
    checks::{claim_values, strings::Check, token_sources},
    errors::Errors,
    options::Form,
    parse::Entry,
};

/// Reports what is wrong with the value, and removes a wrong value from the entry.
pub(crate) fn check(entry: &mut Entry, errors: &mut Errors) {
    let Some(value) = &entry.value else { return };
    let before = errors.count();
    check_form(entry, value, errors);

    if errors.count() > before {
        entry.value = None;
    }
}

fn check_form(entry: &Entry, value: &Expr, errors: &mut Errors) {
    match entry.rule.form {
        Form::String(check) => check_string(entry, value, check, "a string", errors),
        Form::StringOrList(check) => check_string_or_list(entry, value, check, errors),
        Form::List(check) => check_list(entry, value, check, errors),
        Form::ListOrNone(check) => check_list_or_none(entry, value, check, errors),
        Form::Bytes => check_bytes(entry, value, errors),
        Form::Bool => {
            let is_bool = |literal: &Lit| matches!(literal, Lit::Bool(_));
            check_literal(entry, value, "`true` or `false`", is_bool, errors);
        }
        Form::Integer(max) => {
            let expected = format!("a whole number from 1 to {max}");
            let is_in_bounds = |literal: &Lit| is_integer(literal, max);
            check_literal(entry, value, &expected, is_in_bounds, errors);
        }
        Form::UserKey | Form::SessionKey | Form::EventHook => {
            check_literal(entry, value, "a closure", |_| false, errors);
        }
        Form::TokenSources => token_sources::check(value, errors),
        Form::ClaimValues => claim_values::check(value, errors),
        Form::Flag => check_flag(entry, value, errors),
        Form::Path => check_path(entry, value, errors),
        Form::Expression => {}
    }
}

fn check_string(entry: &Entry, value: &Expr, check: Check, expected: &str, errors: &mut Errors) {
    match literal(value) {
        Some(Lit::Str(string)) if string.value().is_empty() => {
            let message = format!("`{}` must not be empty{}", entry.rule.name, correct(entry));
            errors.at(string, message);
        }

        Some(Lit::Str(string)) => {
            if let Err(wrong) = check(&string.value()) {
                errors.at(string, format!("`{}` {wrong}", entry.rule.name));
            }
        }

        _ => check_literal(entry, value, expected, |_| false, errors),
    }
}

fn check_string_or_list(entry: &Entry, value: &Expr, check: Check, errors: &mut Errors) {
    match without_groups(value) {
        Expr::Array(_) => check_list(entry, value, check, errors),
        single => {
            let expected = "a string or a list of strings";
            check_string(entry, single, check, expected, errors);
        }
    }
}

fn check_list(entry: &Entry, value: &Expr, check: Check, errors: &mut Errors) {
    if let Expr::Array(list) = without_groups(value)
        && list.elems.is_empty()
    {
        let message = format!(
            "`{}` must not be an empty list{}",
            entry.rule.name,
            correct(entry)
        );
        errors.at(list, message);
    }
    check_list_or_none(entry, value, check, errors);
}

fn check_list_or_none(entry: &Entry, value: &Expr, check: Check, errors: &mut Errors) {
    let list = match without_groups(value) {
        Expr::Array(list) => list,
        other => return check_literal(entry, other, "a list of strings", |_| false, errors),
    };

    let mut seen = HashSet::new();
    for element in &list.elems {
        check_string(entry, element, check, "only strings in its list", errors);

        if let Some(Lit::Str(string)) = literal(element)
            && !seen.insert(string.value())
        {
            let message = format!(
                "`{}` lists {:?} twice; remove one of them",
                entry.rule.name,
                string.value()
            );
            errors.at(string, message);
        }
    }
}

fn check_bytes(entry: &Entry, value: &Expr, errors: &mut Errors) {
    // An array of bytes is accepted, too.
    if matches!(without_groups(value), Expr::Array(_)) {
        return;
    }

    let expected = "a string, bytes or another expression";
    let is_bytes = |literal: &Lit| matches!(literal, Lit::Str(_) | Lit::ByteStr(_));
    check_literal(entry, value, expected, is_bytes, errors);
}

fn check_flag(entry: &Entry, value: &Expr, errors: &mut Errors) {
    if !matches!(literal(value), Some(Lit::Bool(boolean)) if boolean.value) {
        let name = entry.rule.name;
        let message = format!("`{name}` has no value: write `{name}`, or leave it out");
        errors.at(value, message);
    }
}

/// Reports a literal of a wrong type. Any other expression may be a constant, and is left to the
/// compiler.
fn check_literal(
    entry: &Entry,
    value: &Expr,
    expected: &str,
    is_right: impl Fn(&Lit) -> bool,
    errors: &mut Errors,
) {
    let is_wrong = match without_groups(value) {
        Expr::Lit(literal) => !is_right(&literal.lit),
        // A number with a sign.
        Expr::Unary(unary) => {
            literal(&unary.expr).is_some_and(|literal| !matches!(literal, Lit::Bool(_)))
        }
        Expr::Array(_) | Expr::Tuple(_) => true,
        _ => false,
    };

    if is_wrong {
        let message = format!("`{}` expects {expected}{}", entry.rule.name, correct(entry));
        errors.at(value, message);
    }
}

fn check_path(entry: &Entry, value: &Expr, errors: &mut Errors) {
    if !matches!(without_groups(value), Expr::Path(path) if path.qself.is_none()) {
        errors.at(
            value,
            format!("`crate` expects a path without quotes{}", correct(entry)),
        );
    }
}

fn correct(entry: &Entry) -> String {
    format!(": write `{}`", entry.rule.example())
}

fn is_integer(literal: &Lit, max: usize) -> bool {
    let Lit::Int(number) = literal else {
        return false;
    };
    number
        .base10_parse::<usize>()
        .is_ok_and(|number| (1..=max).contains(&number))
}

/// Returns the literal that the expression is. Returns `None` for any other expression.
pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match without_groups(value) {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// A value that comes out of a `macro_rules!` macro stands in an invisible group.
pub(crate) fn without_groups(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => without_groups(&group.expr),
        Expr::Paren(paren) => without_groups(&paren.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::check;
    use crate::{errors::Errors, parse::parse};

    fn mistakes(attribute: TokenStream) -> usize {
        let mut errors = Errors::default();
        let mut entries = parse(attribute, &mut errors);
        for entry in &mut entries {
            check(entry, &mut errors);
            assert_eq!(entry.value.is_none(), errors.count() > 0);
        }
        errors.count()
    }

    #[test]
    fn what_is_not_a_literal_is_left_to_the_compiler() {
        assert_eq!(mistakes(quote!(secret = [1, 2, 3])), 0);
        assert_eq!(mistakes(quote!(secret = include_bytes!("key"))), 0);
        assert_eq!(mistakes(quote!(guest = cfg!(debug_assertions))), 0);
        assert_eq!(mistakes(quote!(max_token_bytes = 4 * 1024)), 0);
        assert_eq!(mistakes(quote!(issuer = ["a", ISSUER])), 0);
        assert_eq!(mistakes(quote!(crate = framework::login)), 0);
    }

    #[test]
    fn a_literal_of_a_wrong_type_is_a_mistake() {
        assert_eq!(mistakes(quote!(secret = 5)), 1);
        assert_eq!(mistakes(quote!(guest = "true")), 1);
        assert_eq!(mistakes(quote!(max_token_bytes = 0)), 1);
        assert_eq!(mistakes(quote!(max_token_bytes = -1)), 1);
        assert_eq!(mistakes(quote!(max_token_bytes = 1048577)), 1);
        assert_eq!(mistakes(quote!(issuer = ["a", 5])), 1);
        assert_eq!(mistakes(quote!(algorithm = ["HS256"])), 1);
        assert_eq!(mistakes(quote!(crate = "framework")), 1);
    }

    #[test]
    fn only_required_claims_may_be_an_empty_list() {
        assert_eq!(mistakes(quote!(required_claims = [])), 0);
        for option in [
            "secret_env",
            "public_key_file",
            "algorithms",
            "issuer",
            "audience",
            "allowed_origins",
            "token",
        ] {
            let attribute: TokenStream = format!("{option} = []").parse().unwrap();
            assert_eq!(mistakes(attribute), 1, "{option}");
        }
    }
}
