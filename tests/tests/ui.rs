//! What `#[jwt_auth]` accepts, and what it says where it does not: one message for each mistake, at its own place.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
