//! Checks `claim_values`, and turns its values into strings.

use std::collections::HashSet;

use syn::{Expr, Lit, LitStr};

use crate::{
    checks::values::{literal, without_groups},
    errors::Errors,
};

/// A claim and its accepted values: a string, a list of strings, or another expression.
pub(crate) struct Claim<'a> {
    pub(crate) name: &'a LitStr,
    pub(crate) values: Expr,
}

/// Returns the claims, which `parse` has made of what the user wrote.
pub(crate) fn parse(value: &Expr) -> Vec<Claim<'_>> {
    assignments(value)
        .map(|(name, values)| Claim {
            name,
            values: with_strings(values),
        })
        .collect()
}

fn assignments(value: &Expr) -> impl Iterator<Item = (&LitStr, &Expr)> {
    let claims = match value {
        Expr::Tuple(claims) => Some(claims.elems.iter()),
        _ => None,
    };

    claims.into_iter().flatten().filter_map(|claim| {
        let Expr::Assign(claim) = claim else {
            return None;
        };
        match literal(&claim.left) {
            Some(Lit::Str(name)) => Some((name, &*claim.right)),
            _ => None,
        }
    })
}

/// Replaces each boolean and each integer by the string that it counts as.
fn with_strings(value: &Expr) -> Expr {
    match without_groups(value) {
        Expr::Array(list) => {
            let mut list = list.clone();
            for element in &mut list.elems {
                *element = with_strings(element);
            }
            Expr::Array(list)
        }

        other => match literal(other).and_then(as_string) {
            Some(string) => syn::parse_quote!(#string),
            None => value.clone(),
        },
    }
}

/// Returns the string that a literal counts as. Returns `None` for a literal that cannot be the
/// value of a claim.
fn as_string(literal: &Lit) -> Option<LitStr> {
    let written = match literal {
        Lit::Str(string) => return Some(string.clone()),
        Lit::Bool(boolean) => boolean.value.to_string(),
        Lit::Int(integer) => integer.base10_digits().to_owned(),
        _ => return None,
    };
    Some(LitStr::new(&written, literal.span()))
}

pub(crate) fn check(value: &Expr, errors: &mut Errors) {
    let mut seen = HashSet::new();
    let mut is_empty = true;

    for (name, values) in assignments(value) {
        is_empty = false;
        let claim = name.value();

        if claim.is_empty() {
            errors.at(name, "the name of a claim must not be empty");
        } else if let Some(option) = option_for(&claim) {
            errors.at(name, option);
        }

        if !seen.insert(claim.clone()) {
            let message = format!(
                "the claim {claim:?} is listed twice; write its values as one list: [\"one\", \"two\"]"
            );
            errors.at(name, message);
        }

        check_values(&claim, values, errors);
    }

    if is_empty {
        let message = "`claim_values` lists no claim: write `claim_values(token_use = \"access\")`";
        errors.at(value, message);
    }
}

fn check_values(claim: &str, values: &Expr, errors: &mut Errors) {
    let Expr::Array(list) = without_groups(values) else {
        return check_value(claim, values, errors);
    };

    if list.elems.is_empty() {
        let message = format!("the claim {claim:?} must not have an empty list of values");
        errors.at(list, message);
    }

    let mut seen = HashSet::new();
    for value in &list.elems {
        check_value(claim, value, errors);

        if let Some(string) = literal(value).and_then(as_string)
            && !seen.insert(string.value())
        {
            let message = format!(
                "the claim {claim:?} has the value {:?} twice; remove one of them",
                string.value()
            );
            errors.at(value, message);
        }
    }
}

/// Reports a literal that cannot be a value. Any other expression is left to the compiler.
fn check_value(claim: &str, value: &Expr, errors: &mut Errors) {
    let is_wrong = match without_groups(value) {
        Expr::Lit(literal) => as_string(&literal.lit).is_none(),
        // A number with a sign.
        Expr::Unary(unary) => literal(&unary.expr).is_some(),
        Expr::Array(_) | Expr::Tuple(_) | Expr::Assign(_) => true,
        _ => false,
    };

    if is_wrong {
        let message = format!(
            "the claim {claim:?} expects a string, `true`, `false`, an integer or a list of them"
        );
        errors.at(value, message);
    } else if let Some(Lit::Str(string)) = literal(value)
        && string.value().is_empty()
    {
        let message = format!("the claim {claim:?} must not have an empty value");
        errors.at(string, message);
    }
}

/// Says which option is for a claim, if it has one of its own.
fn option_for(claim: &str) -> Option<&'static str> {
    match claim {
        "iss" => Some("`iss` has its own option: write `issuer = \"https://auth.example.com\"`"),
        "aud" => Some("`aud` has its own option: write `audience = \"my-app\"`"),
        "exp" | "nbf" => Some(
            "`exp` and `nbf` are times, which are always checked; `leeway` is for their clock skew",
        ),
        "iat" => Some("`iat` is a time; to demand that it is there, add it to `required_claims`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use crate::checks::testing;

    fn with_key(attribute: TokenStream) -> TokenStream {
        quote!(secret = S, #attribute)
    }

    #[track_caller]
    fn assert_mistake(attribute: TokenStream, part: &str) {
        testing::assert_mistake(with_key(attribute), part);
    }

    #[test]
    fn a_name_is_an_identifier_a_keyword_or_a_string() {
        let attribute = quote!(claim_values(
            azp = ["web", "ios"],
            type = "access",
            r#use = USE,
            "https://example.com/role" = ["admin", ROLE],
            email_verified = true,
            level = [1, 2],
        ));
        testing::assert_accepted(with_key(attribute));
        assert_mistake(
            quote!(claim_values(5 = "a")),
            "expected the name of a claim",
        );
        assert_mistake(quote!(claim_values("" = "a")), "must not be empty");
    }

    #[test]
    fn every_mistake_of_the_grammar_says_how_to_write_it() {
        for attribute in [
            quote!(claim_values),
            quote!(claim_values = ["a"]),
            quote!(claim_values = "a"),
        ] {
            assert_mistake(
                attribute,
                "needs its claims in parentheses: write `claim_values(",
            );
        }
        assert_mistake(quote!(claim_values()), "lists no claim");
        for attribute in [
            quote!(claim_values(azp)),
            quote!(claim_values(azp, use = "a")),
            quote!(claim_values(azp "web")),
            quote!(claim_values(azp =)),
            quote!(claim_values(azp =, a = "b")),
        ] {
            assert_mistake(attribute, "the claim \"azp\" needs a value: write");
        }
        assert_mistake(quote!(claim_values(a = "b" c = "d")), "expected `,`");
        assert_mistake(quote!(claim_value(a = "b")), "did you mean `claim_values`?");
    }

    #[test]
    fn a_value_is_a_string_a_boolean_an_integer_or_a_list_of_them() {
        for value in [
            quote!(1.5),
            quote!(-1),
            quote!('a'),
            quote!(b"a"),
            quote!(("a", "b")),
            quote!([["a"]]),
            quote!([1.5]),
        ] {
            assert_mistake(quote!(claim_values(azp = #value)), "expects a string");
        }
        assert_mistake(quote!(claim_values(azp = "")), "an empty value");
        assert_mistake(quote!(claim_values(azp = ["a", ""])), "an empty value");
        assert_mistake(quote!(claim_values(azp = [])), "an empty list");
        assert_mistake(quote!(claim_values(azp = ["a", "a"])), "\"a\" twice");
        assert_mistake(quote!(claim_values(azp = [1, "1"])), "\"1\" twice");
    }

    #[test]
    fn a_claim_is_named_once() {
        assert_mistake(
            quote!(claim_values(azp = "a", azp = "b")),
            "is listed twice",
        );
        assert_mistake(
            quote!(claim_values(azp = "a", "azp" = "b")),
            "is listed twice",
        );
        assert_mistake(
            quote!(claim_values(azp = "a"), claim_values(sub = "b")),
            "duplicate option `claim_values`",
        );
    }

    #[test]
    fn a_claim_with_an_option_of_its_own_is_refused_with_its_name() {
        for (name, option) in [
            ("iss", "`issuer = "),
            ("aud", "`audience = "),
            ("exp", "`leeway`"),
            ("nbf", "`leeway`"),
            ("iat", "`required_claims`"),
        ] {
            assert_mistake(quote!(claim_values(#name = "a")), option);
        }
    }
}
