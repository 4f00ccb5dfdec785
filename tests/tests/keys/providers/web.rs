//! The part of the web that the providers' keys come from, on loopback: an HTTPS server that answers
//! under the names of all hosts, and a client that finds it there.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::{Certificate, Client, Url};
use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::issuer::{DISCOVERY, SigningKey};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer},
};

/// What is published, by URL.
#[derive(Default)]
pub struct Web(HashMap<String, String>);

impl Web {
    /// Publishes the keys of a provider at this URL.
    pub fn keys(mut self, url: &str, keys: &[&SigningKey]) -> Self {
        // The other members are those of Microsoft, Cloudflare and Google.
        let keys: Vec<_> = keys.iter().map(|key| published(key)).collect();
        let set = json!({ "keys": keys, "public_cert": {}, "public_certs": [] });
        self.0.insert(url.to_owned(), set.to_string());
        self
    }

    /// Publishes the document of OpenID Connect Discovery, which names this URL of the keys.
    pub fn discovery(mut self, issuer: &str, keys_url: &str) -> Self {
        let url = format!("{}{DISCOVERY}", issuer.trim_end_matches('/'));
        let document = json!({ "issuer": issuer, "jwks_uri": keys_url });
        self.0.insert(url, document.to_string());
        self
    }

    /// Serves all of it, and returns a client that asks this server whatever host it is asked for.
    pub async fn start(self) -> Client {
        let hosts: Vec<_> = self.0.keys().map(|url| host(url)).collect();
        let certified = generate_simple_self_signed(hosts.clone()).unwrap();
        let acceptor = acceptor(&certified);

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let published = Arc::new(self.0);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(respond(acceptor.clone(), stream, Arc::clone(&published)));
            }
        });

        client(&certified, &hosts, address)
    }
}

fn published(key: &SigningKey) -> Value {
    let mut jwk = key.jwk();
    jwk["use"] = "sig".into();
    jwk["x5t"] = jwk["kid"].clone();
    jwk["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0".into();
    jwk
}

fn host(url: &str) -> String {
    Url::parse(url).unwrap().host_str().unwrap().to_owned()
}

fn acceptor(certified: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let private_key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], private_key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn client(certified: &CertifiedKey<KeyPair>, hosts: &[String], server: SocketAddr) -> Client {
    let certificate = Certificate::from_der(certified.cert.der()).unwrap();
    let client = Client::builder().add_root_certificate(certificate);
    hosts
        .iter()
        .fold(client, |client, host| client.resolve(host, server))
        .build()
        .unwrap()
}

async fn respond(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    published: Arc<HashMap<String, String>>,
) {
    let mut stream = BufReader::new(acceptor.accept(stream).await.unwrap());
    let (mut path, mut host) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim_end();
        if let Some(request) = line.strip_prefix("GET ") {
            path = request.trim_end_matches(" HTTP/1.1").to_owned();
        } else if let Some((_, value)) = line
            .split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            host = value.to_owned();
        } else if line.is_empty() {
            break;
        }
    }

    let (status, body) = match published.get(&format!("https://{host}{path}")) {
        Some(body) => ("200 OK", body.as_str()),
        None => ("404 Not Found", ""),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.ok();
}
