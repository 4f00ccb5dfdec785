//! A listener whose connections can be hung up.

use std::{
    any::Any,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{HangUp, connection::Side};

/// A listener for [`axum::serve`](axum::serve()) that hangs up on clients that do not read.
///
/// A session ends in time even if its client reads nothing, but socketioxide 0.18.9 cannot
/// disconnect its socket, because there is no room for one more packet, and a WebSocket whose
/// client does not read outlives the ping timeout as well (engineioxide 0.17.9). Such a client
/// keeps its connection, the memory of what waits for it, its sockets in other namespaces, and each
/// broadcast to the namespace for which there is room, until its TCP connection ends.
///
/// With this listener its connection is hung up if the client has left no room for three seconds
/// after its session has ended, whatever ended it. All sockets of the connection are then
/// disconnected, in every namespace.
///
/// Three parts belong together: the listener, [`HangUp`] as the connect info, and [`HangUpLayer`]
/// outside of socketioxide's layer. Without the layer only clients that begin with a WebSocket are
/// hung up, not those that begin with polling, which is the default of most clients. Clients that
/// only poll are not concerned: their connection ends by the ping timeout. With HTTP/2 or with
/// another server than `axum::serve` nothing is hung up.
///
/// ```no_run
/// use axum::Router;
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::axum::{HangUp, HangUpLayer, HangUpListener};
/// use tokio::net::TcpListener;
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let (layer, io) = SocketIo::new_layer();
/// let app = Router::new().layer(layer).layer(HangUpLayer::new());
///
/// let listener = HangUpListener::new(TcpListener::bind("0.0.0.0:3000").await?);
/// axum::serve(listener, app.into_make_service_with_connect_info::<HangUp>()).await?;
/// # drop(io);
/// # Ok(())
/// # }
/// ```
///
/// [`HangUpLayer`]: super::HangUpLayer
#[derive(Debug)]
pub struct HangUpListener<L>(L);

impl<L: Listener> HangUpListener<L> {
    /// Wraps a listener.
    pub fn new(listener: L) -> Self {
        Self(listener)
    }
}

impl<L: Listener> Listener for HangUpListener<L>
where
    L::Addr: 'static,
{
    type Io = HangUpStream<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.0.accept().await;
        let remote_addr = (&address as &dyn Any).downcast_ref().copied();
        let handle = HangUp::new(remote_addr);
        (HangUpStream { io, handle }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection of a [`HangUpListener`]. Its reads and writes fail with
/// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) once [`HangUp::hang_up`] was called.
#[derive(Debug)]
pub struct HangUpStream<Io> {
    io: Io,
    handle: HangUp,
}

impl<Io: Unpin> HangUpStream<Io> {
    pub(super) fn handle(&self) -> &HangUp {
        &self.handle
    }

    /// Polls the connection, unless it is hung up.
    fn poll<T>(
        &mut self,
        side: Side,
        context: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Io>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.handle.is_hung_up() {
            return Poll::Ready(Err(aborted()));
        }

        let polled = poll(Pin::new(&mut self.io), context);
        // The waker is needed only if the task has to wait.
        if polled.is_pending() && self.handle.poll_hung_up(side, context).is_ready() {
            return Poll::Ready(Err(aborted()));
        }
        polled
    }
}

fn aborted() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl<Io: AsyncRead + Unpin> AsyncRead for HangUpStream<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(Side::Reader, context, |io, context| {
            io.poll_read(context, buffer)
        })
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for HangUpStream<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(Side::Writer, context, |io, context| {
            io.poll_write(context, bytes)
        })
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(Side::Writer, context, |io, context| {
            io.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Side::Writer, context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Side::Writer, context, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
        task::yield_now,
    };

    use super::*;

    fn connection() -> (HangUpStream<DuplexStream>, DuplexStream, HangUp) {
        let (io, client) = duplex(8);
        let handle = HangUp::new(None);
        let stream = HangUpStream {
            io,
            handle: handle.clone(),
        };
        (stream, client, handle)
    }

    #[tokio::test]
    async fn both_halves_of_a_connection_that_waits_are_woken() {
        let (stream, _client, handle) = connection();
        let (mut reader, mut writer) = split(stream);
        let reading = tokio::spawn(async move { reader.read_u8().await });
        let writing = tokio::spawn(async move { writer.write_all(&[0; 100]).await });
        for _ in 0..10 {
            yield_now().await;
        }
        assert!(!reading.is_finished() && !writing.is_finished());

        handle.hang_up();
        let read = reading.await.unwrap();
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionAborted);
        let written = writing.await.unwrap();
        assert_eq!(written.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn a_connection_works_until_it_is_hung_up() {
        let (mut stream, mut client, handle) = connection();
        client.write_all(b"abc").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
        stream.write_all(b"1").await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'1');

        handle.hang_up();
        let aborted = Err(ErrorKind::ConnectionAborted);
        let kind = |error: io::Error| error.kind();
        assert_eq!(stream.read_u8().await.map(drop).map_err(kind), aborted);
        assert_eq!(stream.write_all(b"2").await.map_err(kind), aborted);
        assert_eq!(stream.flush().await.map_err(kind), aborted);
        assert_eq!(stream.shutdown().await.map_err(kind), aborted);
        drop(stream);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "it is closed");
    }
}
