//! Any string as a JWK Set, as PEM and as a secret: no panic when it is loaded, nor when it
//! verifies a token.

#![no_main]

use std::sync::Arc;

use futures_util::FutureExt;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use socketioxide_jwt_auth::{AuthError, KeyRequest, KeySet, KeySource, Verifier};

/// The examples of RFC 7515 A.2 and A.3 and RFC 8037 A.4, without their keys.
const TOKENS: [&str; 3] = [
    "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
    "eyJhbGciOiJFUzI1NiJ9.e30.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    "eyJhbGciOiJFZERTQSJ9.e30.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
];

struct Fixed(Arc<KeySet>);

impl KeySource for Fixed {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        Ok(Arc::clone(&self.0))
    }
}

fuzz_target!(|text: &str| {
    let read = [
        KeySet::from_jwks(text),
        KeySet::from_pem(text),
        KeySet::from_secret(text),
    ];
    for keys in read.into_iter().flatten() {
        let verifier = Verifier::builder()
            .keys(Fixed(Arc::new(keys)))
            .algorithms(["RS256", "ES256", "EdDSA", "HS256"]);
        let verifier = verifier.build().expect("the settings are good");
        for token in TOKENS {
            let verified = verifier
                .verify::<Value>(token)
                .now_or_never()
                .expect("these keys answer at once");
            assert!(verified.is_err());
        }
    }
});
