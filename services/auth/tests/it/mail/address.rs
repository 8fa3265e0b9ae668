//! Mail goes to another address when both addresses agree.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, MailServer};

use super::{mail, mailing, shows, token, with_mail};
use crate::house::{ALICE, House, PASSWORD, Replica};

const NEW: &str = "alice@elsewhere.example";

async fn moves(replica: &Replica, who: &Answer, to: &str, password: &str) -> Answer {
    let form = json!({ "email": to, "current_password": password });
    replica.door_with(who).post("/api/auth/email").json(&form).await
}

/// The tokens that the old and the new address get when somebody asks.
async fn asked(replica: &Replica, server: &MailServer, who: &Answer) -> (String, String) {
    let _ = moves(replica, who, NEW, PASSWORD).await.status(202);
    let old = mail(server, ALICE, "another address").await;
    let new = mail(server, NEW, "to this address").await;
    assert!(!old.text.contains(NEW) && !new.text.contains(ALICE));
    (token(&old), token(&new))
}

#[tokio::test]
async fn mail_goes_elsewhere_when_both_agree() {
    let (house, server, one) = with_mail().await;
    let other = house.opens(mailing(&house, &server)).await;
    let alice = one.registers(ALICE).await;
    let (old, new) = asked(&one, &server, &alice).await;

    for replica in [&one, &other] {
        let waits = shows(replica, "agree", &new).await.status(200);
        assert_eq!(waits.body, json!({ "changed": false }));
        assert_eq!(one.me(&alice).await["email"], ALICE);
    }
    let done = shows(&other, "agree", &old).await.status(200);

    assert_eq!(done.body, json!({ "changed": true }));
    let me = one.me(&alice).await.status(200);
    assert_eq!((&me["email"], me["email_verified_at"].is_string()), (&json!(NEW), true));
    let _ = other.signs_in(NEW, PASSWORD).await.status(200);
    let _ = one.signs_in(ALICE, PASSWORD).await.status(401);
    for (path, token) in [("agree", &old), ("agree", &new), ("refuse", &old)] {
        let _ = shows(&one, path, token).await.status(422);
    }
    // The old address is free.
    one.registers(ALICE).await;
}

#[tokio::test]
async fn either_address_may_refuse() {
    let (_house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let (old, new) = asked(&replica, &server, &alice).await;
    let _ = shows(&replica, "agree", &new).await.status(200);

    let _ = shows(&replica, "refuse", &old).await.status(204);

    let _ = shows(&replica, "agree", &old).await.status(422);
    let _ = shows(&replica, "agree", &new).await.status(422);
    assert_eq!(replica.me(&alice).await["email"], ALICE);
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_stays_its_owners() {
    let (_house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let (old, new) = asked(&replica, &server, &alice).await;
    replica.registers(NEW).await;
    let _ = shows(&replica, "agree", &new).await.status(200);

    let taken = shows(&replica, "agree", &old).await.status(409);

    assert_eq!(taken["type"], "urn:souk:problem:email-taken");
    assert_eq!(replica.me(&alice).await["email"], ALICE);
}

#[tokio::test]
async fn agreement_takes_a_day_at_most() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let (old, new) = asked(&replica, &server, &alice).await;
    let _ = shows(&replica, "agree", &new).await.status(200);

    house.clock.advance(Duration::from_hours(25));

    let _ = shows(&replica, "agree", &old).await.status(422);
}

#[tokio::test]
async fn the_old_address_gets_no_more_mails_than_a_new_one() {
    let (_house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;

    for number in 0..5 {
        let to = format!("alice-{number}@example.org");
        let _ = moves(&replica, &alice, &to, PASSWORD).await.status(202);
    }

    let halted = moves(&replica, &alice, "alice-5@example.org", PASSWORD).await.status(429);
    assert!(halted.header("ratelimit").unwrap().starts_with("\"mail\""));
}

#[tokio::test]
async fn only_who_knows_the_password_moves_mail() {
    let (house, _server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let guest = replica.door().post("/api/auth/guest").await.status(201);
    let refused = |answer: Answer| answer.status(422)["errors"][0]["pointer"].clone();

    let wrong: Value = json!("/current_password");
    assert_eq!(refused(moves(&replica, &alice, NEW, "incorrect horse").await), wrong);
    assert_eq!(refused(moves(&replica, &guest, NEW, PASSWORD).await), wrong);
    assert_eq!(refused(moves(&replica, &alice, ALICE, PASSWORD).await), json!("/email"));
    assert_eq!(refused(moves(&replica, &alice, "x\r\nBcc: y", PASSWORD).await), json!("/email"));

    assert_eq!(house.stored("address_changes").await.len(), 0);
}

#[tokio::test]
async fn whoever_guesses_the_password_to_move_mail_waits() {
    let (_house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;

    for _ in 0..5 {
        let _ = moves(&replica, &alice, NEW, "incorrect horse").await.status(422);
    }

    let _ = moves(&replica, &alice, NEW, PASSWORD).await.status(429);
}
