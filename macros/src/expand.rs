//! The companion type of the function, and the impls that call it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, ReturnType, Type, Visibility, parse_quote_spanned, spanned::Spanned};

use crate::{
    checks::{claim_values, token_sources, values::without_groups},
    forwarded_attrs::ForwardedAttrs,
    options::Form,
    parse::Entry,
    signature::{Argument, Function, Lookup, OutputForm},
    types::type_argument,
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
        expansion.user_lookup(
            &lookup.claims.ty,
            &lookup.output.user,
            lookup.claims.is_optional,
        ),
        expansion.lookup_on(lookup),
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
        expansion.user_lookup(&unknown, &unknown, false),
        expansion.fallback_lookup(),
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

    fn builder_call(&self, entry: &Entry) -> TokenStream {
        let Some(value) = &entry.value else {
            return TokenStream::new();
        };
        let method = Ident::new(entry.rule.name, entry.key.span());

        match entry.rule.form {
            Form::Path | Form::Flag => TokenStream::new(),
            Form::TokenSources => {
                let sources = token_sources::parse(value)
                    .into_iter()
                    .map(|source| self.token_source(&source));
                quote!(.#method([#(#sources),*]))
            }
            Form::ClaimValues => {
                let claims = claim_values::parse(value).into_iter();
                let calls = claims
                    .map(|claim_values::Claim { name, values }| quote!(.#method(#name, #values)));
                calls.collect()
            }
            Form::UserKey => {
                let key = owned_key(
                    value,
                    |key| quote!(::std::string::ToString::to_string(&#key)),
                );
                quote!(.#method(#key))
            }
            Form::SessionKey => {
                let Self { private, .. } = self;
                let key = owned_key(value, |key| quote!(#private::session_key(#key)));
                quote!(.#method(#key))
            }
            // The compiler cannot tell the type of its elements.
            Form::ListOrNone(_) if is_empty_list(value) => {
                let Self { private, .. } = self;
                quote!(.#method(#private::EMPTY_LIST))
            }
            _ => quote!(.#method(#value)),
        }
    }

    fn token_source(&self, source: &token_sources::TokenSource) -> TokenStream {
        let Self { private, .. } = self;
        let (name, argument) = (source.name, source.argument());
        quote!(#private::TokenSource::#name(#argument))
    }

    fn user_lookup(
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

    fn lookup_on(&self, lookup: &Lookup) -> TokenStream {
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
        let outcome = self.outcome(lookup, &quote!(#claims, #(#arguments),*));
        let body = quote!(#only_with_claims #outcome);
        self.look_up(&lookup.claims.ty, &lookup.output.user, &bounds, &body)
    }

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

    fn fallback_lookup(&self) -> TokenStream {
        let private = &self.private;
        let unknown = quote!(#private::UnknownType);
        let body = quote!(#private::Ok(#private::None));
        self.look_up(&unknown, &unknown, &TokenStream::new(), &body)
    }

    fn look_up(
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

    /// Returns the call of the annotated function.
    fn outcome(&self, lookup: &Lookup, arguments: &TokenStream) -> TokenStream {
        let Self { name, private, .. } = self;
        // The compiler points here if an alias of the return type hides another type.
        let at_return = located_at(&lookup.output.ty);
        let user = &lookup.output.user;
        let outcome = match lookup.output.form {
            OutputForm::Option => quote_spanned!(at_return=> outcome_of_option::<#user>),
            OutputForm::Result => quote_spanned!(at_return=> outcome_of_result::<#user, _>),
            OutputForm::ResultOfOption => {
                quote_spanned!(at_return=> outcome_of_result_option::<#user, _>)
            }
        };

        let mut function = Ident::clone(name);
        function.set_span(at_return.resolved_at(name.span()));
        let wait = lookup.is_async.then(|| quote_spanned!(at_return=> .await));
        quote_spanned!(at_return=> #private::#outcome(#function(#arguments) #wait))
    }

    /// Returns checks of the types in the signature, each with its error at the type.
    fn assertions(&self, lookup: &Lookup) -> TokenStream {
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
        let adapter = extractors.iter().find_map(|ty| named_adapter(ty));
        let adapter =
            adapter.map_or_else(|| quote!(#private::LocalAdapter), ToTokens::to_token_stream);
        quote!(#(#private::assert_extractor::<#extractors, #adapter>();)*)
    }
}

fn is_empty_list(value: &Expr) -> bool {
    matches!(without_groups(value), Expr::Array(list) if list.elems.is_empty())
}

/// Makes the closure return an owned value, because a closure cannot return what it borrows from a
/// parameter of inferred lifetime, as `|user: &User| &user.name` does.
fn owned_key(value: &Expr, to_owned: impl FnOnce(TokenStream) -> TokenStream) -> TokenStream {
    let Expr::Closure(closure) = without_groups(value) else {
        return value.to_token_stream();
    };
    // There may be a `return` in a block.
    if matches!(*closure.body, Expr::Block(_)) || !matches!(closure.output, ReturnType::Default) {
        return value.to_token_stream();
    }

    let mut closure = closure.clone();
    let body = &closure.body;
    let at_body = located_at(body);
    let owned = to_owned(quote_spanned!(at_body=> (#body)));
    closure.body = parse_quote_spanned!(at_body=> #owned);
    closure.to_token_stream()
}

/// Returns the `X` of a `SocketRef<X>` or a `SocketIo<X>`.
fn named_adapter(ty: &Type) -> Option<&Type> {
    type_argument(ty, "SocketRef").or_else(|| type_argument(ty, "SocketIo"))
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
    let version = version_name();
    let path = entries
        .iter()
        .find(|entry| matches!(entry.rule.form, Form::Path));
    let path = path
        .and_then(|entry| entry.value.as_ref())
        .map(without_groups);
    let path = path.map_or_else(
        || quote!(::socketioxide_jwt_auth),
        ToTokens::to_token_stream,
    );
    quote!(#path::__private::#version)
}
