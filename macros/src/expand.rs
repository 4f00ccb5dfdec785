//! The companion type of the function, and the impls that call it.

mod assertions;
mod builder_calls;
mod lookup;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Visibility, spanned::Spanned};

use crate::{
    checks::values::without_groups,
    forwarded_attrs::ForwardedAttrs,
    options::Form,
    parse::Entry,
    signature::{Function, Lookup},
};

/// Returns the companion of a well-formed function.
pub(crate) fn companion(function: &Function, lookup: &Lookup, entries: &[Entry]) -> TokenStream {
    let expansion = Expansion::new(function, entries);
    let calls: TokenStream = entries
        .iter()
        .map(|entry| expansion.builder_call(entry))
        .collect();

    let types = [
        expansion.definition(),
        expansion.constructors(&calls),
        expansion.user_lookup_impl(
            &lookup.claims.ty,
            &lookup.output.user,
            lookup.claims.is_optional,
        ),
        expansion.lookup_on_impl(lookup),
        expansion.assertions(lookup),
    ];
    types.into_iter().collect()
}

/// Returns the companion of a function that has a mistake. Code that names the companion compiles
/// with it, so that one mistake gives one message.
pub(crate) fn fallback(function: &Function, entries: &[Entry]) -> TokenStream {
    let expansion = Expansion::new(function, entries);
    let private = &expansion.private;
    let unknown = quote!(#private::UnknownType);

    let types = [
        expansion.definition(),
        expansion.constructors(&TokenStream::new()),
        expansion.user_lookup_impl(&unknown, &unknown, false),
        expansion.fallback_lookup_on_impl(),
    ];
    types.into_iter().collect()
}

struct Expansion<'a> {
    name: &'a Ident,
    visibility: &'a Visibility,
    attrs: ForwardedAttrs,
    /// The module of the runtime crate for generated code.
    private: TokenStream,
    /// The type parameter of a generated impl. The impl names types of the application, so no type
    /// must have this name.
    context: Ident,
}

impl<'a> Expansion<'a> {
    fn new(function: &'a Function, entries: &[Entry]) -> Self {
        Self {
            name: function.name(),
            visibility: &function.visibility,
            attrs: ForwardedAttrs::of(&function.attributes),
            private: private_module(entries),
            context: format_ident!("__C", span = Span::mixed_site()),
        }
    }

    fn definition(&self) -> TokenStream {
        let Self {
            name, visibility, ..
        } = self;
        let everywhere = &self.attrs.everywhere;
        let companion = &self.attrs.companion;
        let documentation = (!self.attrs.is_documented).then(
            || quote!(#[doc = "The connect middleware that calls the function of the same name."]),
        );

        quote! {
            #(#everywhere)*
            #(#companion)*
            #documentation
            #[allow(dead_code, non_camel_case_types)]
            #visibility struct #name {}
        }
    }

    fn constructors(&self, calls: &TokenStream) -> TokenStream {
        let Self {
            name,
            visibility,
            private,
            ..
        } = self;
        let everywhere = &self.attrs.everywhere;

        quote! {
            #(#everywhere)*
            #[automatically_derived]
            #[allow(dead_code, deprecated)]
            impl #name {
                /// Builds the connect middleware, for `.with(…)` on a connect handler.
                ///
                /// # Errors
                ///
                /// A setting of the attribute that cannot be used, such as an environment variable
                /// that is not set.
                #visibility fn middleware()
                -> #private::Result<#private::JwtAuth<Self>, #private::ConfigError> {
                    Self::builder().build()
                }

                /// Returns the builder of the middleware with the options of the attribute, to
                /// override one at run time or in a test.
                #visibility fn builder() -> #private::JwtAuthBuilder<Self> {
                    #private::JwtAuthBuilder::new(Self {}) #calls
                }
            }
        }
    }
}

/// Returns the place of `tokens` for an error in the generated code, whose names the code there
/// cannot see.
fn located_at(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.to_token_stream().span())
}

/// Returns the name of a local variable that the code of the application cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns the name of the runtime's module for this very version, so that two versions never meet.
pub(crate) fn version_name() -> Ident {
    format_ident!(
        "v{}_{}_{}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH")
    )
}

/// Returns the path of that module.
fn private_module(entries: &[Entry]) -> TokenStream {
    let given = entries
        .iter()
        .find(|entry| matches!(entry.rule.form, Form::Path))
        .and_then(|entry| entry.value.as_ref());
    let path = given.map_or_else(
        || quote!(::socketioxide_jwt_auth),
        |path| without_groups(path).to_token_stream(),
    );

    let version = version_name();
    quote!(#path::__private::#version)
}
