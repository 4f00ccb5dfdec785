//! The types in the function's signature.

use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment, Type,
    TypeFnPtr, TypeImplTrait, TypeReference,
    visit::{self, Visit},
};

use crate::errors::Errors;

/// A type that comes out of a `macro_rules!` macro stands in an invisible group.
pub(crate) fn without_groups(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => without_groups(&group.elem),
        Type::Paren(paren) => without_groups(&paren.elem),
        other => other,
    }
}

pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match without_groups(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Returns the `T` of `name<T, ..>`, with any path to `name`.
pub(crate) fn type_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    }
}

/// Reports what a parameter's type must not contain.
pub(crate) fn check_parameter(ty: &Type, errors: &mut Errors) {
    if let Type::Reference(reference) = without_groups(ty) {
        errors.at(
            reference,
            "a parameter must own its value; take it without the `&`",
        );
        return;
    }
    Nameable { errors }.visit_type(ty);
}

/// Reports what the user's type must not contain.
pub(crate) fn check_user(ty: &Type, errors: &mut Errors) {
    Nameable { errors }.visit_type(ty);
}

/// Finds what is valid in a function's signature only. The generated code names the type again
/// elsewhere.
struct Nameable<'a> {
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for Nameable<'_> {
    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.errors.at(
            ty,
            "the type must be named; write it instead of `impl Trait`",
        );
    }

    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        if reference.lifetime.is_none() {
            self.errors.at(
                reference,
                "the type must own what it holds; write an owned type instead of this reference",
            );
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.errors.at(
                lifetime,
                "the type must own what it holds; use no lifetime but `'static`",
            );
        }
    }

    // The elided lifetimes of `fn(&str)` and `dyn Fn(&str)` belong to these types alone.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::{Type, parse_quote};

    use super::{check_parameter, type_argument};
    use crate::errors::Errors;

    fn argument_of(ty: &Type, name: &str) -> Option<String> {
        type_argument(ty, name).map(|argument| argument.to_token_stream().to_string())
    }

    fn mistakes(ty: &Type) -> usize {
        let mut errors = Errors::default();
        check_parameter(ty, &mut errors);
        errors.count()
    }

    #[test]
    fn a_type_is_found_through_any_path() {
        assert_eq!(
            argument_of(&parse_quote!(Option<User>), "Option").as_deref(),
            Some("User")
        );
        assert_eq!(
            argument_of(&parse_quote!(sqlx::Result<User>), "Result").as_deref(),
            Some("User")
        );
        assert_eq!(
            argument_of(&parse_quote!(::std::io::Result<u8>), "Result").as_deref(),
            Some("u8")
        );
        assert_eq!(argument_of(&parse_quote!(Vec<User>), "Option"), None);
        assert_eq!(argument_of(&parse_quote!(Option), "Option"), None);
    }

    #[test]
    fn only_a_type_that_can_be_named_again_is_accepted() {
        assert_eq!(mistakes(&parse_quote!(State<Db>)), 0);
        assert_eq!(mistakes(&parse_quote!(State<&'static str>)), 0);
        assert_eq!(mistakes(&parse_quote!(State<fn(&str) -> &str>)), 0);
        assert_eq!(mistakes(&parse_quote!(State<Box<dyn Fn(&str)>>)), 0);
        assert_eq!(mistakes(&parse_quote!(&State<Db>)), 1);
        assert_eq!(mistakes(&parse_quote!(State<&str>)), 1);
        assert_eq!(mistakes(&parse_quote!(Cow<'_, str>)), 1);
        assert_eq!(mistakes(&parse_quote!(impl Extractor)), 1);
    }
}
