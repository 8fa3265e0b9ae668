//! What somebody is written, and does who reads it.

use serde_json::{Value, json};
use testkit::{MailServer, Request, eventually};

use super::super::shop::{SOON, Shop};
use super::day::{Day, EMAIL, NEXT};

const NEW: &str = "Canary-Ada-Byron@example.com";
const FORGETFUL: &str = "canary password after the reset";

impl Day {
    /// Verifies an address, moves mail, forgets the password, and was a guest before.
    pub(super) async fn is_written_to(&mut self, shop: &Shop, server: &MailServer) {
        let post =
            |path: &str, body: &Value| shop.client.post(format!("/api/auth/{path}")).json(body);
        let verify = self.reads(server, EMAIL, "Is this your address?").await;
        self.shows(&|token| post("email/verify", &json!({ "token": token })), &verify).await;

        let right = json!({ "email": EMAIL, "password": NEXT });
        let ada = self.done(post("login", &right)).await;
        let to = json!({ "email": NEW, "current_password": NEXT });
        let moves = shop.client.post("/api/auth/email").json(&to);
        self.done(moves.bearer(&ada.text_of("access_token"))).await;
        let old = self.reads(server, EMAIL, "Is your mail to go to another").await;
        let new = self.reads(server, NEW, "Is mail to go to this").await;
        for token in [&old, &new] {
            self.shows(&|token| post("email/agree", &json!({ "token": token })), token).await;
        }

        for email in [NEW, "canary-nobody@example.com"] {
            self.done(post("password/forgotten", &json!({ "email": email }))).await;
        }
        let reset = self.reads(server, NEW, "Choose another password").await;
        let form = |token: &str| json!({ "token": token, "password": FORGETFUL });
        self.shows(&|token| post("password/reset", &form(token)), &reset).await;
        self.refused(post("password/reset", &form(&reset)), 422).await;
        self.was_a_guest(shop).await;
    }

    /// Fills a cart as nobody, and signs in with it.
    async fn was_a_guest(&mut self, shop: &Shop) {
        let guest = self.done(shop.client.post("/api/auth/guest")).await;
        let guest = shop.client.with_token(guest.text_of("access_token"));
        self.done(guest.put("/api/cart/items/MUG").json(&json!({ "quantity": 1 }))).await;
        let right = json!({ "email": NEW, "password": FORGETFUL });
        let merged = self.done(guest.post("/api/auth/login").json(&right)).await;
        assert!(merged["merged_from"].is_string(), "{}", merged.text);
        let ada = shop.client.with_token(merged.text_of("access_token"));
        assert_eq!(self.done(ada.get("/api/cart")).await["lines"][0]["sku"], "MUG");
    }

    /// Shows a token to who is to have it: with a slip first.
    async fn shows(&mut self, show: &impl Fn(&str) -> Request, token: &str) {
        self.refused(show(&format!("{token}x")), 422).await;
        self.done(show(token)).await;
    }

    /// The token of a mail, which nobody else may read.
    async fn reads(&mut self, server: &MailServer, to: &str, subject: &str) -> String {
        let mail = eventually(&format!("{to} is asked: {subject}"), SOON, async || {
            let mut mails = server.mails().into_iter();
            mails.find(|mail| {
                mail.to[0].eq_ignore_ascii_case(to) && mail.headers["subject"].contains(subject)
            })
        })
        .await;
        let (_, token) = mail.text.split_once('#').unwrap();
        let token = token.lines().next().unwrap().to_owned();
        // The name of the mail is no secret.
        let (_, secret) = token.split_once('.').unwrap();
        self.canaries.push(("the token of a mail", secret.to_owned()));
        token
    }
}
