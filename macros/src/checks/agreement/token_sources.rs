//! Where a token is looked for.

use proc_macro2::TokenStream;
use quote::quote;
use socketioxide_jwt_auth::TokenSource;

use super::assert_same;

#[test]
fn the_name_in_a_token_source_is_one_that_a_client_can_send() {
    type Source = (&'static str, fn(&'static str) -> TokenSource);
    let [auth, query]: [Source; 2] = [("auth", TokenSource::auth), ("query", TokenSource::query)];
    let [header, cookie, authorization]: [Source; 3] = [
        ("header", TokenSource::header),
        ("cookie", TokenSource::cookie),
        ("authorization", TokenSource::authorization),
    ];

    for ((source, place), accepted, refused) in [
        (auth, &["token", "a b", "ü"][..], &[""][..]),
        (query, &["token", "a b", "ü"], &[""]),
        (
            header,
            &["x-auth-token", "X-Token", "a!#$%&'*+-.^_`|~1"],
            &["", "a b", "a:b", "ü", "a\n", "\"a\""],
        ),
        (
            cookie,
            &["session", "__Host-session", "a.b"],
            &["", "a b", "a;b", "a=b", "ü", "a\n", "\"a\""],
        ),
        (
            authorization,
            &["JWT", "Bearer", "bearer", "a!#$%&'*+-.^_`|~1"],
            &[
                "", "JWT ", " JWT", "a b", "a:b", "a=b", "a,b", "ü", "a\n", "\"a\"",
            ],
        ),
    ] {
        let source: TokenStream = source.parse().unwrap();
        let accepted = accepted.iter().map(|name| (true, *name));
        for (is_accepted, name) in accepted.chain(refused.iter().map(|name| (false, *name))) {
            let attribute =
                quote!(token = [#source(#name)], allowed_origins = ["https://app.example.com"]);
            assert_same(is_accepted, attribute, |builder| {
                builder
                    .token([place(name)])
                    .allowed_origins("https://app.example.com")
            });
        }
    }
}
