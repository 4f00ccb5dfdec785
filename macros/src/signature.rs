//! The annotated function: its claims, its extractors, what it returns.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Attribute, FnArg, PatType, ReturnType, Safety, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream},
};

use crate::{
    errors::Errors,
    types::{self, last_segment, type_argument},
};

/// A function without its body, which is left to the compiler: it may be incomplete while it is
/// being typed.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let starts_a_function = input.peek(Token![fn])
            || input.peek(Token![async])
            || input.peek(Token![const])
            || input.peek(Token![unsafe])
            || input.peek(Token![extern]);

        if !starts_a_function {
            let message = "`#[jwt_auth]` belongs on a function, such as \
                `async fn authenticate(claims: Claims) -> Option<User>`";
            return Err(input.error(message));
        }

        let signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(
                input.error("the function needs a body, which finds the user of a token's claims")
            );
        }
        input.parse::<TokenStream>()?;

        Ok(Self {
            attributes,
            visibility,
            signature,
        })
    }
}

impl Function {
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }
}

/// A well-formed function: what it takes and what it returns.
pub(crate) struct Lookup {
    pub(crate) claims: Claims,
    /// The parameters after the claims.
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Output,
    pub(crate) is_async: bool,
}

/// The first parameter.
pub(crate) struct Claims {
    pub(crate) ty: Type,
    /// Whether it is an `Option`: then the function is also called for a guest.
    pub(crate) is_optional: bool,
}

pub(crate) enum Argument {
    RawToken,
    /// `Option<RawToken>`, which is `None` for a guest.
    OptionalRawToken,
    Extractor(Box<Type>),
}

/// The return type.
pub(crate) struct Output {
    pub(crate) ty: Type,
    pub(crate) user: Type,
    pub(crate) form: OutputForm,
}

#[derive(Clone, Copy)]
pub(crate) enum OutputForm {
    Option,
    Result,
    ResultOfOption,
}

impl Lookup {
    /// Reports what is wrong with the function. Returns `None` if anything is.
    pub(crate) fn parse(signature: &Signature, errors: &mut Errors) -> Option<Self> {
        let before = errors.count();
        check_kind(signature, errors);
        let parameters = parameters(signature, errors);
        check_claims(&parameters, errors);
        check_raw_token(&parameters, errors);
        let output = output(signature, errors);

        if errors.count() > before {
            return None;
        }

        let mut parameters = parameters.into_iter();
        Some(Self {
            claims: claims(parameters.next()?),
            arguments: parameters.map(argument).collect(),
            output: output?,
            is_async: signature.asyncness.is_some(),
        })
    }

    pub(crate) fn extractors(&self) -> Vec<&Type> {
        let types = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Extractor(ty) => Some(&**ty),
            Argument::RawToken | Argument::OptionalRawToken => None,
        });
        types.collect()
    }
}

fn check_kind(signature: &Signature, errors: &mut Errors) {
    if !signature.generics.params.is_empty() {
        let message = "the function must not be generic: a middleware has one type of claims and one of user; \
            name the types";
        errors.at(&signature.generics, message);
    } else if let Some(clause) = &signature.generics.where_clause {
        errors.at(
            clause,
            "the function is not generic and needs no `where` clause; remove it",
        );
    }

    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(token, "the function must be safe to call; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "the function is called from Rust; remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic,
            "the function must have a fixed number of parameters; remove `...`",
        );
    }
}

fn parameters(signature: &Signature, errors: &mut Errors) -> Vec<Type> {
    if signature.inputs.is_empty() {
        let message = "the function needs the token's claims as its first parameter: \
            write `claims: Claims`, where `Claims` implements `Deserialize`";
        errors.at_span(signature.paren_token.span.join(), message);
    }

    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) => Some(parameter),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|parameter| {
            check_attributes(parameter, errors);
            types::check_parameter(&parameter.ty, errors);
            Type::clone(&parameter.ty)
        })
        .collect()
}

fn check_attributes(parameter: &PatType, errors: &mut Errors) {
    for attribute in &parameter.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors.at(
                attribute,
                "a parameter cannot be conditional; put the `#[cfg]` on two whole functions",
            );
        }
    }
}

/// The extractors that could stand before the claims by mistake, and whether they have a type
/// argument: a type of the application may have such a name too.
const EXTRACTORS: [(&str, bool); 10] = [
    ("AuthClaims", true),
    ("AuthUser", true),
    ("Extension", true),
    ("HttpExtension", true),
    ("MaybeAuthUser", true),
    ("MaybeExtension", true),
    ("MaybeHttpExtension", true),
    ("RawToken", false),
    ("SocketRef", false),
    ("State", true),
];

fn check_claims(parameters: &[Type], errors: &mut Errors) {
    let Some(first) = parameters.first() else {
        return;
    };
    let claims = type_argument(first, "Option").unwrap_or(first);

    let is_extractor = EXTRACTORS.iter().any(|(name, has_argument)| {
        last_segment(claims).is_some_and(|segment| segment.ident == name)
            && (!has_argument || type_argument(claims, name).is_some())
    });
    if is_extractor {
        let message = "the first parameter is for the token's claims: write `claims: Claims` before this \
            extractor, where `Claims` implements `Deserialize`";
        errors.at(claims, message);
    }
}

/// A function that is called for guests cannot require a token.
fn check_raw_token(parameters: &[Type], errors: &mut Errors) {
    let [first, others @ ..] = parameters else {
        return;
    };
    if type_argument(first, "Option").is_none() {
        return;
    }

    for token in others.iter().filter(|ty| is_raw_token(ty)) {
        errors.at(
            token,
            "the function is also called for a guest, which has no token; write `Option<RawToken>`",
        );
    }
}

fn claims(ty: Type) -> Claims {
    match type_argument(&ty, "Option") {
        Some(inner) => Claims {
            ty: inner.clone(),
            is_optional: true,
        },
        None => Claims {
            ty,
            is_optional: false,
        },
    }
}

fn argument(ty: Type) -> Argument {
    if is_raw_token(&ty) {
        return Argument::RawToken;
    }
    match type_argument(&ty, "Option") {
        Some(inner) if is_raw_token(inner) => Argument::OptionalRawToken,
        _ => Argument::Extractor(Box::new(ty)),
    }
}

fn is_raw_token(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "RawToken")
}

fn output(signature: &Signature, errors: &mut Errors) -> Option<Output> {
    const FORMS: &str = "return `Option<User>`, `Result<User, E>` or `Result<Option<User>, E>`";

    let ReturnType::Type(_, ty) = &signature.output else {
        errors.at(&signature.ident, format!("the function must {FORMS}"));
        return None;
    };

    let Some((user, form)) = user(ty) else {
        let message = format!(
            "cannot tell the type of the user from this, because an attribute sees the name of an alias only: {FORMS}"
        );
        errors.at(ty, message);
        return None;
    };

    types::check_user(user, errors);
    Some(Output {
        ty: Type::clone(ty),
        user: user.clone(),
        form,
    })
}

fn user(returned: &Type) -> Option<(&Type, OutputForm)> {
    if let Some(user) = type_argument(returned, "Option") {
        return Some((user, OutputForm::Option));
    }
    // The alias of the runtime crate.
    if let Some(user) = type_argument(returned, "LookupResult") {
        return Some((user, OutputForm::ResultOfOption));
    }

    let found = type_argument(returned, "Result")?;
    Some(match type_argument(found, "Option") {
        Some(user) => (user, OutputForm::ResultOfOption),
        None => (found, OutputForm::Result),
    })
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::{Errors, Function, Lookup, OutputForm};

    fn parse(function: &Function) -> Result<Lookup, Vec<String>> {
        let mut errors = Errors::default();
        Lookup::parse(&function.signature, &mut errors).ok_or_else(|| errors.messages())
    }

    #[test]
    fn the_user_is_found_in_every_return_type() {
        let lookup = parse(&parse_quote!(
            fn f(c: Claims) -> Option<User> {}
        ));
        assert!(matches!(lookup.unwrap().output.form, OutputForm::Option));
        let lookup = parse(&parse_quote!(
            fn f(c: Claims) -> anyhow::Result<User> {}
        ));
        assert!(matches!(lookup.unwrap().output.form, OutputForm::Result));
        let lookup = parse(&parse_quote!(
            async fn f(c: Claims) -> Result<Option<User>, Error> {}
        ));
        let output = lookup.unwrap().output;
        assert!(matches!(output.form, OutputForm::ResultOfOption));
        assert_eq!(output.user.to_token_stream().to_string(), "User");
    }

    #[test]
    fn the_alias_of_the_runtime_is_known() {
        let lookup = parse(&parse_quote!(
            fn f(c: Claims) -> socketioxide_jwt_auth::LookupResult<User> {}
        ));
        let output = lookup.unwrap().output;
        assert!(matches!(output.form, OutputForm::ResultOfOption));
        assert_eq!(output.user.to_token_stream().to_string(), "User");
    }

    #[test]
    fn an_extractor_is_not_taken_for_claims() {
        let of_first = |first: syn::Type| parse(&parse_quote!(fn f(c: #first) -> Option<User> {}));
        for extractor in [
            parse_quote!(State<Db>),
            parse_quote!(socketioxide::extract::State<Db>),
            parse_quote!(SocketRef),
            parse_quote!(SocketRef<A>),
            parse_quote!(RawToken),
            parse_quote!(Option<RawToken>),
            parse_quote!(AuthUser<User>),
        ] {
            let messages = of_first(extractor).err().unwrap();
            assert!(
                messages[0].starts_with("the first parameter is for"),
                "{messages:?}"
            );
            assert_eq!(messages.len(), 1, "{messages:?}");
        }
        for claims in [
            parse_quote!(State),
            parse_quote!(Extension),
            parse_quote!(Claims),
            parse_quote!(Claims<State<Db>>),
            parse_quote!(Option<State>),
        ] {
            assert!(of_first(claims).is_ok());
        }
    }

    #[test]
    fn parameters_are_distinguished() {
        let lookup = parse(&parse_quote!(
            fn f(c: Option<Claims>, t: Option<jwt::RawToken>, State(s): State<u8>) -> Option<User> {
            }
        ));
        let lookup = lookup.unwrap();
        assert!(lookup.claims.is_optional);
        assert_eq!(lookup.arguments.len(), 2);
        assert_eq!(lookup.extractors().len(), 1);
    }

    #[test]
    fn every_mistake_is_reported() {
        let mistakes = parse(&parse_quote!(
            unsafe extern "C" fn f<T>(#[cfg(unix)] c: &T) -> T {}
        ));
        assert_eq!(mistakes.err().unwrap().len(), 6);
        let mistakes = parse(&parse_quote!(
            fn f() {}
        ));
        assert_eq!(mistakes.err().unwrap().len(), 2);
        let mistakes = parse(&parse_quote!(
            fn f(c: Option<Claims>, t: RawToken) -> Option<User> {}
        ));
        assert_eq!(mistakes.err().unwrap().len(), 1);
    }
}
