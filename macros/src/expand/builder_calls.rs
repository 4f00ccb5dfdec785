//! Options as calls of the builder.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ReturnType, parse_quote_spanned};

use super::{Expansion, located_at};
use crate::{
    checks::{claim_values, token_sources, values::without_groups},
    options::Form,
    parse::Entry,
};

impl Expansion<'_> {
    /// Returns the call of the builder's method that has the name of the option.
    pub(super) fn builder_call(&self, entry: &Entry) -> TokenStream {
        let Some(value) = &entry.value else {
            return TokenStream::new();
        };
        let private = &self.private;
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
                let key = owned_key(value, |key| quote!(#private::session_key(#key)));
                quote!(.#method(#key))
            }
            // The compiler cannot tell the type of its elements.
            Form::ListOrNone(_) if is_empty_list(value) => {
                quote!(.#method(#private::EMPTY_LIST))
            }
            _ => quote!(.#method(#value)),
        }
    }

    fn token_source(&self, source: &token_sources::TokenSource) -> TokenStream {
        let private = &self.private;
        let (name, argument) = (source.name, source.argument());
        quote!(#private::TokenSource::#name(#argument))
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
