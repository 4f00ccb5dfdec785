//! Reads a logout request ([OpenID Connect Back-Channel Logout 1.0
//! §2.5](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest)).

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
};
use tokio::time::timeout;

use crate::error::{AuthError, ErrorCode};

/// The room for the parameters of a request beside the token.
const OTHER_PARAMETERS: usize = 1024;

/// The time limit for the body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const PARAMETER: &str = "logout_token";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request that is refused, with the status of the response.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) error: AuthError,
}

impl Refused {
    fn new(
        status: StatusCode,
        code: ErrorCode,
        detail: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            error: AuthError::from(code).with_detail(detail),
        }
    }
}

/// Returns the logout token of a request, which is not verified.
///
/// # Errors
///
/// The request is not a form with one `logout_token`, or its body is too long or too slow.
pub(super) async fn token(request: Request, max_token_bytes: usize) -> Result<String, Refused> {
    if request.method() != Method::POST {
        let detail = "the request is not a POST";
        return Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::TokenMissing,
            detail,
        ));
    }
    let (parts, body) = request.into_parts();
    if !is_form(&parts.headers) {
        return Err(bad_request(format!("the content type is not {FORM}")));
    }

    let body = read(body, max_token_bytes.saturating_add(OTHER_PARAMETERS)).await?;
    find(&body).map_err(bad_request)
}

fn bad_request(detail: impl Into<std::borrow::Cow<'static, str>>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, ErrorCode::TokenMissing, detail)
}

/// Returns whether there is one `Content-Type`, which is that of a form. Its parameters, such as
/// `charset`, do not matter.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return false;
    };
    content_type
        .to_str()
        .ok()
        .and_then(|content_type| content_type.split(';').next())
        .is_some_and(|name| name.trim().eq_ignore_ascii_case(FORM))
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Refused> {
    let Ok(read) = timeout(BODY_TIMEOUT, to_bytes(body, limit)).await else {
        let detail = format!("the body was not there within {BODY_TIMEOUT:?}");
        return Err(Refused::new(
            StatusCode::REQUEST_TIMEOUT,
            ErrorCode::TokenMissing,
            detail,
        ));
    };

    // The other error of a body is a connection that was lost, and then the response is lost too.
    read.map_err(|_| {
        Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::TokenTooLarge,
            format!(
                "the body has more than {limit} bytes, which max_token_bytes sets, or is incomplete"
            ),
        )
    })
}

/// Returns the only `logout_token` of a form. Other parameters are ignored, as the standard
/// demands.
fn find(form: &[u8]) -> Result<String, &'static str> {
    let mut tokens = form_urlencoded::parse(form).filter(|(name, _)| name == PARAMETER);
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) if !token.is_empty() => Ok(token.into_owned()),
        (Some(_), None) => Err("the `logout_token` is empty"),
        (None, _) => Err("the form has no `logout_token`"),
        (Some(_), Some(_)) => Err("the form has more than one `logout_token`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_logout_token_is_found_in_a_form() {
        for (form, expected) in [
            ("logout_token=a.b.c", Ok("a.b.c")),
            ("x=1&logout_token=a.b.c&logout_token2=d", Ok("a.b.c")),
            ("logout%5Ftoken=a%2eb.c", Ok("a.b.c")),
            ("&&logout_token=a&&", Ok("a")),
            ("", Err("the form has no `logout_token`")),
            ("a.b.c", Err("the form has no `logout_token`")),
            ("Logout_token=a", Err("the form has no `logout_token`")),
            ("logout_token", Err("the `logout_token` is empty")),
            ("logout_token=", Err("the `logout_token` is empty")),
            (
                "logout_token=a&logout_token=a",
                Err("the form has more than one `logout_token`"),
            ),
            (
                "logout_token=&logout_token=a",
                Err("the form has more than one `logout_token`"),
            ),
        ] {
            assert_eq!(
                find(form.as_bytes()).as_deref(),
                expected.as_deref(),
                "{form}"
            );
        }
        assert_eq!(find(b"logout_token=a%ff").unwrap(), "a\u{fffd}");
    }

    #[test]
    fn a_form_is_known_by_its_only_content_type() {
        let headers = |types: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for content_type in types {
                headers.append(CONTENT_TYPE, content_type.parse().unwrap());
            }
            headers
        };

        for types in [
            &["application/x-www-form-urlencoded"][..],
            &["application/x-www-form-urlencoded; charset=UTF-8"],
            &["Application/X-WWW-Form-URLencoded ;a"],
        ] {
            assert!(is_form(&headers(types)), "{types:?}");
        }

        for types in [
            &[][..],
            &[""],
            &["application/json"],
            &["application/x-www-form-urlencoded2"],
            &["text/plain; application/x-www-form-urlencoded"],
            &["application/x-www-form-urlencoded", "application/json"],
            &["application/x-www-form-urlencoded"; 2],
        ] {
            assert!(!is_form(&headers(types)), "{types:?}");
        }
    }
}
