//! Two want the same goods, and payment is out of its mind while they do.

use contracts::PaymentId;
use futures_util::future::join;
use mongodb::bson::doc;
use testkit::eventually;
use testkit::fleet::Service;
use testkit::process::Signal;

use super::play::{Placed, Play};
use super::stall::SOON;

impl Play<'_> {
    /// Payment hears and does nothing from when the guest begins to pay until the order has expired
    /// and the rival has the goods; the card was charged all the same.
    pub(super) async fn paid_for_nothing(&self) -> Vec<Placed> {
        self.fills(&self.guest, 3).await;
        self.fills(&self.rival, 3).await;
        let first = self.checks_out(&self.guest, 3, "checkout").await.expect("there is enough");
        self.stall.until(&self.guest, &first, &["reserved", "expired"]).await;
        let pays = self.tries_to_pay(&self.guest, &first, "pm_sandbox_slow_success");
        let ((), second) = join(pays, self.bought_meanwhile(&first)).await;
        let first = Placed { id: first, of: self.guest.clone() };
        let second = second.map(|id| Placed { id, of: self.rival.clone() });
        [first].into_iter().chain(second).collect()
    }

    /// What the rival gets while payment is out of its mind.
    async fn bought_meanwhile(&self, first: &str) -> Option<String> {
        self.is_charged_or_expired(first).await;
        let payment = self.stall.fleet.process(Service::Payment, 0);
        payment.signal(Signal::STOP);
        let second = self.takes_over(first).await;
        let mut is_reserved = false;
        if let Some(second) = &second {
            let ends = ["reserved", "cancelled", "expired"];
            is_reserved = self.stall.until(&self.rival, second, &ends).await["status"] == ends[0];
        }
        payment.signal(Signal::CONT);
        if let Some(second) = second.as_ref().filter(|_| is_reserved) {
            self.tries_to_pay(&self.rival, second, "pm_card_visa").await;
        }
        second
    }

    /// Waits until the provider has heard of the guest's card, or it is too late for that.
    async fn is_charged_or_expired(&self, order: &str) {
        let charges = self.charges();
        let of_order = doc! { "payment": PaymentId::of(order.parse().unwrap()).to_string() };
        eventually("the card is charged, or it is too late", SOON, async || {
            let is_charged = charges.find_one(of_order.clone()).await.unwrap().is_some();
            let asked = self.guest.client.get(format!("/api/orders/{order}")).send();
            (is_charged || asked.await.ok()?["status"] == "expired").then_some(())
        })
        .await;
    }

    /// The rival's order for what the guest's gave up; none when that was paid in time.
    async fn takes_over(&self, first: &str) -> Option<String> {
        let mut turn = 0;
        eventually("the goods are free, or paid for", SOON, async || {
            turn += 1;
            let second = self.checks_out(&self.rival, 3, &format!("checkout-{turn}")).await;
            if second.is_some() {
                return Some(second);
            }
            let asked = self.guest.client.get(format!("/api/orders/{first}")).send();
            (asked.await.ok()?["status"] == "paid").then_some(None)
        })
        .await
    }
}
