//! The function's attributes that what is generated carries too.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

pub(crate) struct Carried {
    /// `#[cfg]` and `#[allow]`: on everything.
    pub(crate) everywhere: Vec<TokenStream>,
    /// Documentation and `#[deprecated]`: on the companion type.
    pub(crate) companion: Vec<TokenStream>,
    pub(crate) is_documented: bool,
}

impl Carried {
    pub(crate) fn from(attributes: &[Attribute]) -> Self {
        Carried {
            everywhere: carried(attributes, &["cfg", "allow"]),
            companion: carried(attributes, &["doc", "deprecated"]),
            is_documented: attributes.iter().any(|attribute| attribute.path().is_ident("doc")),
        }
    }
}

fn carried(attributes: &[Attribute], names: &[&str]) -> Vec<TokenStream> {
    let metas = attributes.iter().filter_map(|attribute| carried_meta(&attribute.meta, names));
    metas.map(|meta| quote!(#[#meta])).collect()
}

/// The attribute if it is one of `names`; of a `#[cfg_attr]`, those of its attributes that are.
fn carried_meta(meta: &Meta, names: &[&str]) -> Option<TokenStream> {
    if names.iter().any(|name| meta.path().is_ident(name)) {
        return Some(quote!(#meta));
    }
    if !meta.path().is_ident("cfg_attr") {
        return None;
    }
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let mut arguments = meta.require_list().ok()?.parse_args_with(parser).ok()?.into_iter();
    let condition = arguments.next()?;
    let kept: Vec<_> = arguments.filter_map(|argument| carried_meta(&argument, names)).collect();
    if kept.is_empty() {
        return None;
    }
    Some(quote!(cfg_attr(#condition, #(#kept),*)))
}

#[cfg(test)]
mod tests {
    use super::Carried;
    use syn::parse_quote;

    fn texts(tokens: &[proc_macro2::TokenStream]) -> Vec<String> {
        tokens.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_suits_a_type_is_carried() {
        let carried = Carried::from(&[
            parse_quote!(#[doc = "Finds."]),
            parse_quote!(#[tracing::instrument]),
            parse_quote!(#[cfg(unix)]),
            parse_quote!(#[cfg_attr(docsrs, inline, doc(cfg(unix)), must_use)]),
            parse_quote!(#[cfg_attr(docsrs, inline)]),
        ]);
        assert_eq!(texts(&carried.everywhere), ["# [cfg (unix)]"]);
        assert_eq!(texts(&carried.companion), ["# [doc = \"Finds.\"]", "# [cfg_attr (docsrs , doc (cfg (unix)))]"]);
    }
}
