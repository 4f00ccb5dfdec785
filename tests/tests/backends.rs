//! A test program with one test, because a process chooses its backend once.

use serde_json::Value;
use socketioxide_jwt_auth::Verifier;

/// Signed in another program: header `{"alg":"HS256"}`, payload `{"sub":"ada"}`.
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.0db57q5eaB-sGW9n7caIW5sGVmMRbzy_an6w0KQfew4";

#[tokio::test]
async fn a_verifier_chooses_a_backend_if_the_application_did_not() {
    let verifier = Verifier::builder()
        .secret("the secret of the tests, 32 bytes or more")
        .required_claims([""; 0]);
    let verified = verifier
        .build()
        .unwrap()
        .verify::<Value>(TOKEN)
        .await
        .unwrap();
    assert_eq!(verified.claims["sub"], "ada");
}
