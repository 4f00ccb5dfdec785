//! A layer that copies the handshake out of the server's read buffer.

use std::task::{Context, Poll};

use bytes::BytesMut;
use http::{Extensions, HeaderMap, HeaderValue, Request, Uri};
use tower_layer::Layer;
use tower_service::Service;

/// A tower layer that saves 8 KB of resident memory per open socket: it copies the URI and the header
/// values of each request into one allocation of their size.
///
/// hyper gives a request slices of its read buffer, and engineioxide 0.17.9 keeps the request of the
/// handshake for as long as the socket is open. Without this layer the whole buffer stays in memory,
/// with everything else that was read into it. The measured savings are in
/// [`guide::tuning`](crate::guide::tuning).
///
/// The layer changes nothing else: headers keep their order, duplicates and
/// [`is_sensitive`](HeaderValue::is_sensitive), and method, version, extensions and body are passed
/// on. It copies every request, because it does not know the path of socketioxide's layer; for
/// requests that are not kept the copy is freed with them.
///
/// # Order
///
/// It belongs outside of socketioxide's layer. axum's later layers are outside of earlier ones:
///
/// ```
/// use axum::Router;
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::CompactHandshakeLayer;
///
/// let (layer, io) = SocketIo::builder().ws_read_buffer_size(1024).build_layer();
/// let app: Router = Router::new().layer(layer).layer(CompactHandshakeLayer::new());
/// # drop((app, io));
/// ```
///
/// axum keeps one more copy of the URI in the extensions (its default feature `original-uri`). With
/// the feature `axum` of this crate, the layer replaces that one, too. Without it, it must wrap the
/// router instead, so that axum copies the URI that the layer has made:
/// `CompactHandshakeLayer::new().layer(router)`, with
/// [`tower_layer::Layer`](https://docs.rs/tower-layer) in scope.
///
/// The setting `preserve_header_case` of hyper, which is off by default and which axum does not
/// switch on, keeps slices of the buffer that the layer cannot reach.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CompactHandshakeLayer;

/// The service of a [`CompactHandshakeLayer`].
#[derive(Debug, Clone, Copy)]
pub struct CompactHandshake<S> {
    inner: S,
}

impl CompactHandshakeLayer {
    /// Creates the layer. It has no settings.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for CompactHandshakeLayer {
    type Service = CompactHandshake<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CompactHandshake { inner }
    }
}

impl<S, B> Service<Request<B>> for CompactHandshake<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        compact(&mut request);
        self.inner.call(request)
    }
}

fn compact<B>(request: &mut Request<B>) {
    let uri = request.uri().to_string();
    let values = request.headers().values().map(HeaderValue::len);
    // One allocation, because each has a cost of its own, and one more once it is cloned.
    let mut buffer = BytesMut::with_capacity(uri.len() + values.sum::<usize>());

    *request.headers_mut() = compact_headers(request.headers(), &mut buffer);
    let compacted = compact_uri(request.uri(), &uri, &mut buffer);
    let original = std::mem::replace(request.uri_mut(), compacted.clone());
    compact_original_uri(request.extensions_mut(), &original, &compacted);
}

/// Copies the values of headers. Their names are never slices of a buffer: `http` has its own
/// copies of custom names.
fn compact_headers(headers: &HeaderMap, buffer: &mut BytesMut) -> HeaderMap {
    // hyper reserves more entries than there are headers; a clone has as many as it needs.
    let mut compacted = headers.clone();
    for value in compacted.values_mut() {
        buffer.extend_from_slice(value.as_bytes());
        // It was valid, so it is.
        if let Ok(mut copy) = HeaderValue::from_maybe_shared(buffer.split().freeze()) {
            copy.set_sensitive(value.is_sensitive());
            *value = copy;
        }
    }
    compacted
}

/// Returns a copy of a URI, or the URI itself if its text has another meaning, which it may have if
/// a layer has built it from parts.
fn compact_uri(uri: &Uri, text: &str, buffer: &mut BytesMut) -> Uri {
    buffer.extend_from_slice(text.as_bytes());
    match Uri::from_maybe_shared(buffer.split().freeze()) {
        Ok(copy) if copy == *uri => copy,
        _ => uri.clone(),
    }
}

/// Replaces the URI that axum keeps beside that of the request. A nested router changes the latter.
#[cfg(feature = "axum")]
fn compact_original_uri(extensions: &mut Extensions, original: &Uri, compacted: &Uri) {
    use axum::extract::OriginalUri;

    if let Some(OriginalUri(uri)) = extensions.get_mut() {
        *uri = if uri == original {
            compacted.clone()
        } else {
            compact_uri(uri, &uri.to_string(), &mut BytesMut::new())
        };
    }
}

#[cfg(not(feature = "axum"))]
fn compact_original_uri(_: &mut Extensions, _: &Uri, _: &Uri) {}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::FutureExt;
    use http::{Method, Version, header::HeaderName};
    use proptest::prelude::*;
    use tower_service::Service;

    use super::*;

    /// What hyper reads from a connection: the request slices it.
    struct ReadBuffer(Bytes);

    impl ReadBuffer {
        fn holding(text: &str) -> Self {
            Self(Bytes::from(text.to_owned().into_bytes()))
        }

        fn slice(&self, text: &str) -> Bytes {
            let all = str::from_utf8(&self.0).unwrap();
            let start = all.find(text).unwrap();
            self.0.slice(start..start + text.len())
        }

        fn uri(&self, text: &str) -> Uri {
            Uri::from_maybe_shared(self.slice(text)).unwrap()
        }

        fn value(&self, text: &str) -> HeaderValue {
            HeaderValue::from_maybe_shared(self.slice(text)).unwrap()
        }
    }

    /// Returns what the service inside of the layer is given.
    fn through_the_layer<B>(request: Request<B>) -> Request<B> {
        #[derive(Clone)]
        struct Inner;

        impl<B> Service<Request<B>> for Inner {
            type Response = Request<B>;
            type Error = Infallible;
            type Future = std::future::Ready<Result<Request<B>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<B>) -> Self::Future {
                std::future::ready(Ok(request))
            }
        }

        let mut service = CompactHandshakeLayer::new().layer(Inner);
        service.call(request).now_or_never().unwrap().unwrap()
    }

    #[test]
    fn a_request_does_not_keep_the_read_buffer() {
        let buffer =
            ReadBuffer::holding("GET /socket.io/?EIO=4 HTTP/1.1\r\nCookie: a=b\r\nX-Own: 1\r\n");
        let mut request = Request::get(buffer.uri("/socket.io/?EIO=4"))
            .header("cookie", buffer.value("a=b"))
            .header("x-own", buffer.value("1"))
            .body(())
            .unwrap();
        request
            .headers_mut()
            .append("cookie", buffer.value("/socket.io/?EIO=4"));
        assert!(!buffer.0.is_unique(), "the request slices it");

        let kept = through_the_layer(request);
        assert!(buffer.0.is_unique());
        assert_eq!(kept.uri(), "/socket.io/?EIO=4");
        assert_eq!(kept.headers()["x-own"], "1");
    }

    #[cfg(feature = "axum")]
    #[test]
    fn the_original_uri_of_axum_does_not_keep_the_read_buffer() {
        use axum::extract::OriginalUri;

        for inside_of_a_nested_router in [false, true] {
            let buffer = ReadBuffer::holding("GET /chat/socket.io/?EIO=4 HTTP/1.1\r\n");
            let original = buffer.uri("/chat/socket.io/?EIO=4");
            let uri = if inside_of_a_nested_router {
                buffer.uri("/socket.io/?EIO=4")
            } else {
                original.clone()
            };
            let request = Request::get(uri.clone()).extension(OriginalUri(original.clone()));

            let kept = through_the_layer(request.body(()).unwrap());
            let OriginalUri(kept_original) = kept.extensions().get().unwrap();
            assert_eq!((kept.uri(), kept_original), (&uri, &original));
            drop((uri, original));
            assert!(buffer.0.is_unique());
        }
    }

    #[test]
    fn all_parts_of_a_request_are_kept() {
        #[derive(Debug, Clone, PartialEq)]
        struct Extension(&'static str);

        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let request = Request::builder()
            .method(Method::from_bytes(b"REPORT").unwrap())
            .uri("https://example.com:8443/a/b?c=d&c=%20")
            .version(Version::HTTP_2)
            .header("X-Own", "1")
            .header("Accept", "")
            .header("X-Own", secret)
            .header("Cookie", HeaderValue::from_bytes(b"\xff=\xfe").unwrap())
            .header("X-Own", "3")
            .extension(Extension("kept"))
            .body("the body")
            .unwrap();
        let (before, _) = request.clone().into_parts();

        let (after, body) = through_the_layer(request).into_parts();
        assert_eq!(body, "the body");
        assert_eq!(after.extensions.get(), Some(&Extension("kept")));
        assert_eq!(
            (&after.method, &after.uri, after.version),
            (&before.method, &before.uri, before.version)
        );
        let fields = |headers: &HeaderMap| {
            let fields = headers.iter();
            let fields = fields.map(|(n, v)| (n.clone(), v.clone(), v.is_sensitive()));
            fields.collect::<Vec<_>>()
        };
        assert_eq!(fields(&after.headers), fields(&before.headers));
        assert_eq!(after.headers.get_all("x-own").iter().count(), 3);
    }

    #[test]
    fn unusual_uris_are_kept() {
        for uri in [
            "*",
            "/",
            "example.com:443",
            "http://[::1]:3000",
            "Own-Scheme://example.com/?",
        ] {
            let uri = Uri::from_static(uri);
            let request = Request::builder().uri(uri.clone()).body(()).unwrap();
            let kept = through_the_layer(request);
            assert_eq!(*kept.uri(), uri);
            assert_eq!(kept.uri().to_string(), uri.to_string());
        }
    }

    proptest! {
        #[test]
        fn headers_are_equal_and_in_the_same_order(
            fields in proptest::collection::vec(
                ("[a-z]{1,2}", proptest::collection::vec(0x80_u8.., 0..40), any::<bool>()),
                0..40,
            )
        ) {
            let mut request = Request::new(());
            for (name, value, is_sensitive) in fields {
                let mut value = HeaderValue::from_maybe_shared(Bytes::from(value)).unwrap();
                value.set_sensitive(is_sensitive);
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                request.headers_mut().append(name, value);
            }
            let before = request.headers().clone();

            let kept = through_the_layer(request);
            let fields = kept.headers().iter().zip(before.iter());
            prop_assert_eq!(kept.headers().len(), before.len());
            for ((name, value), (name_before, value_before)) in fields {
                prop_assert_eq!((name, value), (name_before, value_before));
                prop_assert_eq!(value.is_sensitive(), value_before.is_sensitive());
            }
        }
    }
}
