//! The code of the guide page on providers (`docs/providers.md`), one module for each block of it.
//! A test compares them; only `pub` is not on the page.

use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Debug, Deserialize)]
pub struct Claims {
    pub sub: String,
}

#[derive(Debug)]
pub struct User {
    pub id: String,
}

pub mod from_the_environment {
    use super::*;

    #[jwt_auth(
        oidc_issuer_env = "OIDC_ISSUER",
        audience_env = "OIDC_AUDIENCE",
        algorithms = ["RS256"],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod keycloak {
    use super::*;

    #[jwt_auth(
        oidc_issuer = "https://login.example.com/realms/chat",
        algorithms = ["RS256"],
        audience = "chat-server",
        claim_values(typ = "Bearer", azp = ["chat-web", "chat-ios"]),
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod auth0 {
    use super::*;

    #[jwt_auth(
        oidc_issuer = "https://example.eu.auth0.com/",
        algorithms = ["RS256"],
        audience = "https://chat.example.com",
        claim_values(azp = "Xn2vGd0qYtR4kW7mLpB9sC1eHfJ6uZaK"),
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod entra {
    use super::*;

    #[derive(Deserialize)]
    pub struct Claims {
        oid: String,
    }

    #[jwt_auth(
        oidc_issuer = "https://login.microsoftonline.com/0f8a5c1e-7c1b-4d2a-9a51-3b1d6f0c2e11/v2.0",
        algorithms = ["RS256"],
        audience = "5b7d2a90-41c3-4e0f-8d6a-92c7e1f3b048",
        required_claims = ["exp", "scp"],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.oid })
    }
}

pub mod entra_tenants {
    use super::*;

    use socketioxide_jwt_auth::Issuer;

    #[derive(Deserialize)]
    pub struct Claims {
        oid: String,
        tid: String,
    }

    #[jwt_auth(
        issuers = [
            Issuer::new("https://login.microsoftonline.com/{tid}/v2.0")
                .jwks_url("https://login.microsoftonline.com/common/discovery/v2.0/keys"),
        ],
        algorithms = ["RS256"],
        audience = "5b7d2a90-41c3-4e0f-8d6a-92c7e1f3b048",
        required_claims = ["exp", "scp"],
        claim_values(tid = [
            "0f8a5c1e-7c1b-4d2a-9a51-3b1d6f0c2e11",
            "c64d1b7f-52e8-4f39-b0a2-6d9e8f7a1c35",
        ]),
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        let id = format!("{}/{}", claims.tid, claims.oid);
        Some(User { id })
    }
}

pub mod cognito {
    use super::*;

    #[jwt_auth(
        oidc_issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123",
        algorithms = ["RS256"],
        claim_values(token_use = "access", client_id = "4hk2p7v9q1n5s8t3u6w0x2y4z6"),
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod firebase {
    use super::*;

    #[jwt_auth(
        jwks_url = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        algorithms = ["RS256"],
        issuer = "https://securetoken.google.com/chat-example",
        audience = "chat-example",
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod supabase {
    use super::*;

    #[jwt_auth(
        jwks_url = "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json",
        algorithms = ["ES256"],
        issuer = "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
        audience = "authenticated",
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod supabase_legacy {
    use super::*;

    #[jwt_auth(
        secret_env = "SUPABASE_JWT_SECRET",
        issuer = "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
        audience = "authenticated"
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod clerk {
    use super::*;

    #[jwt_auth(
        jwks_url = "https://clerk.example.com/.well-known/jwks.json",
        algorithms = ["RS256"],
        issuer = "https://clerk.example.com",
        claim_values(azp = ["https://app.example.com"]),
        required_claims = ["exp", "sid"],
        leeway = "10s",
        authenticate_event = "authenticate",
        expiry_warning = "20s",
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod okta {
    use super::*;

    #[derive(Deserialize)]
    pub struct Claims {
        uid: String,
    }

    #[jwt_auth(
        oidc_issuer = "https://example.okta.com/oauth2/default",
        algorithms = ["RS256"],
        audience = "api://default",
        claim_values(cid = "0oa8k3v1xPq7Lw2Zt5d7"),
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.uid })
    }
}

pub mod cloudflare_access {
    use super::*;

    #[derive(Deserialize)]
    pub struct Claims {
        email: String,
    }

    #[jwt_auth(
        jwks_url = "https://example.cloudflareaccess.com/cdn-cgi/access/certs",
        algorithms = ["RS256"],
        issuer = "https://example.cloudflareaccess.com",
        audience = "7c1f0e9b2d8a4356b1e0c9d8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8",
        claim_values(type = "app"),
        token = [header("cf-access-jwt-assertion")],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.email })
    }
}

pub mod better_auth {
    use super::*;

    #[jwt_auth(
        jwks_url = "https://app.example.com/api/auth/jwks",
        algorithms = ["EdDSA"],
        issuer = "https://app.example.com",
        audience = "https://app.example.com",
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod oidc_provider {
    use super::*;

    #[jwt_auth(
        oidc_issuer = "https://id.example.com",
        algorithms = ["RS256"],
        audience = "https://chat.example.com",
        token_type = "at+jwt",
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod nestjs {
    use super::*;

    #[derive(Deserialize)]
    pub struct Claims {
        sub: u64,
    }

    #[jwt_auth(secret_env = "JWT_SECRET", numeric_subject = true)]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        let id = claims.sub.to_string();
        Some(User { id })
    }
}

pub mod nestjs_two_kinds {
    use super::*;

    #[jwt_auth(
        secret_env = "JWT_SECRET",
        issuer = "https://api.example.com",
        claim_values(token_type = "access"),
        token = [auth("token"), authorization("JWT")],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod socketio_jwt_auth {
    use super::*;

    #[jwt_auth(
        secret_env = "JWT_SECRET",
        required_claims = [],
        guest = true,
        token = [header("x-auth-token"), query("auth_token"), auth("auth_token")],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}

pub mod behind_a_load_balancer {
    use super::*;

    #[jwt_auth(
        oidc_issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123",
        algorithms = ["RS256"],
        claim_values(token_use = "access", client_id = "4hk2p7v9q1n5s8t3u6w0x2y4z6"),
        token = [header("x-amzn-oidc-accesstoken")],
    )]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        Some(User { id: claims.sub })
    }
}
