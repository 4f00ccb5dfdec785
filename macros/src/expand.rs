//! The companion type of the function, and the impls that call it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ReturnType, Type, Visibility, parse_quote_spanned};

use crate::checks::token_sources;
use crate::checks::values::without_groups;
use crate::forwarded_attrs::Carried;
use crate::parse::{Entry, Form};
use crate::signature::{Argument, Function, Lookup, OutputForm};
use crate::types::type_argument;

/// The companion of a well-formed function.
pub(crate) fn companion(function: &Function, lookup: &Lookup, entries: &[Entry]) -> TokenStream {
    let expansion = Expansion::new(function, entries);
    let calls: TokenStream = entries.iter().map(|entry| expansion.builder_call(entry)).collect();
    let types = [
        expansion.definition(),
        expansion.constructors(&calls),
        expansion.user_lookup(&lookup.claims.ty, &lookup.output.user, lookup.claims.is_optional),
        expansion.lookup_on(lookup),
        expansion.assertions(lookup),
    ];
    types.into_iter().collect()
}

/// The companion of a function that could not be understood. It lets code that names the companion
/// compile, so that one mistake gives one message.
pub(crate) fn fallback(function: &Function, entries: &[Entry]) -> TokenStream {
    let expansion = Expansion::new(function, entries);
    let private = &expansion.private;
    let unreadable = quote!(#private::Unreadable);
    let types = [
        expansion.definition(),
        expansion.constructors(&TokenStream::new()),
        expansion.user_lookup(&unreadable, &unreadable, false),
        expansion.lookup_of_nobody(),
    ];
    types.into_iter().collect()
}

struct Expansion<'a> {
    name: &'a Ident,
    visibility: &'a Visibility,
    carried: Carried,
    /// The module of the runtime crate that is made for generated code.
    private: TokenStream,
    /// The parameter of a generated impl. The user's types are named in it, so it must not be the
    /// name of one.
    adapter: Ident,
}

impl<'a> Expansion<'a> {
    fn new(function: &'a Function, entries: &[Entry]) -> Self {
        Expansion {
            name: function.name(),
            visibility: &function.visibility,
            carried: Carried::from(&function.attributes),
            private: private_module(entries),
            adapter: format_ident!("__A", span = Span::mixed_site()),
        }
    }

    fn definition(&self) -> TokenStream {
        let Expansion { name, visibility, .. } = self;
        let everywhere = &self.carried.everywhere;
        let companion = &self.carried.companion;
        let documentation = (!self.carried.is_documented)
            .then(|| quote!(#[doc = "The connect middleware that calls the function of the same name."]));
        quote! {
            #(#everywhere)*
            #(#companion)*
            #documentation
            #[allow(dead_code, non_camel_case_types)]
            #visibility struct #name {}
        }
    }

    fn constructors(&self, calls: &TokenStream) -> TokenStream {
        let Expansion { name, visibility, private, .. } = self;
        let everywhere = &self.carried.everywhere;
        quote! {
            #(#everywhere)*
            #[automatically_derived]
            #[allow(dead_code, deprecated)]
            impl #name {
                /// Builds the connect middleware, for `.with(…)` on a connect handler.
                ///
                /// # Errors
                ///
                /// If what the attribute names cannot be used, such as an environment variable that
                /// is not set.
                #visibility fn middleware() -> #private::Result<#private::JwtAuth<Self>, #private::ConfigError> {
                    Self::builder().build()
                }

                /// The builder of the middleware, filled from the attribute, to override an option
                /// at run time or in a test.
                #visibility fn builder() -> #private::JwtAuthBuilder<Self> {
                    #private::JwtAuthBuilder::new(Self {}) #calls
                }
            }
        }
    }

    fn builder_call(&self, entry: &Entry) -> TokenStream {
        let Some(value) = &entry.value else { return TokenStream::new() };
        let method = Ident::new(entry.rule.name, entry.key.span());
        match entry.rule.form {
            Form::Path => TokenStream::new(),
            Form::TokenSources => {
                let sources = token_sources::read(value).into_iter().map(|source| self.token_source(&source));
                quote!(.#method([#(#sources),*]))
            }
            Form::UserKey => {
                let key = owned_key(value);
                quote!(.#method(#key))
            }
            _ => quote!(.#method(#value)),
        }
    }

    fn token_source(&self, source: &token_sources::TokenSource) -> TokenStream {
        let Expansion { private, .. } = self;
        let (name, argument) = (source.name, source.argument());
        quote!(#private::TokenSource::#name(#argument))
    }

    fn user_lookup(&self, claims: &impl ToTokens, user: &impl ToTokens, for_guests: bool) -> TokenStream {
        let Expansion { name, private, .. } = self;
        let everywhere = &self.carried.everywhere;
        // The compiler points at the user's type if it is less visible than the function.
        let claims = quote_spanned!(located_at(claims)=> type Claims = #claims;);
        let user = quote_spanned!(located_at(user)=> type User = #user;);
        let called_for_guests = for_guests.then(|| quote! { const CALLED_FOR_GUESTS: bool = true; });
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
        let Expansion { private, adapter, .. } = self;
        let extractors = lookup.extractors();
        let bounds = quote!(#(#extractors: #private::FromConnectParts<#adapter>,)*);
        let (claims, request) = (local("claims"), local("request"));
        let only_with_claims = (!lookup.claims.is_optional).then(|| {
            quote! {
                let #private::Some(#claims) = #claims else {
                    return #private::Ok(#private::None);
                };
            }
        });
        let arguments = lookup.arguments.iter().map(|argument| self.argument(argument, &request));
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

    fn lookup_of_nobody(&self) -> TokenStream {
        let private = &self.private;
        let unreadable = quote!(#private::Unreadable);
        let body = quote!(#private::Ok(#private::None));
        self.look_up(&unreadable, &unreadable, &TokenStream::new(), &body)
    }

    fn look_up(
        &self,
        claims: &impl ToTokens,
        user: &impl ToTokens,
        bounds: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let Expansion { name, private, adapter, .. } = self;
        let everywhere = &self.carried.everywhere;
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
            impl<#adapter> #private::LookupOn<#adapter> for #name
            where
                #adapter: #private::Adapter,
                #bounds
            {
                fn look_up<'a>(
                    &'a self,
                    #claims_local: #private::Option<#claims>,
                    #request: #private::LookupRequest<'a, #adapter>,
                ) -> #returned {
                    #future
                }
            }
        }
    }

    /// The call of the user's function.
    fn outcome(&self, lookup: &Lookup, arguments: &TokenStream) -> TokenStream {
        let Expansion { name, private, .. } = self;
        // The compiler points here if the return type is not what its name says.
        let at_return = located_at(&lookup.output.ty);
        let user = &lookup.output.user;
        let outcome = match lookup.output.form {
            OutputForm::Option => quote_spanned!(at_return=> outcome_of_option::<#user>),
            OutputForm::Result => quote_spanned!(at_return=> outcome_of_result::<#user, _>),
            OutputForm::ResultOfOption => quote_spanned!(at_return=> outcome_of_result_option::<#user, _>),
        };
        let mut function = Ident::clone(name);
        function.set_span(at_return.resolved_at(name.span()));
        let wait = lookup.is_async.then(|| quote_spanned!(at_return=> .await));
        quote_spanned!(at_return=> #private::#outcome(#function(#arguments) #wait))
    }

    /// Checks at the types' own places what the generated impls would show elsewhere, or not at all.
    fn assertions(&self, lookup: &Lookup) -> TokenStream {
        let everywhere = &self.carried.everywhere;
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
        // Without `located_at`: for an expression of the macro's own, the compiler would point at the whole attribute.
        let call = quote_spanned!(ty.span()=> __assert_type(#is_option_like););
        let name = quote_spanned!(ty.span()=> __assert_type);
        quote! {
            use #private::{NotOptionLike as _, #assertion as #name};
            #call
        }
    }

    /// The impl is generic over the adapter, so what is no extractor would be an error where the middleware is used;
    /// here it is one at the parameter's type.
    fn extractor_assertions(&self, lookup: &Lookup) -> TokenStream {
        let Expansion { private, .. } = self;
        let extractors = lookup.extractors();
        let adapter = extractors.iter().find_map(|ty| named_adapter(ty));
        let adapter = adapter.map_or_else(|| quote!(#private::LocalAdapter), ToTokens::to_token_stream);
        quote!(#(#private::assert_extractor::<#extractors, #adapter>();)*)
    }
}

/// A closure cannot return what it borrows from a parameter of inferred lifetime, as `|user: &User| &user.name` does,
/// so that its text is returned.
fn owned_key(value: &Expr) -> TokenStream {
    let Expr::Closure(closure) = without_groups(value) else { return value.to_token_stream() };
    // There may be a `return` in a block.
    if matches!(*closure.body, Expr::Block(_)) || !matches!(closure.output, ReturnType::Default) {
        return value.to_token_stream();
    }
    let mut closure = closure.clone();
    let body = &closure.body;
    closure.body = parse_quote_spanned!(located_at(body)=> ::std::string::ToString::to_string(&(#body)));
    closure.to_token_stream()
}

/// The adapter that a `SocketRef<X>` or a `SocketIo<X>` names.
fn named_adapter(ty: &Type) -> Option<&Type> {
    type_argument(ty, "SocketRef").or_else(|| type_argument(ty, "SocketIo"))
}

/// Where errors in the generated code are shown, without a view of the names used there.
fn located_at(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.to_token_stream().span())
}

/// A name of the generated code's own, which the user's code cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The module's name holds the version, so that two versions of the crates never meet.
fn private_module(entries: &[Entry]) -> TokenStream {
    let version = format_ident!(
        "v{}_{}_{}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH")
    );
    let path = entries.iter().find(|entry| matches!(entry.rule.form, Form::Path));
    let path = path.and_then(|entry| entry.value.as_ref()).map(without_groups);
    let path = path.map_or_else(|| quote!(::socketioxide_jwt_auth), ToTokens::to_token_stream);
    quote!(#path::__private::#version)
}
