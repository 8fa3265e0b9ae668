//! Searches of a large catalogue leave the database to orders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contracts::ProductId;
use contracts::product::Reserved;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::shop::{Shop, pieces, variant};

/// Searches in flight.
const SEARCHES: usize = 300;

/// Puts so many products more on sale, as copies of one.
async fn fill(shop: &Shop, product: &str, copies: usize) {
    for name in ["products", "catalogue"] {
        let collection = shop.collection(name).await;
        let prefix = if name == "catalogue" { "entry:" } else { "" };
        let id = format!("{prefix}{product}");
        let one = collection.find_one(doc! { "_id": id }).await.unwrap().unwrap();
        let ids: Vec<_> = (0..copies).map(|_| ProductId::from_uuid(shop.clock.uuid())).collect();
        for (page, ids) in ids.chunks(2000).enumerate() {
            let copies = ids.iter().enumerate().map(|(at, id)| {
                let number = page * 2000 + at;
                let mut copy = one.clone();
                copy.insert("_id", format!("{prefix}{id}"));
                copy.insert("title", format!("Thing {number}"));
                if name == "catalogue" {
                    copy.insert("product_id", id.to_string());
                    copy.insert("words", vec!["thing".to_owned(), number.to_string()]);
                }
                copy
            });
            collection.insert_many(copies.collect::<Vec<Document>>()).await.unwrap();
        }
    }
}

/// Searches until `is_done`; counts the answers by their status.
async fn search(shop: &Shop, visitor: usize, is_done: Arc<AtomicBool>) -> BTreeMap<u16, usize> {
    let client = shop.anyone();
    let mut statuses = BTreeMap::new();
    for number in 0.. {
        if is_done.load(Ordering::Relaxed) {
            break;
        }
        let query = match (visitor + number) % 4 {
            0 => "q=thing&sort=price".to_owned(),
            1 => format!("q={}&in_stock=true", number % 100),
            2 => "in_stock=true&max_price=500&sort=price_desc".to_owned(),
            _ => "sort=title&q=thing&limit=100".to_owned(),
        };
        let status = client.get(format!("/api/products?{query}")).await.status;
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

/// How long each order takes from being placed to its goods being set aside.
async fn order(shop: &Shop, orders: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in 0..orders {
        let begun = Instant::now();
        shop.placed(shop.order(), 1, &[pieces("SOLD", 1)]).await;
        shop.hears::<Reserved>(number + 1).await;
        took.push(begun.elapsed());
    }
    took.sort();
    took
}

#[tokio::test]
async fn searches_do_not_hold_up_orders() {
    let shop = Shop::open().await;
    let sold = json!({"title": "Tin mug", "variants": [variant("SOLD", 900, 1000)]});
    let product = shop.sells(&sold).await.text_of("id");
    let (products, orders) = if testkit::full() { (50_000, 30) } else { (2_000, 10) };
    fill(&shop, &product, products).await;
    let is_done = Arc::new(AtomicBool::new(false));

    let searches = join_all((0..SEARCHES).map(|visitor| search(&shop, visitor, is_done.clone())));
    let ordered = async {
        let took = order(&shop, orders).await;
        is_done.store(true, Ordering::Relaxed);
        took
    };
    let (answers, took) = futures_util::join!(searches, ordered);

    let answers: BTreeMap<u16, usize> =
        answers.into_iter().flatten().fold(BTreeMap::new(), |mut sum, (status, count)| {
            *sum.entry(status).or_default() += count;
            sum
        });
    println!("answers {answers:?}, placed to reserved {took:?}");
    assert!(answers.keys().all(|status| [200, 503].contains(status)), "{answers:?}");
    assert!(answers[&200] > 0, "{answers:?}");
    if testkit::full() {
        let slowest = took[orders * 99 / 100];
        assert!(slowest < Duration::from_secs(2), "{took:?}");
    }
}
