//! Following an order while it goes its way.

use std::time::{Duration, Instant};

use contracts::OrderId;
use testkit::{Answer, Client};

use crate::shop::Shop;

/// Well before the wait is over.
const AT_ONCE: Duration = Duration::from_secs(8);

fn wait(client: &Client, order: OrderId) -> testkit::Request {
    client.get(format!("/api/orders/{order}?wait=20s"))
}

/// The answer to a request that waits, and how long it waited, while something happens.
async fn meanwhile(
    asked: testkit::Request,
    happens: impl Future<Output = ()>,
) -> (Answer, Duration) {
    let began = Instant::now();
    let asked = async { (asked.await, began.elapsed()) };
    tokio::join!(asked, happens).0
}

#[tokio::test]
async fn an_unknown_order_says_when_to_ask_again() {
    let shop = Shop::open().await;
    let alice = shop.shopper(shop.person());

    let unknown = alice.get(format!("/api/orders/{}", shop.cart().order_id)).await.status(404);

    assert_eq!(unknown.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn waiting_bridges_the_time_until_an_order_is_known() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let alice = shop.shopper(cart.customer);

    // Whatever version is there first answers, even if it came before the question was read.
    let asked = wait(&alice, cart.order_id).header("if-none-match", r#""0-00000000""#);
    let (answer, waited) = meanwhile(asked, async {
        tokio::task::yield_now().await;
        shop.peer.tell(&cart).await;
    })
    .await;

    assert_eq!(answer.ok()["status"], "placed");
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn a_change_by_another_replica_answers_at_once() {
    let shop = Shop::with_replicas(2).await;
    let purchase = shop.buys_what_is_there().await;
    let [here, there] = [0, 1].map(|replica| shop.shopper_at(replica, purchase.customer));
    let before = here.get(format!("/api/orders/{}", purchase.order)).await.ok();

    let asked = wait(&here, purchase.order).header("if-none-match", before.etag());
    let (answer, waited) = meanwhile(asked, async {
        let cancel = there.post(format!("/api/orders/{}/cancel", purchase.order));
        assert!(cancel.await.is_ok());
    })
    .await;

    assert_eq!(answer.ok()["status"], "cancelled");
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn what_changed_before_it_was_asked_answers_at_once() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);
    let before = alice.get(format!("/api/orders/{}", purchase.order)).await.ok();
    shop.reserved(purchase.order, 1).await;
    shop.until(purchase.order, "reserved").await.status(200);

    let asked = wait(&alice, purchase.order).header("if-none-match", before.etag());
    let (answer, waited) = meanwhile(asked, async {}).await;

    assert_eq!(answer.ok()["status"], "reserved");
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn what_does_not_change_is_not_sent_again() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);
    let path = format!("/api/orders/{}", purchase.order);
    let shown = alice.get(&path).await.ok();

    let same = alice.get(&path).header("if-none-match", &format!("W/{}", shown.etag())).await;
    let still = alice.get(format!("{path}?wait=300ms")).header("if-none-match", shown.etag()).await;
    let without = alice.get(format!("{path}?wait=300ms")).await.ok();

    for unchanged in [same, still] {
        assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
        assert_eq!(unchanged.header("etag"), shown.header("etag"));
    }
    assert_eq!(without.body, shown.body);
}

#[tokio::test]
async fn waiting_for_an_order_of_somebody_else_tells_nothing() {
    let shop = Shop::open().await;
    let order = shop.buys().await.order;
    let bob = shop.shopper(shop.person());

    let began = Instant::now();
    let answer = bob.get(format!("/api/orders/{order}?wait=500ms")).await;

    assert_eq!(answer.status, 404);
    assert!(began.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn a_wait_that_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);

    for wait in ["wait=soon", "wait=1m", "wait=-1s", "wait=1s&wait=2s", "wait="] {
        let path = format!("/api/orders/{}?{wait}", purchase.order);
        assert_eq!(alice.get(path).await.status, 400, "{wait}");
    }
}

#[tokio::test]
async fn a_status_that_is_reached_answers_at_once() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);
    shop.reserved(purchase.order, 1).await;
    let shown = shop.until(purchase.order, "reserved").await.status(200);
    let path = format!("/api/orders/{}?wait=20s", purchase.order);

    for until in [
        "until=reserved",
        "until=paid,reserved",
        "until=paid&until=reserved",
        "until=reserved%2Cexpired",
        // It passed that already, and will not come back to it.
        "until=placed",
    ] {
        let (answer, waited) = meanwhile(alice.get(format!("{path}&{until}")), async {}).await;
        assert_eq!(answer.ok()["status"], "reserved", "{until}");
        assert!(waited < AT_ONCE, "{until}: {waited:?}");
    }
    let known = alice.get(format!("{path}&until=reserved")).header("if-none-match", shown.etag());
    let (answer, waited) = meanwhile(known, async {}).await;
    assert_eq!(answer.status, 304);
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn a_wait_passes_other_changes_by() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);
    let asked = alice.get(format!("/api/orders/{}?wait=20s&until=paid,cancelled", purchase.order));

    let (answer, waited) = meanwhile(asked, async {
        shop.reserved(purchase.order, 1).await;
        shop.until(purchase.order, "reserved").await.status(200);
        alice.post(format!("/api/orders/{}/cancel", purchase.order)).await.status(200);
    })
    .await;

    assert_eq!(answer.ok()["status"], "cancelled");
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn a_status_out_of_reach_ends_the_wait() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);
    let asked = alice.get(format!("/api/orders/{}?wait=20s&until=paid", purchase.order));

    let (answer, waited) = meanwhile(asked, async {
        alice.post(format!("/api/orders/{}/cancel", purchase.order)).await.status(200);
    })
    .await;

    assert_eq!(answer.ok()["status"], "cancelled");
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn a_status_that_does_not_exist_is_refused() {
    let shop = Shop::open().await;
    let purchase = shop.buys().await;
    let alice = shop.shopper(purchase.customer);

    for until in ["until=lost", "until=", "until=paid,", "until=paid,Paid", "until=paid&until=x"] {
        for wait in ["", "wait=20s&"] {
            let path = format!("/api/orders/{}?{wait}{until}", purchase.order);
            let refused = alice.get(path).await.status(422);
            let detail = refused.text_of("detail");
            assert!(detail.contains("until") && detail.contains("`reserved`"), "{detail}");
        }
    }
    let path = format!("/api/orders/{}?until=paid", purchase.order);
    assert_eq!(alice.get(path).await.ok()["status"], "placed", "nothing waits without `wait`");
}
