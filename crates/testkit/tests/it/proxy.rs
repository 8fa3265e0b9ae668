//! Lines that are cut.

use std::io::ErrorKind;
use std::time::Duration;

use testkit::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(10);

/// A server that says everything back, and a line to it.
async fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap().port()).await.unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        let mut here = tokio::task::JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            here.spawn(async move {
                let (mut read, mut write) = client.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    serving.detach_all();
    proxy
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap()
}

async fn echoed(connection: &mut TcpStream) -> std::io::Result<u8> {
    connection.write_all(b"x").await?;
    timeout(BOUND, connection.read_u8()).await.unwrap()
}

#[tokio::test]
async fn a_line_passes_on_until_it_is_reset_and_takes_new_connections() {
    let proxy = echo().await;
    let mut first = connect(&proxy).await;
    assert_eq!(echoed(&mut first).await.unwrap(), b'x');

    proxy.reset();

    let ended = timeout(BOUND, first.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
    assert_eq!(echoed(&mut connect(&proxy).await).await.unwrap(), b'x');
}

#[tokio::test]
async fn a_line_that_is_cut_ends_every_connection_until_it_is_mended() {
    let proxy = echo().await;
    let mut first = connect(&proxy).await;
    echoed(&mut first).await.unwrap();

    proxy.cut();

    timeout(BOUND, first.read_u8()).await.unwrap().unwrap_err();
    echoed(&mut connect(&proxy).await).await.unwrap_err();
    proxy.mend();
    assert_eq!(echoed(&mut connect(&proxy).await).await.unwrap(), b'x');
}

#[tokio::test]
async fn a_silent_line_keeps_connections_and_resets_them_when_it_is_mended() {
    let proxy = echo().await;
    let mut first = connect(&proxy).await;
    echoed(&mut first).await.unwrap();

    proxy.silence();
    first.write_all(b"x").await.unwrap();
    proxy.mend();

    timeout(BOUND, first.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(echoed(&mut connect(&proxy).await).await.unwrap(), b'x');
}
