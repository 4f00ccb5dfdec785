//! The impls that call the annotated function: `UserLookup` and `LookupOn`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{Expansion, local, located_at};
use crate::signature::{Argument, Lookup, OutputForm};

impl Expansion<'_> {
    /// Returns the impl of `UserLookup`: the types of claims and user.
    pub(super) fn user_lookup_impl(
        &self,
        claims: &impl ToTokens,
        user: &impl ToTokens,
        for_guests: bool,
    ) -> TokenStream {
        let Self { name, private, .. } = self;
        let everywhere = &self.attrs.everywhere;

        // The compiler points at the user's type if it is less visible than the function.
        let claims = quote_spanned!(located_at(claims)=> type Claims = #claims;);
        let user = quote_spanned!(located_at(user)=> type User = #user;);
        let called_for_guests =
            for_guests.then(|| quote! { const CALLED_FOR_GUESTS: bool = true; });

        quote! {
            #(#everywhere)*
            #[automatically_derived]
            #[allow(deprecated)]
            impl #private::UserLookup for #name {
                #claims
                #user
                #called_for_guests
            }
        }
    }

    /// Returns the impl of `LookupOn` that calls the annotated function.
    pub(super) fn lookup_on_impl(&self, lookup: &Lookup) -> TokenStream {
        let Self {
            private, context, ..
        } = self;
        let extractors = lookup.extractors();
        let bounds = quote!(#(#extractors: #private::FromLookupRequest<#context>,)*);
        let (claims, request) = (local("claims"), local("request"));

        let only_with_claims = (!lookup.claims.is_optional).then(|| {
            quote! {
                let #private::Some(#claims) = #claims else {
                    return #private::Ok(#private::None);
                };
            }
        });

        let arguments = lookup
            .arguments
            .iter()
            .map(|argument| self.argument(argument, &request));
        let outcome = self.function_call(lookup, &quote!(#claims, #(#arguments),*));
        let body = quote!(#only_with_claims #outcome);
        self.lookup_on_impl_with_body(&lookup.claims.ty, &lookup.output.user, &bounds, &body)
    }

    /// Returns an impl of `LookupOn` that finds no user.
    pub(super) fn fallback_lookup_on_impl(&self) -> TokenStream {
        let private = &self.private;
        let unknown = quote!(#private::UnknownType);
        let body = quote!(#private::Ok(#private::None));
        self.lookup_on_impl_with_body(&unknown, &unknown, &TokenStream::new(), &body)
    }

    fn lookup_on_impl_with_body(
        &self,
        claims: &impl ToTokens,
        user: &impl ToTokens,
        bounds: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let Self {
            name,
            private,
            context,
            ..
        } = self;
        let everywhere = &self.attrs.everywhere;
        let (claims_local, request) = (local("claims"), local("request"));

        // The compiler points here if the function's future is not `Send`.
        let at_name = located_at(name);
        let returned = quote_spanned! {at_name=>
            impl #private::Future<Output = #private::LookupResult<#user>> + #private::Send + 'a
        };
        let future = quote_spanned!(at_name=> async move { #body });

        quote! {
            #(#everywhere)*
            #[automatically_derived]
            #[allow(deprecated)]
            impl<#context> #private::LookupOn<#context> for #name
            where
                #context: #private::LookupContext,
                #bounds
            {
                fn look_up<'a>(
                    &'a self,
                    #claims_local: #private::Option<#claims>,
                    #request: #private::LookupRequest<'a, #context>,
                ) -> #returned {
                    #future
                }
            }
        }
    }

    /// Returns the value of a parameter after the claims.
    fn argument(&self, argument: &Argument, request: &Ident) -> TokenStream {
        let private = &self.private;

        match argument {
            Argument::Extractor(ty) => quote_spanned!(located_at(ty)=> #request.extract::<#ty>()?),
            Argument::OptionalRawToken => quote!(#request.token().cloned()),
            // Only a guest has no token, and this function is not called for guests.
            Argument::RawToken => {
                let token = local("token");
                quote! {
                    match #request.token().cloned() {
                        #private::Some(#token) => #token,
                        #private::None => return #private::Ok(#private::None),
                    }
                }
            }
        }
    }

    /// Returns the call of the annotated function.
    fn function_call(&self, lookup: &Lookup, arguments: &TokenStream) -> TokenStream {
        let Self { name, private, .. } = self;

        // The compiler points here if an alias of the return type hides another type.
        let at_return = located_at(&lookup.output.ty);
        let user = &lookup.output.user;
        let into_outcome = match lookup.output.form {
            OutputForm::Option => quote_spanned!(at_return=> outcome_of_option::<#user>),
            OutputForm::Result => quote_spanned!(at_return=> outcome_of_result::<#user, _>),
            OutputForm::ResultOfOption => {
                quote_spanned!(at_return=> outcome_of_result_option::<#user, _>)
            }
        };

        let mut function = Ident::clone(name);
        function.set_span(at_return.resolved_at(name.span()));
        let wait = lookup.is_async.then(|| quote_spanned!(at_return=> .await));
        quote_spanned!(at_return=> #private::#into_outcome(#function(#arguments) #wait))
    }
}
