//! The attribute on a function inside a function.

use socketioxide_jwt_auth::jwt_auth;

#[test]
fn a_function_in_a_function_has_a_middleware() {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
    }

    const ISSUER: &str = "https://auth.example.com";

    #[jwt_auth(secret = "a secret of thirty-two bytes or more", issuer = ISSUER)]
    fn authenticate(claims: Claims) -> Option<String> {
        Some(claims.sub)
    }

    assert!(authenticate::middleware().is_ok());
    assert_eq!(
        authenticate(Claims {
            sub: "Ada".to_owned()
        })
        .as_deref(),
        Some("Ada")
    );
}
