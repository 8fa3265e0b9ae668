//! A busy day: many orders, heard in any order, twice, by two replicas at the same time.

use contracts::product::Pieces;
use contracts::{Event, EventId, OrderId, PaymentId, order};
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream;

use crate::shop::{Shop, pieces};

const ORDERS: usize = 60;

/// What an order says in the course of its life.
#[derive(Clone, Copy)]
enum Word {
    Place(u32),
    Pay,
    Expire(u32),
    Cancel,
}

use Word::{Cancel, Expire, Pay, Place};

/// Lives, and how many pieces of three are held and sold in the end.
const LIVES: [(&[Word], u32, u32); 8] = [
    (&[Place(1)], 3, 0),
    (&[Place(1), Pay], 0, 3),
    (&[Place(1), Expire(1)], 0, 0),
    (&[Place(1), Cancel], 0, 0),
    (&[Place(1), Pay, Cancel], 0, 0),
    (&[Place(1), Expire(1), Place(2)], 3, 0),
    (&[Place(1), Expire(1), Place(2), Pay], 0, 3),
    (&[Place(1), Expire(1), Place(2), Pay, Cancel], 0, 0),
];

fn lines() -> Vec<Pieces> {
    vec![pieces("MUG", 1), pieces("CUP", 3), pieces("MUG", 2)]
}

/// Mixes as it always does for the same seed (Fisher and Yates, xorshift).
fn mix<T>(things: &mut [T], mut seed: u64) {
    for last in (1..things.len()).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let other = usize::try_from(seed % (last as u64 + 1)).unwrap();
        things.swap(last, other);
    }
}

fn said(shop: &Shop, order_id: OrderId, word: Word, id: EventId) -> BoxFuture<'_, ()> {
    let lines = lines();
    let payment_id = PaymentId::of(order_id);
    let reason = order::CancelReason::Customer;
    match word {
        Place(round) => tell(shop, id, order::Placed { order_id, round, lines, customer: None }),
        Pay => tell(shop, id, order::Paid { order_id, payment_id, lines }),
        Expire(round) => tell(shop, id, order::Expired { order_id, round, lines }),
        Cancel => tell(
            shop,
            id,
            order::Cancelled { order_id, reason, lines, lost: vec![], customer: None },
        ),
    }
}

fn tell<E: Event>(shop: &Shop, id: EventId, event: E) -> BoxFuture<'_, ()> {
    async move { shop.tell_as(id, &event).await }.boxed()
}

#[tokio::test]
async fn a_day_ends_the_same_in_whatever_order_it_is_heard() {
    let shop = Shop::with_replicas(2).await;
    let product = shop.stocks(&[("MUG", 1000), ("CUP", 1000)]).await.text_of("id");
    let (mut words, mut held, mut sold) = (Vec::new(), 0, 0);
    for number in 0..ORDERS {
        let (life, held_then, sold_then) = LIVES[number % LIVES.len()];
        let order = shop.order();
        for word in life {
            // Once more under the same id, and once more under another.
            let (id, other) = (event_id(&shop), event_id(&shop));
            words.extend([(order, *word, id), (order, *word, id), (order, *word, other)]);
        }
        held += held_then;
        sold += sold_then;
    }
    mix(&mut words, 0x5eed);

    let telling = words.iter().map(|(order, word, id)| said(&shop, *order, *word, *id));
    stream::iter(telling).buffer_unordered(32).collect::<Vec<()>>().await;
    shop.settled().await;

    let left = u64::from(1000 - held - sold);
    assert_eq!(shop.available(&product, "MUG").await, left);
    assert_eq!(shop.available(&product, "CUP").await, left);
    let ledger = shop.ledger(&product).await;
    for sku in ["MUG", "CUP"] {
        let rows = ledger.iter().filter(|row| row["sku"] == sku);
        let sums = rows.fold((0, 0), |(on_hand, reserved), row| {
            let delta = |field: &str| row[field].as_i64().unwrap();
            (on_hand + delta("on_hand_delta"), reserved + delta("reserved_delta"))
        });
        assert_eq!(sums, (i64::from(1000 - sold), i64::from(held)), "{sku}");
    }
    assert_eq!(shop.dead_letters().await, 0);
}

fn event_id(shop: &Shop) -> EventId {
    EventId::from_uuid(shop.clock.uuid())
}
