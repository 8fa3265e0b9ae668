//! What shoppers do, each kind from its coming to its leaving.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use testkit::Answer;
use tokio::time::{Instant, sleep};

use super::crowd::Kind;
use super::dice::Dice;
use super::person::{Ask, Person, Street};
use super::shelves::{SCARCE, thing};

/// How long somebody follows an order.
const PATIENCE: Duration = Duration::from_secs(90);
const VISA: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeDeclined";

/// Ways to pay that go wrong on the way, or later, or look as if they did.
const UNLUCKY: [&str; 11] = [
    "pm_sandbox_slow_success",
    "pm_sandbox_timeout_then_success",
    "pm_sandbox_timeout_then_decline",
    "pm_sandbox_timeout_then_nothing",
    "pm_sandbox_timeout_once",
    "pm_sandbox_webhook_twice",
    "pm_sandbox_webhook_first",
    "pm_sandbox_webhooks_out_of_order",
    "pm_sandbox_webhook_forged",
    "pm_sandbox_partial_capture",
    "pm_sandbox_refund_slow",
];

/// Somebody in the shop.
#[derive(Debug)]
pub(crate) struct Visitor {
    street: Arc<Street>,
    staff: Arc<Person>,
    person: Person,
    dice: Dice,
    /// Nobody else is called so.
    name: String,
}

impl Visitor {
    /// Comes, does what its kind does, and leaves.
    pub(crate) async fn visits(
        street: &Arc<Street>,
        staff: &Arc<Person>,
        kind: Kind,
        (seed, number): (u64, u32),
        dice: Dice,
    ) -> anyhow::Result<()> {
        let person = Person::guest(street).await?;
        let (street, staff) = (Arc::clone(street), Arc::clone(staff));
        let name = format!("{seed}-{number}");
        let mut visitor = Self { street, staff, person, dice, name };
        let sku = if kind == Kind::Hunter { SCARCE.to_owned() } else { thing(&mut visitor.dice) };
        visitor.adds(&sku, if kind == Kind::Hunter { 1 } else { 2 }).await?;
        match kind {
            Kind::Buyer => visitor.buys_and_keeps().await,
            Kind::Declined => visitor.is_declined_first().await,
            Kind::Waverer => visitor.cancels_unpaid().await,
            Kind::Regretter => visitor.cancels_paid().await,
            Kind::Abandoner => visitor.abandons().await,
            Kind::Late => visitor.pays_late().await,
            Kind::Unlucky => visitor.pays_with_bad_luck().await,
            Kind::Returner => visitor.sends_back(&sku).await,
            Kind::Refunded => visitor.gets_money_back(&sku).await,
            Kind::Registrar => visitor.registers_and_buys().await,
            Kind::Regular => visitor.remembers_the_account().await,
            Kind::Repeater => visitor.does_all_twice().await,
            Kind::Hunter => visitor.hunts().await,
        }
    }

    async fn buys_and_keeps(&self) -> anyhow::Result<()> {
        let order = self.buys().await?;
        self.is_sent(&order).await
    }

    async fn is_declined_first(&self) -> anyhow::Result<()> {
        let order = self.checks_out().await?;
        let declined = self.pays(&order, DECLINED, "first").await?;
        ensure!(declined["status"] == "declined", "a bad card was {}", declined["status"]);
        self.pays(&order, VISA, "second").await?;
        self.sees(&order, &["paid"]).await
    }

    async fn cancels_unpaid(&self) -> anyhow::Result<()> {
        let order = self.checks_out().await?;
        self.cancels(&order).await
    }

    async fn cancels_paid(&self) -> anyhow::Result<()> {
        let order = self.buys().await?;
        self.cancels(&order).await
    }

    async fn abandons(&self) -> anyhow::Result<()> {
        let order = self.checks_out().await?;
        self.sees(&order, &["expired"]).await
    }

    /// Begins shortly before the time is up; the money may come when the order has expired.
    async fn pays_late(&mut self) -> anyhow::Result<()> {
        let order = self.checks_out().await?;
        self.sees(&order, &["reserved"]).await?;
        sleep(self.dice.between(Duration::from_secs(10), Duration::from_secs(19))).await;
        let method = self.dice.pick(&[
            VISA,
            "pm_sandbox_slow_success",
            "pm_sandbox_timeout_then_success",
            "pm_card_authenticationRequired",
        ]);
        let payment = self.person.ask(&self.payment(&order, method, "late")).await?;
        self.was_answered(&order, &payment);
        if payment.status == 409 {
            // It is too late.
            return self.sees(&order, &["expired"]).await;
        }
        if let Some(page) = payment["next_action"]["url"].as_str() {
            sleep(self.dice.between(Duration::from_secs(1), Duration::from_secs(25))).await;
            // Whoever confirms twice hears the second time that there is nothing to confirm.
            self.person.ask(&Ask::post("confirm", format!("{page}/confirm"))).await?;
        }
        self.sees(&order, &["paid", "expired"]).await
    }

    async fn pays_with_bad_luck(&mut self) -> anyhow::Result<()> {
        let order = self.checks_out().await?;
        let method = self.dice.pick(&UNLUCKY);
        self.pays(&order, method, "unlucky").await?;
        self.sees(&order, &["paid", "expired"]).await
    }

    async fn sends_back(&self, sku: &str) -> anyhow::Result<()> {
        let order = self.buys().await?;
        self.is_sent(&order).await?;
        let path = format!("/api/orders/{order}/returns");
        let body = json!({ "lines": [{ "sku": sku, "quantity": 1 }], "reason": "too blue" });
        let ask = Ask::post("return", &path).json(body).key(self.key("return"));
        let id = text(&self.person.done(&ask).await?, "id")?;
        self.street.ledger.told(&order, |told| told.returns.push(id.clone()));
        let approve = Ask::post("approve", format!("{path}/{id}/approve"));
        self.staff.done(&approve.key(self.key("approve"))).await?;
        let receive = Ask::post("receive", format!("{path}/{id}/receive"));
        let receive = receive.json(json!({ "restock": true })).key(self.key("receive"));
        self.staff.done(&receive).await.map(drop)
    }

    async fn gets_money_back(&self, sku: &str) -> anyhow::Result<()> {
        let order = self.buys().await?;
        let lines = json!([{ "sku": sku, "quantity": 1 }]);
        let body = json!({ "lines": lines, "restock": true, "reason": "one was broken" });
        let ask = Ask::post("refund", format!("/api/orders/{order}/refunds")).json(body);
        let id = text(&self.staff.done(&ask.key(self.key("refund"))).await?, "id")?;
        self.street.ledger.told(&order, |told| told.refunds.push(id));
        self.is_sent(&order).await
    }

    async fn registers_and_buys(&self) -> anyhow::Result<()> {
        self.registers(&self.person).await?;
        self.buys().await.map(drop)
    }

    async fn remembers_the_account(&self) -> anyhow::Result<()> {
        self.registers(&Person::nobody(&self.street)).await?;
        let order = self.checks_out().await?;
        self.person.sign("login", "/api/auth/login", Some(self.credentials())).await?;
        self.pays(&order, VISA, "pay").await?;
        self.sees(&order, &["paid"]).await
    }

    async fn does_all_twice(&self) -> anyhow::Result<()> {
        let checkout = self.checkout().await?;
        let order = text(&self.twice(&checkout).await?, "order_id")?;
        self.was_ordered(&order, &checkout);
        self.sees(&order, &["reserved"]).await?;
        let pay = self.payment(&order, VISA, "pay");
        let payment = self.twice(&pay).await?;
        self.was_answered(&order, &payment);
        self.sees(&order, &["paid"]).await?;
        self.twice(&self.cancellation(&order)).await?;
        self.street.ledger.told(&order, |told| told.cancelled = true);
        Ok(())
    }

    async fn hunts(&self) -> anyhow::Result<()> {
        let answer = self.person.ask(&self.checkout().await?).await?;
        if answer.status == 409 {
            // The cart knew that nothing was left.
            return Ok(());
        }
        let order = text(&answer, "order_id")?;
        self.street.ledger.told(&order, |told| told.total = 1250);
        self.sees(&order, &["reserved", "cancelled"]).await?;
        let payment = self.person.ask(&self.payment(&order, VISA, "pay")).await?;
        self.was_answered(&order, &payment);
        Ok(())
    }

    async fn buys(&self) -> anyhow::Result<String> {
        let order = self.checks_out().await?;
        self.pays(&order, VISA, "pay").await?;
        self.sees(&order, &["paid"]).await?;
        Ok(order)
    }

    async fn adds(&self, sku: &str, quantity: u32) -> anyhow::Result<()> {
        let add = Ask::put("add", format!("/api/cart/items/{sku}"));
        let add = add.json(json!({ "quantity": quantity })).not_yet(&[404]);
        self.person.done(&add).await.map(drop)
    }

    async fn checks_out(&self) -> anyhow::Result<String> {
        let checkout = self.checkout().await?;
        let order = text(&self.person.done(&checkout).await?, "order_id")?;
        self.was_ordered(&order, &checkout);
        Ok(order)
    }

    /// The checkout of what is in the cart now.
    async fn checkout(&self) -> anyhow::Result<Ask> {
        let cart = self.person.done(&Ask::get("cart", "/api/cart")).await?;
        let accepted = json!({ "expected_total": cart["total"] });
        Ok(Ask::post("checkout", "/api/cart/checkout").json(accepted).key(self.key("checkout")))
    }

    /// Pays once the payment is due; the answer says what became of it.
    async fn pays(&self, order: &str, method: &str, key: &str) -> anyhow::Result<Answer> {
        self.sees(order, &["reserved"]).await?;
        let answer = self.person.done(&self.payment(order, method, key)).await?;
        self.was_answered(order, &answer);
        Ok(answer)
    }

    fn payment(&self, order: &str, method: &str, key: &str) -> Ask {
        let body = json!({ "order_id": order, "method": method });
        Ask::post("pay", "/api/payments").json(body).key(self.key(key)).not_yet(&[404])
    }

    async fn cancels(&self, order: &str) -> anyhow::Result<()> {
        self.person.done(&self.cancellation(order)).await?;
        self.street.ledger.told(order, |told| told.cancelled = true);
        Ok(())
    }

    fn cancellation(&self, order: &str) -> Ask {
        let cancel = Ask::post("cancel", format!("/api/orders/{order}/cancel"));
        cancel.key(self.key("cancel")).not_yet(&[404])
    }

    /// Staff send the goods, and they arrive.
    async fn is_sent(&self, order: &str) -> anyhow::Result<()> {
        let parcel = json!({ "carrier": "Hermes", "tracking": self.name });
        let ship = Ask::post("ship", format!("/api/orders/{order}/ship")).json(parcel);
        self.staff.done(&ship.key(self.key("ship"))).await?;
        self.street.ledger.told(order, |told| told.parcels.push(self.name.clone()));
        let deliver = Ask::post("deliver", format!("/api/orders/{order}/deliver"));
        self.staff.done(&deliver.key(self.key("deliver"))).await?;
        self.street.ledger.told(order, |told| told.delivered = true);
        Ok(())
    }

    /// Makes an account; the answer may be lost, and then it is there already.
    async fn registers(&self, person: &Person) -> anyhow::Result<()> {
        let (name, path) = ("register", "/api/auth/register");
        match person.sign(name, path, Some(self.credentials())).await {
            Err(error) if error.to_string().contains("409") => {
                person.sign("login", "/api/auth/login", Some(self.credentials())).await
            }
            registered => registered,
        }
    }

    fn credentials(&self) -> Value {
        let email = format!("{}@souk.example", self.name);
        json!({ "email": email, "password": "a fine long password" })
    }

    /// Waits until the order stands at one of these.
    async fn sees(&self, order: &str, any_of: &[&str]) -> anyhow::Result<()> {
        let began = Instant::now();
        let path = format!("/api/orders/{order}?wait=5s&until={}", any_of.join(","));
        let look = Ask::get("order", path).not_yet(&[404]);
        let mut status = String::new();
        while began.elapsed() < PATIENCE {
            status = text(&self.person.done(&look).await?, "status")?;
            if any_of.contains(&status.as_str()) {
                return Ok(());
            }
            if status == "expired" || status == "cancelled" {
                break;
            }
        }
        bail!("an order was {status} instead of {}", any_of.join(" or "))
    }

    /// Asks twice at once, under one key; both hear the same.
    async fn twice(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let (first, second) = tokio::try_join!(self.person.done(ask), self.person.done(ask))?;
        // A payment that was on its way has come to an end in between.
        let on_its_way = first.status == 202 || second.status == 202;
        let same = if on_its_way && first["id"].is_string() {
            first["id"] == second["id"]
        } else {
            (first.status, &first.text) == (second.status, &second.text)
        };
        if !same {
            let said = [&first, &second].map(|it| format!("{} {}", it.status, it.text));
            let what = format!("{} under one key: {}", first.asked, said.join(" and "));
            self.street.house.violated(what);
        }
        Ok(first)
    }

    fn was_ordered(&self, order: &str, checkout: &Ask) {
        let total = checkout.amount("expected_total");
        self.street.ledger.told(order, |told| told.total = total);
    }

    fn was_answered(&self, order: &str, payment: &Answer) {
        if payment.is_ok() && payment["status"] == "captured" {
            self.street.ledger.told(order, |told| told.paid = true);
        }
    }

    fn key(&self, what: &str) -> String {
        format!("{}-{what}", self.name)
    }
}

fn text(answer: &Answer, field: &str) -> anyhow::Result<String> {
    let said = || format!("{}: no {field} in an answer {}", answer.asked, answer.status);
    answer[field].as_str().map(ToOwned::to_owned).with_context(said)
}
