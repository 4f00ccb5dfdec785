//! What is demanded of a token: its claims and its type.

use quote::quote;

use super::{Builder, assert_each, assert_same};

#[test]
fn no_claim_need_be_required() {
    assert_same(true, quote!(required_claims = []), |builder| {
        builder.required_claims([""; 0])
    });
    assert_same(true, quote!(required_claims = ["exp", "sub"]), |builder| {
        builder.required_claims(["exp", "sub"])
    });
}

#[test]
fn a_token_type_is_one_for_logging_in() {
    assert_each(
        "token_type",
        &["at+jwt", "JWT", "application/at+jwt", "x;v=1", "text/a"],
        &[
            "",
            " ",
            ";v=1",
            "application/",
            "Application/ ;v=1",
            "logout+jwt",
            "DPoP+JWT",
            "application/secevent+jwt",
            "APPLICATION/Token-Introspection+jwt; a",
        ],
        Builder::token_type,
    );
    assert_same(false, quote!(token_type = []), |builder| {
        builder.token_type([""; 0])
    });
}

#[test]
fn claim_values_name_claims_without_an_option_of_their_own() {
    let none: [&str; 0] = [];
    for (is_accepted, name) in [
        (true, "azp"),
        (true, "sub"),
        (true, "jti"),
        (true, "https://example.com/role"),
        (true, "ISS"),
        (false, ""),
        (false, "iss"),
        (false, "aud"),
        (false, "exp"),
        (false, "nbf"),
        (false, "iat"),
    ] {
        assert_same(is_accepted, quote!(claim_values(#name = "a")), |builder| {
            builder.claim_values(name, "a")
        });
    }

    assert_same(false, quote!(claim_values(azp = "")), |builder| {
        builder.claim_values("azp", "")
    });
    assert_same(false, quote!(claim_values(azp = ["a", ""])), |builder| {
        builder.claim_values("azp", ["a", ""])
    });
    assert_same(false, quote!(claim_values(azp = [])), |builder| {
        builder.claim_values("azp", none)
    });
}
