//! Who forgot their password chooses another one, and nobody else does.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;
use testkit::{Answer, MailServer};

use super::{mail, mailing, nth, stored, token, with_mail};
use crate::house::{ALICE, House, PASSWORD, Replica};

const RESET: &str = "Choose another password";
const OTHER: &str = "battery staple";
const BOB: &str = "bob@example.com";

async fn forgets(replica: &Replica, email: &str) -> Answer {
    let form = json!({ "email": email });
    replica.door().post("/api/auth/password/forgotten").json(&form).await
}

async fn resets(replica: &Replica, token: &str, password: &str) -> Answer {
    let form = json!({ "token": token, "password": password });
    replica.door().post("/api/auth/password/reset").json(&form).await
}

/// The token of the mail that a person gets who forgot their password.
async fn reset_token(replica: &Replica, server: &MailServer, email: &str) -> String {
    let _ = forgets(replica, email).await.status(202);
    token(&mail(server, email, RESET).await)
}

#[tokio::test]
async fn who_forgot_their_password_chooses_another_one() {
    let (house, server, one) = with_mail().await;
    let other = house.opens(mailing(&house, &server)).await;
    let alice = one.registers(ALICE).await;
    let token = reset_token(&one, &server, ALICE).await;
    let weak = resets(&one, &token, "alice123").await.status(422);
    assert_eq!(weak["errors"][0]["pointer"], "/password");

    let _ = resets(&one, &token, OTHER).await.status(204);

    let _ = one.me(&alice).await.status(401);
    other.refuses(&alice).await;
    let _ = other.refreshes(&alice).await.status(401);
    let _ = one.signs_in(ALICE, PASSWORD).await.status(401);
    let again = other.signs_in(ALICE, OTHER).await.status(200);
    let me = one.me(&again).await.status(200);
    assert!(me["email_verified_at"].is_string(), "whoever read that mail reads mail there");
    let told = mail(&server, ALICE, "Your password was changed").await;
    assert!(!told.text.contains(OTHER));
    assert_eq!(
        resets(&other, &token, PASSWORD).await.status(422)["errors"][0]["pointer"],
        "/token"
    );
    let _ = one.signs_in(ALICE, OTHER).await.status(200);
}

#[tokio::test]
async fn who_signed_in_by_the_thousand_with_the_old_password_is_out_when_ending_them_is_cut_short()
{
    let (house, server, one) = with_mail().await;
    let other = house.opens(mailing(&house, &server)).await;
    one.registers(ALICE).await;
    let token = reset_token(&one, &server, ALICE).await;
    let mut thefts = vec![];
    for _ in 0..3 {
        thefts.push(one.signs_in(ALICE, PASSWORD).await.status(200));
    }
    house.crowds(&thefts[0], 120, Some(110)).await;

    let cut = resets(&one, &token, OTHER).await;

    assert!(cut.status >= 500, "{}", cut.text);
    for theft in &thefts {
        let _ = other.refreshes(theft).await.status(401);
        other.refuses(theft).await;
    }
    let alice = other.signs_in(ALICE, OTHER).await.status(200);
    let _ = one.refreshes(&alice).await.status(200);
}

#[tokio::test]
async fn a_token_is_good_once_however_many_try_at_once() {
    let (house, server, one) = with_mail().await;
    let other = house.opens(mailing(&house, &server)).await;
    one.registers(ALICE).await;
    let token = reset_token(&one, &server, ALICE).await;
    let chosen: Vec<_> = (0..4).map(|turn| format!("battery staple {turn}")).collect();

    let tries = chosen.iter().enumerate();
    let tries = tries.map(|(turn, it)| resets([&one, &other][turn % 2], &token, it));
    let answers = join_all(tries).await;

    let through: Vec<_> = answers.iter().map(|it| it.status == 204).collect();
    assert_eq!(through.iter().filter(|it| **it).count(), 1, "{through:?}");
    let winner = through.iter().position(|it| *it).unwrap();
    let _ = one.signs_in(ALICE, &chosen[winner]).await.status(200);
}

#[tokio::test]
async fn a_token_is_good_for_an_hour_and_for_the_password_that_was_forgotten() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let first = reset_token(&replica, &server, ALICE).await;

    house.clock.advance(Duration::from_mins(61));
    let _ = resets(&replica, &first, OTHER).await.status(422);

    let _ = forgets(&replica, ALICE).await.status(202);
    let second = token(&nth(&server, 2, ALICE, RESET).await);
    let alice = replica.refreshes(&alice).await.status(200);
    let change = json!({ "current_password": PASSWORD, "password": OTHER });
    let change = replica.door_with(&alice).post("/api/auth/password").json(&change);
    let _ = change.await.status(204);
    let _ = resets(&replica, &second, PASSWORD).await.status(422);
    let _ = replica.signs_in(ALICE, OTHER).await.status(200);
    mail(&server, ALICE, "Your password was changed").await;
}

#[tokio::test]
async fn a_token_that_was_made_up_or_is_anothers_opens_nothing() {
    let (_house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;
    replica.registers(BOB).await;
    let verify = token(&mail(&server, ALICE, "Is this your address?").await);
    let alices = reset_token(&replica, &server, ALICE).await;
    let bobs = reset_token(&replica, &server, BOB).await;
    let (mail, secret) = alices.split_once('.').unwrap();
    let (others, _) = bobs.split_once('.').unwrap();

    let zeros = "A".repeat(43);
    for forged in [
        verify.clone(),
        format!("{others}.{secret}"),
        format!("{mail}.{zeros}"),
        format!("reset-1.{zeros}"),
        format!("{mail}."),
        mail.to_owned(),
        format!("{mail}.{secret}A"),
        "x".repeat(10_000),
    ] {
        let refused = resets(&replica, &forged, OTHER).await.status(422);
        assert_eq!(refused["errors"][0]["pointer"], "/token", "{forged}");
    }
    let form = json!({ "token": alices });
    let _ = replica.door().post("/api/auth/email/verify").json(&form).await.status(422);
    let _ = replica.door().post("/api/auth/email/agree").json(&form).await.status(422);
    let _ = resets(&replica, &alices, OTHER).await.status(204);
    let _ = replica.signs_in(BOB, PASSWORD).await.status(200);
}

#[tokio::test]
async fn nobody_learns_which_addresses_are_known() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    let _ = forgets(&replica, BOB).await.status(202);
    let database = house.database().await;
    database.run_command(doc! { "profile": 2 }).await.unwrap();

    let known = forgets(&replica, ALICE).await.status(202);
    let of_known = commands(&house).await;
    let unknown = forgets(&replica, "carol@example.com").await.status(202);
    let of_both = commands(&house).await;

    database.run_command(doc! { "profile": 0 }).await.unwrap();
    assert_eq!(
        (&known.text, known.header("content-length")),
        (&unknown.text, unknown.header("content-length"))
    );
    let twice = of_known.iter().map(|(what, many)| (what.clone(), many * 2)).collect();
    assert_eq!(of_both, twice);
    assert!(
        of_known.keys().any(|what| what.contains("insert") && what.contains("mails")),
        "{of_known:?}"
    );
    for email in [ALICE, "carol@example.com"] {
        for _ in 0..4 {
            let _ = forgets(&replica, email).await.status(202);
        }
        let _ = forgets(&replica, email).await.status(429);
    }
}

#[tokio::test]
async fn whoever_has_many_mails_sent_waits_whomever_they_go_to() {
    let (_house, replica) = House::with_a_door().await;

    for number in 0..30 {
        let _ = forgets(&replica, &format!("person-{number}@example.com")).await.status(202);
    }

    let halted = forgets(&replica, ALICE).await.status(429);
    assert!(halted.header("ratelimit").unwrap().starts_with("\"mail-address\""));
}

#[tokio::test]
async fn tokens_of_mails_are_not_guessed() {
    let (_house, replica) = House::with_a_door().await;
    let guess = |number: usize| format!("reset-{number}.{}", "A".repeat(43));

    for number in 0..50 {
        let _ = resets(&replica, &guess(number), OTHER).await.status(422);
    }

    let _ = resets(&replica, &guess(50), OTHER).await.status(429);
    let halted = super::shows(&replica, "verify", &guess(51)).await.status(429);
    assert!(halted.header("ratelimit").unwrap().starts_with("\"mail-token\""));
}

#[tokio::test]
async fn a_token_does_not_bring_back_who_was_disabled_meanwhile() {
    let (house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;
    let token = reset_token(&replica, &server, ALICE).await;
    house.changes("users", doc! {}, doc! { "$set": { "disabled": true } }).await;

    let _ = resets(&replica, &token, OTHER).await.status(422);

    let _ = replica.signs_in(ALICE, OTHER).await.status(401);
    let _ = replica.signs_in(ALICE, PASSWORD).await.status(403);
}

#[tokio::test]
async fn an_address_is_verified_within_three_days() {
    let (house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;
    let token = token(&mail(&server, ALICE, "Is this your address?").await);

    house.clock.advance(Duration::from_hours(72) + Duration::from_mins(1));
    let late = super::shows(&replica, "verify", &token).await.status(422);

    assert_eq!(late["errors"][0]["pointer"], "/token");
    let alice = replica.signs_in(ALICE, PASSWORD).await.status(200);
    assert!(replica.me(&alice).await["email_verified_at"].is_null());
}

#[tokio::test]
async fn a_mail_to_nobody_ends_by_itself() {
    let (house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;

    let _ = forgets(&replica, BOB).await.status(202);

    stored(&house, "one is left, which is sent", |mail| super::is(mail, "sent")).await;
    assert_eq!(house.stored("mails").await.len(), 1);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn no_token_is_kept() {
    let (house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;
    let token = reset_token(&replica, &server, ALICE).await;
    let (_, secret) = token.split_once('.').unwrap();

    let names = house.database().await.list_collection_names().await.unwrap();

    for collection in names {
        let kept = format!("{:?}", house.stored(&collection).await);
        assert!(!kept.contains(secret), "{collection}");
    }
}

/// The commands that the database was given to serve requests, and how many of each.
async fn commands(house: &House) -> BTreeMap<String, usize> {
    let profile = house.database().await.collection::<Document>("system.profile");
    let all: Vec<Document> = profile.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    let mut counts = BTreeMap::new();
    for entry in all {
        let (op, ns) = (entry.get_str("op").unwrap(), entry.get_str("ns").unwrap());
        let collection = ns.rsplit('.').next().unwrap();
        let served = ["users", "email_claims", "tickets", "mails", "throttle", "outbox"];
        // What is due, and what is old, is looked for all the time.
        let is_own = op == "remove" || op == "query" && ["mails", "outbox"].contains(&collection);
        if served.contains(&collection) && !is_own {
            *counts.entry(format!("{op} {collection}")).or_default() += 1;
        }
    }
    counts
}
