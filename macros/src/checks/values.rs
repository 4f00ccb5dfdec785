//! Checks one option's value by itself, as far as it is a literal.

use std::collections::HashSet;

use syn::{Expr, ExprArray, Lit};

use crate::checks::strings::Check;
use crate::checks::token_sources;
use crate::errors::Errors;
use crate::parse::{Entry, Form};

/// Reports what is wrong with the value, and takes a wrong value out of the entry.
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
        Form::Text(check) => check_text(entry, value, check, "a string", errors),
        Form::TextOrList(check) => match without_groups(value) {
            Expr::Array(list) => check_list(entry, list, check, errors),
            single => check_text(entry, single, check, "a string or a list of strings", errors),
        },
        Form::List(check) => match without_groups(value) {
            Expr::Array(list) => check_list(entry, list, check, errors),
            other => check_literal(entry, other, "a list of strings", |_| false, errors),
        },
        // An array of bytes is bytes too.
        Form::Bytes if matches!(without_groups(value), Expr::Array(_)) => {}
        Form::Bytes => {
            let is_bytes = |literal: &Lit| matches!(literal, Lit::Str(_) | Lit::ByteStr(_));
            check_literal(entry, value, "a string, bytes or another expression", is_bytes, errors);
        }
        Form::Boolean => {
            let is_boolean = |literal: &Lit| matches!(literal, Lit::Bool(_));
            check_literal(entry, value, "`true` or `false`", is_boolean, errors);
        }
        Form::Count => check_literal(entry, value, "a whole number greater than zero", is_count, errors),
        Form::TokenSources => token_sources::check(value, errors),
        Form::Path => check_path(entry, value, errors),
        Form::UserKey => check_literal(entry, value, "a closure", |_| false, errors),
        Form::Expression => {}
    }
}

fn check_text(entry: &Entry, value: &Expr, check: Check, expected: &str, errors: &mut Errors) {
    match literal(value) {
        Some(Lit::Str(text)) if text.value().is_empty() => {
            errors.at(text, format!("`{}` must not be empty{}", entry.rule.name, correct(entry)));
        }
        Some(Lit::Str(text)) => {
            if let Err(wrong) = check(&text.value()) {
                errors.at(text, format!("`{}` {wrong}", entry.rule.name));
            }
        }
        _ => check_literal(entry, value, expected, |_| false, errors),
    }
}

fn check_list(entry: &Entry, list: &ExprArray, check: Check, errors: &mut Errors) {
    if list.elems.is_empty() {
        errors.at(list, format!("`{}` must not be an empty list{}", entry.rule.name, correct(entry)));
    }
    let mut seen = HashSet::new();
    for element in &list.elems {
        check_text(entry, element, check, "only strings in its list", errors);
        if let Some(Lit::Str(text)) = literal(element)
            && !seen.insert(text.value())
        {
            let message = format!("`{}` lists {:?} twice; remove one of them", entry.rule.name, text.value());
            errors.at(text, message);
        }
    }
}

/// Reports a literal of a wrong type. What is no literal may be a constant: the compiler judges it.
fn check_literal(entry: &Entry, value: &Expr, expected: &str, is_right: fn(&Lit) -> bool, errors: &mut Errors) {
    let is_wrong = match without_groups(value) {
        Expr::Lit(literal) => !is_right(&literal.lit),
        // A number with a sign.
        Expr::Unary(unary) => literal(&unary.expr).is_some_and(|literal| !matches!(literal, Lit::Bool(_))),
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
        errors.at(value, format!("`crate` expects a path without quotes{}", correct(entry)));
    }
}

fn correct(entry: &Entry) -> String {
    format!(": write `{} = {}`", entry.rule.name, entry.rule.example)
}

fn is_count(literal: &Lit) -> bool {
    matches!(literal, Lit::Int(number) if number.base10_parse::<usize>().is_ok_and(|number| number > 0))
}

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
    use crate::errors::Errors;
    use crate::parse::parse;

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
    fn what_is_no_literal_is_left_to_the_compiler() {
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
        assert_eq!(mistakes(quote!(issuer = ["a", 5])), 1);
        assert_eq!(mistakes(quote!(algorithm = ["HS256"])), 1);
        assert_eq!(mistakes(quote!(crate = "framework")), 1);
    }
}
