//! The mistakes in one use of the attribute, which are all reported at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

#[derive(Default)]
pub(crate) struct Errors {
    collected: Vec<syn::Error>,
}

impl Errors {
    /// Reports a mistake that spans all of `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn at_span(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.collected.push(error);
    }

    pub(crate) fn count(&self) -> usize {
        self.collected.len()
    }

    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.collected
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}

#[cfg(test)]
impl Errors {
    pub(crate) fn messages(&self) -> Vec<String> {
        self.collected.iter().map(ToString::to_string).collect()
    }
}
