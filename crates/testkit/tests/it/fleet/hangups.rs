//! Crowds that hang up in the middle of their requests, and a shopper among them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use testkit::fleet::Service;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::shop::Shop;

/// A purchase beside 128 clients that hang up took 48 s when each of them cost the database's
/// connections; undisturbed it takes less than two.
const BOUND: Duration = Duration::from_secs(20);
const CROWD: usize = 128;
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn purchase_completes_while_crowds_hang_up() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 50).await;
    let (guest, quiet) = (shop.guest().await, purchase(&shop).await);

    for _ in 0..ROUNDS {
        let crowds = [Service::Product, Service::Cart, Service::Order, Service::Payment]
            .map(|service| hang_up(shop.fleet.base(service), path(service, &mug), guest.token()));
        let (_, busy) = tokio::join!(join_all(crowds), purchase(&shop));
        let after = purchase(&shop).await;

        println!("undisturbed {quiet:?}, among crowds {busy:?}, right after them {after:?}");
        assert!(busy < BOUND && after < BOUND, "{busy:?}, then {after:?}");
    }
    shop.nothing_is_dead().await;
    shop.stop().await;
}

/// How long a guest takes from the first piece in the cart to the paid order.
async fn purchase(shop: &Shop) -> Duration {
    let guest = shop.guest().await;
    let began = Instant::now();
    guest.buys("MUG", 1, "pm_card_visa").await;
    began.elapsed()
}

fn path(service: Service, product: &str) -> String {
    match service {
        Service::Product => format!("/api/products/{product}"),
        other => other.paths()[0].to_owned(),
    }
}

/// Again and again so many clients ask for this at once and hang up before the answer.
async fn hang_up(base: String, path: String, token: &str) {
    let at = base.trim_start_matches("http://");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    for _ in 0..ROUNDS {
        join_all((0..CROWD).map(async |_| {
            let mut socket = TcpStream::connect(at).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
        }))
        .await;
    }
}
