//! A day on which all that can happen happens to one person.

use serde_json::{Value, json};
use testkit::fleet::Service;
use testkit::{Answer, MailServer, Request, Shopper, eventually};

use super::super::shop::{SOON, Shop, as_soon_as_due};

/// A key that only auth knows.
pub(super) const JWT_KEY: &str = "canary-key-0123456789-abcdefghij-klmnop";
/// Names requests: it may be read anywhere.
pub(super) const CONTROL: &str = "control-7f3a9c";
/// Names the trace of those requests.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

pub(super) const EMAIL: &str = "Canary-Ada@example.com";
const PASSWORD: &str = "canary password of Ada";
pub(super) const NEXT: &str = "canary password for later";
const WRONG: &str = "canary password not of Ada";
const NAME: &str = "Canary Ada Lovelace";
const CARD: &str = "4242424242424242";
const METHOD: &str = "pm_canary_of_ada";

/// What happened.
pub(super) struct Day {
    /// What it is, and what nobody may read.
    pub(super) canaries: Vec<(&'static str, String)>,
    /// What was said to those who did something wrong.
    pub(super) errors: Vec<String>,
}

impl Day {
    pub(super) async fn of(shop: &Shop, server: &MailServer) -> Self {
        let mut day = Self { canaries: known(), errors: vec![] };
        let ada = day.comes(shop).await;
        day.buys(shop, &ada).await;
        day.errs(shop, &ada).await;
        day.leaves(shop, &ada).await;
        day.is_written_to(shop, server).await;
        day
    }

    /// Registers, signs in, and is not let in.
    async fn comes(&mut self, shop: &Shop) -> Shopper {
        let ada = json!({ "email": EMAIL, "password": PASSWORD, "name": NAME });
        let post =
            |path: &str, body: &Value| shop.client.post(format!("/api/auth/{path}")).json(body);
        let registered = self.done(post("register", &ada)).await;
        self.refused(post("register", &ada), 409).await;
        let wrong = json!({ "email": EMAIL, "password": WRONG });
        self.refused(post("login", &wrong), 401).await;
        let refresh = json!({ "refresh_token": registered["refresh_token"] });
        let refreshed = self.done(post("refresh", &refresh)).await;
        let again = json!({ "refresh_token": refreshed["refresh_token"] });
        self.done(post("refresh", &again)).await;
        self.refused(post("refresh", &refresh), 401).await;
        let right = json!({ "email": EMAIL, "password": PASSWORD });
        let signed_in = self.done(post("login", &right)).await;
        self.refused(shop.client.get("/api/orders").bearer("canary.of-a.token"), 401).await;
        let found = format!("/api/auth/users?email={}", EMAIL.replace('@', "%40"));
        self.done(shop.staff.client.get(found)).await;
        Shopper {
            client: shop.client.with_token(signed_in.text_of("access_token")),
            id: signed_in["user"]["id"].as_str().unwrap().to_owned(),
            refresh_token: signed_in.text_of("refresh_token"),
        }
    }

    /// Buys, pays, has it sent, and gets the money back.
    async fn buys(&mut self, shop: &Shop, ada: &Shopper) {
        shop.sells("MUG", 1250, 5).await;
        ada.add("MUG", 2).await;
        let total = json!({ "expected_total": ada.cart().await["total"] });
        let checkout = ada.client.post("/api/cart/checkout").json(&total).key("checkout");
        let order = self.done(checkout).await.text_of("order_id");
        let reserved = ada.until(&order, "reserved").await;
        let to = ada.client.put(format!("/api/orders/{order}/address"));
        self.done(to.json(&address("IE")).if_match(reserved.etag())).await;
        let to = ada.client.put(format!("/api/orders/{order}/address"));
        self.refused(to.json(&address("Germany")).if_match("\"1\""), 422).await;
        let pay = |method: &str| {
            let payment = json!({ "order_id": order, "method": method });
            ada.client.post("/api/payments").json(&payment).key(method)
        };
        as_soon_as_due(&control(pay("pm_card_chargeDeclined"))).await;
        self.asked(pay(METHOD)).await;
        self.refused(pay(CARD), 422).await;
        let paid = self.done(pay("pm_card_visa")).await;
        ada.until(&order, "paid").await;
        shop.staff.ships(&order).await;
        let back = format!("/api/payments/{}/refunds", paid.text_of("id"));
        let back = shop.staff.client.post(back).json(&json!({ "reason": "broken" })).key("back");
        self.done(back).await;
        for path in ["", "/timeline"] {
            self.done(ada.client.get(format!("/api/orders/{order}{path}"))).await;
        }
    }

    /// Sends what makes no sense, to everybody.
    async fn errs(&mut self, shop: &Shop, ada: &Shopper) {
        let all = json!({ "email": EMAIL, "password": PASSWORD, "name": [NAME], "method": METHOD,
            "address": address("IE"), "refresh_token": ada.refresh_token });
        let whole = all.to_string();
        for path in [
            "/api/auth/register",
            "/api/auth/login",
            "/api/auth/refresh",
            "/api/auth/password",
            "/api/cart/checkout",
            "/api/payments",
            "/api/orders/ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70/cancel",
            "/api/orders/canary-of-a-path/cancel",
            "/api/payments/webhooks/sandbox",
            "/api/products",
        ] {
            let post = |body: &str| {
                let asked = ada.client.post(path).key("wrong").body(body);
                asked.header("content-type", "application/json")
            };
            self.asked(post(&whole)).await;
            self.asked(post(&whole[..whole.len() - 9])).await;
            self.asked(post(&json!(PASSWORD).to_string())).await;
            self.asked(ada.client.post(path).key(METHOD).body(whole.clone())).await;
        }
        for body in [
            json!({ "email": PASSWORD, "password": WRONG }),
            json!({ "email": EMAIL, "password": [PASSWORD] }),
        ] {
            self.asked(shop.client.post("/api/auth/login").json(&body)).await;
        }
        self.asked(ada.client.get(format!("/api/orders?cursor={}", ada.refresh_token))).await;
        self.asked(ada.client.put("/api/cart/items/NOTHING").json(&all)).await;
    }

    /// Changes name and password, and signs out.
    async fn leaves(&mut self, shop: &Shop, ada: &Shopper) {
        let change = json!({ "current_password": WRONG, "password": NEXT });
        self.asked(ada.client.post("/api/auth/password").json(&change)).await;
        let me = self.done(ada.client.get("/api/auth/me")).await;
        let named = ada.client.patch("/api/auth/me").json(&json!({ "name": NAME }));
        self.done(named.if_match(me.etag())).await;
        self.done(ada.client.get("/api/auth/sessions")).await;
        let change = json!({ "current_password": PASSWORD, "password": NEXT });
        self.done(ada.client.post("/api/auth/password").json(&change)).await;
        let again = json!({ "email": EMAIL, "password": NEXT });
        let again = self.done(shop.client.post("/api/auth/login").json(&again)).await;
        let ada = shop.client.with_token(again.text_of("access_token"));
        self.done(ada.post("/api/auth/logout")).await;
        for replica in 0..2 {
            let door = shop.fleet.replica(Service::Auth, replica).with_token(ada.token());
            eventually("who signed out is nobody", SOON, async || {
                (control(door.get("/api/auth/me")).await.status == 401).then_some(())
            })
            .await;
        }
        self.refused(ada.get("/api/auth/me"), 401).await;
    }

    pub(super) async fn done(&mut self, request: Request) -> Answer {
        self.asked(request).await.ok()
    }

    pub(super) async fn refused(&mut self, request: Request, status: u16) {
        self.asked(request).await.status(status);
    }

    /// Keeps what was said, and the tokens that were given.
    async fn asked(&mut self, request: Request) -> Answer {
        let answer = control(request).await;
        if answer.is_ok() {
            for token in ["access_token", "refresh_token"] {
                let Some(given) = answer[token].as_str() else { continue };
                // The session that a token names is no secret.
                let secret = given.split('.').filter(|part| !part.starts_with("ses_"));
                self.canaries.extend(secret.map(|part| (token, part.to_owned())));
            }
        } else {
            assert!(answer.status < 500, "{} {}: {}", answer.asked, answer.status, answer.text);
            self.errors.push(format!("{:?}\n{}", answer.headers, answer.text));
        }
        answer
    }
}

/// A request that can be told from others.
fn control(request: Request) -> Request {
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    request.header("x-request-id", CONTROL).header("traceparent", &traceparent)
}

fn address(country: &str) -> Value {
    json!({ "name": NAME, "street": "Canary Street 7", "extra": "Canary House",
        "postal_code": "C4N4RYX", "city": "Canaryville", "country": country })
}

/// What is known beforehand. Whatever else is planted is called a canary.
fn known() -> Vec<(&'static str, String)> {
    let words = [
        ("a canary", "canary"),
        ("a postal code", "C4N4RYX"),
        ("a name", "Lovelace"),
        ("the administrator's address", "admin@souk.example"),
        ("the administrator's password", "correct-horse"),
        ("the number of a card", CARD),
        ("a card as a method of payment", "pm_card_visa"),
        ("a declined card", "pm_card_chargeDeclined"),
    ];
    words.map(|(what, canary)| (what, canary.to_owned())).to_vec()
}
