//! Whoever signed out is let in nowhere: at no replica of any service.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::json;
use testkit::fleet::Service;
use testkit::{Answer, Client, eventually};

use super::shop::{SOON, Shop};

const ORDER: &str = "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
const PRODUCT: &str = "prd_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

/// What each service tells nobody who is not signed in.
fn doors() -> [(Service, String); 5] {
    [
        (Service::Auth, "/api/auth/me".to_owned()),
        (Service::Cart, "/api/cart".to_owned()),
        (Service::Order, "/api/orders".to_owned()),
        (Service::Payment, format!("/api/payments?order_id={ORDER}")),
        (Service::Product, format!("/api/products/{PRODUCT}/stock/ledger")),
    ]
}

/// The administrator signs in, once more: nobody else is let in at all of these doors.
async fn signs_in(shop: &Shop) -> Answer {
    let person =
        json!({ "email": "admin@souk.example", "password": "correct-horse-battery-staple" });
    shop.client.post("/api/auth/login").json(&person).await.ok()
}

fn client(shop: &Shop, held: &Answer) -> Client {
    shop.client.with_token(held.text_of("access_token"))
}

/// What each door says at each replica, all asked at once.
async fn said(shop: &Shop, held: &Answer) -> Vec<u16> {
    let replicas = doors().into_iter().flat_map(|door| [(0, door.clone()), (1, door)]);
    let asked = replicas.map(|(replica, (service, path))| {
        let door = shop.fleet.replica(service, replica);
        door.with_token(held.text_of("access_token")).get(path).into_future()
    });
    join_all(asked).await.into_iter().map(|answer| answer.status).collect()
}

async fn is_let_in_everywhere(shop: &Shop, held: &Answer) {
    eventually("they are let in", SOON, async || {
        let said = said(shop, held).await;
        said.iter().all(|status| matches!(status, 200 | 404)).then_some(())
    })
    .await;
}

/// Waits until nobody lets them in any more; says how long that took since it was asked for.
async fn is_let_in_nowhere(shop: &Shop, held: &Answer, how: &str, asked: Instant) {
    eventually(&format!("{how}: nobody lets them in"), SOON, async || {
        said(shop, held).await.iter().all(|status| *status == 401).then_some(())
    })
    .await;
    println!("{how}: refused at every replica {:?} after it was asked for", asked.elapsed());
    let token = json!({ "refresh_token": held["refresh_token"] });
    for replica in 0..2 {
        let auth = shop.fleet.replica(Service::Auth, replica);
        let _ = auth.post("/api/auth/refresh").json(&token).await.status(401);
    }
}

#[tokio::test]
async fn whoever_signed_out_is_let_in_at_no_replica_of_any_service() {
    let shop = Shop::open_twice().await;
    let [leaves, lost, stays] =
        [signs_in(&shop).await, signs_in(&shop).await, signs_in(&shop).await];
    for held in [&leaves, &lost, &stays] {
        is_let_in_everywhere(&shop, held).await;
    }

    let asked = Instant::now();
    let _ = client(&shop, &leaves).post("/api/auth/logout").await.status(204);
    is_let_in_nowhere(&shop, &leaves, "signed out", asked).await;

    let (session, _) = lost["refresh_token"].as_str().unwrap().split_once('.').unwrap();
    let asked = Instant::now();
    let end = client(&shop, &stays).delete(format!("/api/auth/sessions/{session}"));
    let _ = end.await.status(204);
    is_let_in_nowhere(&shop, &lost, "signed out there", asked).await;
    is_let_in_everywhere(&shop, &stays).await;

    let another = signs_in(&shop).await;
    is_let_in_everywhere(&shop, &another).await;
    let asked = Instant::now();
    let _ = client(&shop, &stays).delete("/api/auth/sessions").await.status(204);
    for held in [&stays, &another] {
        is_let_in_nowhere(&shop, held, "signed out everywhere", asked).await;
    }
    is_let_in_everywhere(&shop, &signs_in(&shop).await).await;
    shop.nothing_is_dead().await;
    shop.stop().await;
}
