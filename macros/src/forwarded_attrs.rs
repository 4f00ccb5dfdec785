//! The function's attributes that the generated items get, too.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Meta, Token, punctuated::Punctuated};

pub(crate) struct ForwardedAttrs {
    /// `#[cfg]` and `#[allow]`: on everything.
    pub(crate) everywhere: Vec<TokenStream>,
    /// Documentation and `#[deprecated]`: on the companion type.
    pub(crate) companion: Vec<TokenStream>,
    pub(crate) is_documented: bool,
}

impl ForwardedAttrs {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        Self {
            everywhere: forwarded(attributes, &["cfg", "allow"]),
            companion: forwarded(attributes, &["doc", "deprecated"]),
            is_documented: attributes
                .iter()
                .any(|attribute| attribute.path().is_ident("doc")),
        }
    }
}

fn forwarded(attributes: &[Attribute], names: &[&str]) -> Vec<TokenStream> {
    let metas = attributes
        .iter()
        .filter_map(|attribute| forwarded_meta(&attribute.meta, names));
    metas.map(|meta| quote!(#[#meta])).collect()
}

/// Returns the attribute if it is one of `names`. Of a `#[cfg_attr]`, returns the attributes in it
/// that are.
fn forwarded_meta(meta: &Meta, names: &[&str]) -> Option<TokenStream> {
    if names.iter().any(|name| meta.path().is_ident(name)) {
        return Some(quote!(#meta));
    }
    if !meta.path().is_ident("cfg_attr") {
        return None;
    }

    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let mut arguments = meta
        .require_list()
        .ok()?
        .parse_args_with(parser)
        .ok()?
        .into_iter();
    let condition = arguments.next()?;
    let kept: Vec<_> = arguments
        .filter_map(|argument| forwarded_meta(&argument, names))
        .collect();

    if kept.is_empty() {
        return None;
    }
    Some(quote!(cfg_attr(#condition, #(#kept),*)))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::ForwardedAttrs;

    fn texts(tokens: &[proc_macro2::TokenStream]) -> Vec<String> {
        tokens.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_attributes_that_suit_a_type_are_forwarded() {
        let attrs = ForwardedAttrs::of(&[
            parse_quote!(#[doc = "Finds."]),
            parse_quote!(#[tracing::instrument]),
            parse_quote!(#[cfg(unix)]),
            parse_quote!(#[cfg_attr(docsrs, inline, doc(cfg(unix)), must_use)]),
            parse_quote!(#[cfg_attr(docsrs, inline)]),
        ]);
        assert_eq!(texts(&attrs.everywhere), ["# [cfg (unix)]"]);
        assert_eq!(
            texts(&attrs.companion),
            [
                "# [doc = \"Finds.\"]",
                "# [cfg_attr (docsrs , doc (cfg (unix)))]"
            ]
        );
    }
}
