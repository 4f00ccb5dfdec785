//! Checks of the types in the signature by the compiler.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::Expansion;
use crate::{signature::Lookup, types::type_argument};

impl Expansion<'_> {
    /// Returns checks of the types in the signature, each with its error at the type.
    pub(super) fn assertions(&self, lookup: &Lookup) -> TokenStream {
        let everywhere = &self.attrs.everywhere;
        let assertions = [
            self.type_assertion(&format_ident!("assert_claims"), &lookup.claims.ty),
            self.type_assertion(&format_ident!("assert_user"), &lookup.output.user),
            self.extractor_assertions(lookup),
        ];

        let assertions = assertions.iter().map(|assertion| {
            quote! {
                #(#everywhere)*
                #[allow(deprecated, unused_imports)]
                const _: () = { #assertion };
            }
        });
        quote!(#(#assertions)*)
    }

    /// The macro sees only the names of types, so an alias of `Option` is found by the compiler.
    fn type_assertion(&self, assertion: &Ident, ty: &Type) -> TokenStream {
        let Self { private, .. } = self;
        let is_option_like = quote!(#private::TypeCheck::<#ty>::IS_OPTION_LIKE);
        // Without `located_at`: for an expression of the macro's own, the compiler would point at
        // the whole attribute.
        let call = quote_spanned!(ty.span()=> __assert_type(#is_option_like););
        let name = quote_spanned!(ty.span()=> __assert_type);

        quote! {
            use #private::{NotOptionLike as _, #assertion as #name};
            #call
        }
    }

    /// The impl is generic over the adapter, so a parameter that is not an extractor would be an
    /// error where the middleware is used. Here it is an error at the parameter's type.
    fn extractor_assertions(&self, lookup: &Lookup) -> TokenStream {
        let Self { private, .. } = self;
        let extractors = lookup.extractors();
        let named = extractors.iter().find_map(|ty| named_adapter(ty));
        let adapter =
            named.map_or_else(|| quote!(#private::LocalAdapter), ToTokens::to_token_stream);

        quote!(#(#private::assert_extractor::<#extractors, #adapter>();)*)
    }
}

/// Returns the `X` of a `SocketRef<X>` or a `SocketIo<X>`.
fn named_adapter(ty: &Type) -> Option<&Type> {
    type_argument(ty, "SocketRef").or_else(|| type_argument(ty, "SocketIo"))
}
