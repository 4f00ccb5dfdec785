//! Raw identifiers as names of the function, its types and the path to the crate.

use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

#[derive(Clone)]
#[allow(non_camel_case_types)]
struct r#struct;

mod r#mod {
    pub use socketioxide_jwt_auth::__private;
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more", crate = crate::raw_identifier::r#mod)]
async fn r#match(r#fn: Claims) -> Option<r#struct> {
    let _ = r#fn;
    None
}

#[test]
fn raw_identifiers_stay_raw() {
    assert!(r#match::middleware().is_ok());
    assert!(r#match::builder().guest(true).build().is_ok());
}
