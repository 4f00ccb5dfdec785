//! The attribute's grammar: `name = value` entries, each name with its span.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    Expr, ExprTuple, LitStr, Token,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    parse_quote_spanned,
    punctuated::Punctuated,
    token::Paren,
};

use crate::{
    errors::Errors,
    options::{self, Form, OPTIONS, OptionRule},
    suggest,
};

/// One option as it was written.
pub(crate) struct Entry {
    pub(crate) rule: &'static OptionRule,
    pub(crate) key: Ident,
    /// `None` if a mistake in this entry has been reported. The entry still counts as given, so
    /// that one mistake does not cause a second message.
    pub(crate) value: Option<Expr>,
    /// Whether the rule is only what an unknown name probably stands for.
    pub(crate) is_guess: bool,
}

/// Parses all entries. Goes on after a mistake.
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
        errors.push(
            input.error("expected the name of an option, as in `secret_env = \"JWT_SECRET\"`"),
        );
        return None;
    };

    let name = key.unraw().to_string();
    let known = options::find(&name);
    let value = value(input, &key, known);

    let Some(rule) = known else {
        errors.at(&key, unknown_option(&name));
        return options::find_similar(&name).map(|rule| Entry {
            rule,
            key,
            value: None,
            is_guess: true,
        });
    };

    let value = value.map_err(|error| errors.push(error)).ok();
    Some(Entry {
        rule,
        key,
        value,
        is_guess: false,
    })
}

fn value(input: ParseStream, key: &Ident, rule: Option<&OptionRule>) -> syn::Result<Expr> {
    if let Some(rule) = rule
        && matches!(rule.form, Form::ClaimValues)
    {
        return claim_values(input, key, rule);
    }
    if rule.is_some_and(|rule| matches!(rule.form, Form::Flag)) && at_end_of_entry(input) {
        return Ok(parse_quote_spanned!(key.span()=> true));
    }

    if input.parse::<Option<Token![=]>>()?.is_some() && !at_end_of_entry(input) {
        return input.parse();
    }

    let correct = rule.map_or_else(String::new, |rule| format!(": write `{}`", rule.example()));
    Err(syn::Error::new(
        key.span(),
        format!("`{key}` needs a value{correct}"),
    ))
}

/// Parses `(name = value, "name" = value)` as a tuple of assignments to string literals.
fn claim_values(input: ParseStream, key: &Ident, rule: &OptionRule) -> syn::Result<Expr> {
    let correct = format!("write `{}`", rule.example());
    if !input.peek(Paren) {
        let message = format!("`{key}` needs its claims in parentheses: {correct}");
        return Err(syn::Error::new(key.span(), message));
    }

    let claims;
    let paren_token = parenthesized!(claims in input);
    let elems = Punctuated::parse_terminated_with(&claims, claim_value).inspect_err(|_| {
        // What is left would be a second mistake.
        let _ = claims.parse::<TokenStream>();
    })?;

    Ok(Expr::Tuple(ExprTuple {
        attrs: Vec::new(),
        paren_token,
        elems,
    }))
}

fn claim_value(input: ParseStream) -> syn::Result<Expr> {
    let name = claim_name(input)?;

    if input.parse::<Option<Token![=]>>()?.is_none() || at_end_of_entry(input) {
        let name_and_value = "write it like `token_use = \"access\"`";
        let message = format!(
            "the claim {:?} needs a value: {name_and_value}",
            name.value()
        );
        return Err(syn::Error::new(name.span(), message));
    }

    let value: Expr = input.parse()?;
    Ok(parse_quote_spanned!(name.span()=> #name = #value))
}

/// Returns the name of a claim, which may be a keyword or a string.
fn claim_name(input: ParseStream) -> syn::Result<LitStr> {
    if input.peek(LitStr) {
        return input.parse();
    }
    let name = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(
            error.span(),
            "expected the name of a claim: an identifier or a string",
        )
    })?;
    Ok(LitStr::new(&name.unraw().to_string(), name.span()))
}

fn at_end_of_entry(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Skips the comma and everything before it. The next entry may start without a comma.
fn skip_to_next_entry(input: ParseStream) -> syn::Result<()> {
    let starts_another = |input: ParseStream| input.peek(Ident::peek_any) && input.peek2(Token![=]);
    while !at_end_of_entry(input) && !starts_another(input) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}

fn unknown_option(name: &str) -> String {
    if let Some(rule) = options::find_similar(name) {
        return format!("unknown option `{name}`; did you mean `{}`?", rule.name);
    }
    let names = suggest::listed(OPTIONS.iter().map(|rule| rule.name));
    format!("unknown option `{name}`; the options are {names}")
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::parse;
    use crate::errors::Errors;

    fn messages(attribute: proc_macro2::TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        parse(attribute, &mut errors);
        errors.messages()
    }

    #[test]
    fn every_mistake_is_reported() {
        let messages = messages(quote!(
            = 1, guest, "x" = 2, secert_env = f(a, b), issuer("a"),
            leeway = "1s" 5, expiry =, gest = true iss = "a"
        ));
        assert_eq!(messages.len(), 9, "{messages:#?}");
        assert_eq!(messages[1], "`guest` needs a value: write `guest = true`");
        assert_eq!(
            messages[3],
            "unknown option `secert_env`; did you mean `secret_env`?"
        );
        assert_eq!(
            messages[4],
            "`issuer` needs a value: write `issuer = \"https://auth.example.com\"`"
        );
    }

    #[test]
    fn an_unknown_option_is_answered_with_the_nearest_or_with_all() {
        assert_eq!(
            messages(quote!(iss = "a")),
            ["unknown option `iss`; did you mean `issuer`?"]
        );
        assert!(messages(quote!(database = "a"))[0].ends_with("`lookup_timeout` and `crate`"));
    }
}
