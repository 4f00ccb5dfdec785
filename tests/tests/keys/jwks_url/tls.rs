//! Issuers over HTTPS, which must have a valid certificate.

use std::{
    env, fs,
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex},
};

use jsonwebtoken::Algorithm;
use pem::Pem;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use serde_json::json;
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};
use socketioxide_jwt_auth_tests::{
    Log,
    issuer::{Issuer, KEYS, SigningKey, outcome},
    outcome_of_child, report, seconds_from_now, within,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer},
};

use super::hostile::good_answer;

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

/// Returns a self-signed certificate for one name.
fn certificate(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).unwrap()
}

fn acceptor(certified: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let private_key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let config = config
        .with_single_cert(vec![certified.cert.der().clone()], private_key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Starts an issuer at `https://127.0.0.1:…` that sends this response to clients that accept its
/// certificate.
async fn serve(
    certified: &CertifiedKey<KeyPair>,
    answer: impl Fn(u16) -> Vec<u8> + Send + 'static,
) -> String {
    let (listener, acceptor) = (
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
        acceptor(certified),
    );
    let port = listener.local_addr().unwrap().port();

    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            respond(stream, &answer(port)).await;
        }
    });
    format!("https://127.0.0.1:{port}")
}

async fn respond(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) {
    // A request fits into one read.
    let mut request = [0; 4096];
    if stream
        .read(&mut request)
        .await
        .is_ok_and(|length| length > 0)
    {
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.ok();
    }
}

fn redirect(target: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {target}\r\n\r\n"
    )
    .into_bytes()
}

/// An issuer that speaks HTTP and HTTPS at the same port. It serves keys over one scheme, and
/// redirects the other there.
struct TwoSchemes {
    port: u16,
    /// The schemes of the connections, in order.
    connections: Arc<Mutex<Vec<&'static str>>>,
}

impl TwoSchemes {
    async fn with_keys_over(keys_scheme: &'static str, certified: &CertifiedKey<KeyPair>) -> Self {
        // Every TLS connection begins with a record of this type (RFC 8446 §5.1).
        const HANDSHAKE: u8 = 22;
        let (listener, acceptor) = (
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
            acceptor(certified),
        );
        let port = listener.local_addr().unwrap().port();

        let connections = Arc::<Mutex<Vec<_>>>::default();
        let records = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut first = [0];
                stream.peek(&mut first).await.unwrap();
                let scheme = if first == [HANDSHAKE] {
                    "https"
                } else {
                    "http"
                };
                records.lock().unwrap().push(scheme);
                let answer = if scheme == keys_scheme {
                    good_answer(&key())
                } else {
                    redirect(&format!("{keys_scheme}://127.0.0.1:{port}{KEYS}"))
                };
                if scheme == "http" {
                    respond(stream, &answer).await;
                } else if let Ok(stream) = acceptor.accept(stream).await {
                    respond(stream, &answer).await;
                }
            }
        });
        Self { port, connections }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    fn connections(&self) -> Vec<&'static str> {
        self.connections.lock().unwrap().clone()
    }
}

/// Returns a client that trusts this certificate too.
fn client(certified: &CertifiedKey<KeyPair>) -> Client {
    Client::builder()
        .add_root_certificate(Certificate::from_der(certified.cert.der()).unwrap())
        .build()
        .unwrap()
}

fn verifier(issuer: &str) -> VerifierBuilder {
    Verifier::builder()
        .jwks_url(format!("{issuer}{KEYS}"))
        .algorithm("EdDSA")
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let (log, certified) = (Log::capture(), certificate("127.0.0.1"));
    let issuer = serve(&certified, |_| good_answer(&key())).await;
    let distrustful = verifier(&issuer).build().unwrap();
    assert_eq!(
        within("an answer", outcome(&distrustful, &key().token())).await,
        "keys_unavailable"
    );
    let lines = log.lines_with("cannot be fetched");
    assert!(
        lines.len() == 1 && lines[0].contains("invalid peer certificate"),
        "{lines:?}"
    );

    let trusting = verifier(&issuer)
        .http_client(client(&certified))
        .build()
        .unwrap();
    assert_eq!(
        within("an answer", outcome(&trusting, &key().token())).await,
        "accepted"
    );
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    let certified = certificate("issuer.example");
    let issuer = serve(&certified, |_| good_answer(&key())).await;
    let verifier = verifier(&issuer)
        .http_client(client(&certified))
        .build()
        .unwrap();
    assert_eq!(
        within("an answer", outcome(&verifier, &key().token())).await,
        "keys_unavailable"
    );
}

#[tokio::test]
async fn keys_received_without_tls_are_refused() {
    let (log, certified, plain) = (
        Log::capture(),
        certificate("127.0.0.1"),
        Issuer::with_keys(&[&key()]).await,
    );
    let target = plain.url(KEYS);
    let issuer = serve(&certified, move |_| redirect(&target)).await;
    let verifier = verifier(&issuer)
        .http_client(client(&certified))
        .build()
        .unwrap();
    assert_eq!(
        within("an answer", outcome(&verifier, &key().token())).await,
        "keys_unavailable"
    );
    assert_eq!(log.lines_with("another host").len(), 1, "{}", log.text());
    assert_eq!(
        plain.requests(),
        1,
        "the application's client follows redirects"
    );
}

#[tokio::test]
async fn an_https_issuer_cannot_name_keys_over_http() {
    let (certified, plain) = (certificate("127.0.0.1"), Issuer::with_keys(&[&key()]).await);
    let keys_url = plain.url(KEYS);
    let issuer = serve(&certified, move |port| {
        let document =
            json!({ "issuer": format!("https://127.0.0.1:{port}"), "jwks_uri": keys_url })
                .to_string();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}",
            document.len()
        )
        .into_bytes()
    })
    .await;
    let verifier = Verifier::builder()
        .oidc_issuer(&issuer)
        .algorithm("EdDSA")
        .http_client(client(&certified));

    let verifier = verifier.build().unwrap();
    let token = key()
        .token_with_claims(&json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": issuer }));
    assert_eq!(
        within("an answer", outcome(&verifier, &token)).await,
        "keys_unavailable"
    );
    assert_eq!(plain.requests(), 0);
}

#[tokio::test]
#[ignore = "`a_redirect_to_another_scheme_is_not_followed` runs it in a process of its own"]
async fn the_child_asks_for_keys() {
    let verifier = verifier(&env::var("SJA_ISSUER").unwrap()).build().unwrap();
    report(outcome(&verifier, &key().token()).await);
}

/// Returns the outcome with the crate's client, in a process that trusts the certificate.
async fn outcome_where_trusted(certificate: &Path, issuer: String) -> String {
    let certificate = certificate.to_owned();
    // This thread runs the issuer, so the child is awaited on another.
    let outcome = tokio::task::spawn_blocking(move || {
        outcome_of_child("jwks_url::tls::the_child_asks_for_keys", |child| {
            child
                .env("SJA_ISSUER", issuer)
                .env("SSL_CERT_FILE", certificate)
                .env_remove("SSL_CERT_DIR");
        })
    });
    outcome.await.unwrap()
}

/// Host and port stay the same.
#[tokio::test]
async fn a_redirect_to_another_scheme_is_not_followed() {
    let certified = certificate("127.0.0.1");
    for (asked, other) in [("https", "http"), ("http", "https")] {
        let issuer = TwoSchemes::with_keys_over(other, &certified).await;
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificate-{}.pem", issuer.port));
        fs::write(
            &path,
            pem::encode(&Pem::new("CERTIFICATE", certified.cert.der().to_vec())),
        )
        .unwrap();

        assert_eq!(
            outcome_where_trusted(&path, issuer.url(other)).await,
            "accepted",
            "{other} alone"
        );
        assert_eq!(
            outcome_where_trusted(&path, issuer.url(asked)).await,
            "keys_unavailable",
            "{asked} to {other}"
        );
        assert_eq!(issuer.connections(), [other, asked]);
        fs::remove_file(&path).unwrap();
    }
}

/// The application's client follows the redirect.
#[tokio::test]
async fn keys_received_over_another_scheme_are_refused() {
    let certified = certificate("127.0.0.1");
    for (asked, other) in [("https", "http"), ("http", "https")] {
        let issuer = TwoSchemes::with_keys_over(other, &certified).await;
        let verifier = verifier(&issuer.url(asked))
            .http_client(client(&certified))
            .build()
            .unwrap();
        assert_eq!(
            within("an answer", outcome(&verifier, &key().token())).await,
            "keys_unavailable"
        );
        assert_eq!(issuer.connections(), [asked, other]);
    }
}
