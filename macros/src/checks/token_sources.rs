//! The value of `token`: `[auth("token"), bearer, header("x-auth-token")]`.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, Lit};

use crate::{
    checks::{
        strings::{self, Check},
        values::{literal, without_groups},
    },
    errors::Errors,
    suggest,
};

/// Every source: its name, and the check of its argument if it takes one.
const SOURCES: &[(&str, Option<Check>)] = &[
    ("auth", Some(strings::not_empty)),
    ("bearer", None),
    ("authorization", Some(strings::http_token)),
    ("header", Some(strings::http_token)),
    ("query", Some(strings::not_empty)),
    ("cookie", Some(strings::http_token)),
];

/// One source as it was written.
pub(crate) struct TokenSource<'a> {
    pub(crate) name: &'a Ident,
    argument: Option<(&'a Expr, Check)>,
}

impl<'a> TokenSource<'a> {
    pub(crate) fn argument(&self) -> Option<&'a Expr> {
        self.argument.map(|(argument, _)| argument)
    }
}

/// Reports what is wrong with the list.
pub(crate) fn check(value: &Expr, errors: &mut Errors) {
    let Expr::Array(list) = without_groups(value) else {
        errors.at(
            value,
            "`token` expects a list of sources: write `token = [auth(\"token\"), bearer]`",
        );
        return;
    };

    if list.elems.is_empty() {
        errors.at(
            list,
            "`token` must not be an empty list: write `token = [auth(\"token\"), bearer]`",
        );
    }

    let mut seen = HashSet::new();
    for element in &list.elems {
        if let Err(error) = source(element).and_then(|source| check_name(&source)) {
            errors.push(error);
        } else if !seen.insert(identity(element)) {
            errors.at(
                element,
                "`token` lists this source twice; remove one of them",
            );
        }
    }
}

/// Returns what two spellings of one source have in common: the case of a scheme does not matter,
/// and `bearer` is one.
fn identity(element: &Expr) -> String {
    let written = element.to_token_stream().to_string();
    let Ok(TokenSource { name, argument }) = source(element) else {
        return written;
    };

    let scheme = match argument.map(|(argument, _)| literal(argument)) {
        None if name == "bearer" => "bearer".to_owned(),
        Some(Some(Lit::Str(scheme))) if name == "authorization" => {
            scheme.value().to_ascii_lowercase()
        }
        _ => return written,
    };
    format!("authorization {scheme}")
}

/// Returns the sources of a list that has been checked.
pub(crate) fn parse(value: &Expr) -> Vec<TokenSource<'_>> {
    match without_groups(value) {
        Expr::Array(list) => list
            .elems
            .iter()
            .filter_map(|element| source(element).ok())
            .collect(),
        _ => Vec::new(),
    }
}

fn source(element: &Expr) -> syn::Result<TokenSource<'_>> {
    let (path, arguments) = match without_groups(element) {
        Expr::Path(path) => (path, None),
        Expr::Call(call) => match without_groups(&call.func) {
            Expr::Path(path) => (path, Some(call.args.iter().collect::<Vec<_>>())),
            _ => return Err(not_a_source(element)),
        },
        _ => return Err(not_a_source(element)),
    };

    let name = path.path.get_ident().ok_or_else(|| not_a_source(element))?;
    let Some((_, check)) = SOURCES.iter().find(|(source, _)| name == source) else {
        return Err(unknown_source(name));
    };

    let wrong_arguments = |message: String| Err(syn::Error::new_spanned(element, message));
    match (check, arguments.as_deref()) {
        (None, None) => Ok(TokenSource {
            name,
            argument: None,
        }),
        (None, Some(_)) => wrong_arguments(format!("`{name}` takes no argument: write `{name}`")),
        (Some(check), Some([argument])) => Ok(TokenSource {
            name,
            argument: Some((argument, *check)),
        }),
        (Some(_), _) => {
            wrong_arguments(format!("`{name}` takes one name: write `{name}(\"name\")`"))
        }
    }
}

fn check_name(source: &TokenSource) -> syn::Result<()> {
    let TokenSource {
        name,
        argument: Some((argument, check)),
    } = source
    else {
        return Ok(());
    };

    let wrong = match literal(argument) {
        Some(Lit::Str(string)) => check(&string.value()).err(),
        Some(_) => Some(format!("must be a string: write `{name}(\"name\")`")),
        None => None,
    };

    match wrong {
        Some(wrong) => Err(syn::Error::new_spanned(
            argument,
            format!("the name in `{name}` {wrong}"),
        )),
        None => Ok(()),
    }
}

fn not_a_source(element: &Expr) -> syn::Error {
    let message = "expected a token source: `auth(\"key\")`, `bearer`, `authorization(\"scheme\")`, \
        `header(\"name\")`, `query(\"name\")` or `cookie(\"name\")`";
    syn::Error::new_spanned(element, message)
}

fn unknown_source(name: &Ident) -> syn::Error {
    let names = SOURCES.iter().map(|(name, _)| *name);
    let message = match suggest::nearest(&name.to_string(), names.clone()) {
        Some(nearest) => format!("unknown token source `{name}`; did you mean `{nearest}`?"),
        None => format!(
            "unknown token source `{name}`; the sources are {}",
            suggest::listed(names)
        ),
    };
    syn::Error::new_spanned(name, message)
}

#[cfg(test)]
mod tests {
    use syn::{Expr, parse_quote};

    use super::{check, parse};
    use crate::errors::Errors;

    fn messages(value: &Expr) -> Vec<String> {
        let mut errors = Errors::default();
        check(value, &mut errors);
        errors.messages()
    }

    #[test]
    fn a_list_of_sources_is_parsed() {
        let value = parse_quote!([
            auth("token"),
            bearer,
            authorization("JWT"),
            authorization("Token"),
            authorization(SCHEME),
            header(HEADER)
        ]);
        assert_eq!(messages(&value), [""; 0]);
        let names: Vec<_> = parse(&value)
            .iter()
            .map(|source| source.name.to_string())
            .collect();
        let authorization = "authorization";
        assert_eq!(
            names,
            [
                "auth",
                "bearer",
                authorization,
                authorization,
                authorization,
                "header"
            ]
        );
    }

    #[test]
    fn every_wrong_source_is_reported() {
        let messages = messages(&parse_quote!([
            aut("k"),
            bearer(),
            header,
            cookie("a b"),
            query(5),
            bearer,
            bearer,
            authorization("BEARER"),
            authorization("JWT"),
            authorization("jwt"),
            authorization("JWT "),
            authorization(""),
            authorization,
            "x"
        ]));
        let parts = [
            "did you mean `auth`?",
            "write `bearer`",
            "write `header(\"name\")`",
            "must not contain ' '",
            "must be a string",
            "lists this source twice",
            "lists this source twice",
            "lists this source twice",
            "must not contain ' '",
            "must not be empty",
            "write `authorization(\"name\")`",
            "expected a token source",
        ];
        assert_eq!(messages.len(), parts.len(), "{messages:#?}");
        for (message, part) in messages.iter().zip(parts) {
            assert!(message.contains(part), "{message}");
        }
    }
}
