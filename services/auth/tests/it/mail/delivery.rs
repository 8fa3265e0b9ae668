//! Mails get to where they go: once, late rather than never, and not for what did not happen.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use auth::Config;
use mongodb::bson::doc;
use serde_json::json;
use testkit::{MailServer, eventually};

use super::{is, mail, mailing, mails, nth, number, shows, stored, token, tries, with_mail};
use crate::house::{ALICE, House, PASSWORD, SOON, person};

const VERIFY: &str = "Is this your address?";

#[tokio::test]
async fn who_registers_is_asked_whether_the_address_is_theirs() {
    let (house, server, one) = with_mail().await;
    let other = house.opens(mailing(&house, &server)).await;

    let alice = one.registers(ALICE).await;

    let asked = mail(&server, ALICE, VERIFY).await;
    let id = asked.headers["message-id"].clone();
    assert!(id.starts_with("<verify-") && id.ends_with("@souk.example>"), "{id}");
    assert_eq!((asked.from.as_str(), &*asked.headers["to"]), ("shop@souk.example", ALICE));
    assert_eq!(asked.headers["auto-submitted"], "auto-generated");
    assert!(asked.text.contains("\nhttps://shop.example.com/account/verify#"), "{}", asked.text);
    let _ = shows(&other, "verify", &token(&asked)).await.status(204);
    let me = one.me(&alice).await.status(200);
    assert_eq!(me["email_verified_at"], "2026-01-31T08:00:00.000Z");
    let again = shows(&one, "verify", &token(&asked)).await.status(422);
    assert_eq!(again["errors"][0]["pointer"], "/token");
    stored(&house, "it is sent", |mail| is(mail, "sent")).await;
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn who_lost_the_mail_gets_another_until_the_address_is_known() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let first = token(&mail(&server, ALICE, VERIFY).await);
    let again = || replica.door_with(&alice).post("/api/auth/email/verify/mail");

    let _ = again().await.status(202);

    let second = token(&nth(&server, 2, ALICE, VERIFY).await);
    assert_ne!(first, second);
    let _ = shows(&replica, "verify", &second).await.status(204);
    let _ = again().await.status(202);
    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    assert_eq!(server.mails().len(), 2);
    for _ in 0..3 {
        let _ = again().await.status(202);
    }
    let halted = again().await.status(429);
    assert!(halted.header("retry-after").is_some());
    let guest = replica.door().post("/api/auth/guest").await.status(201);
    let _ = replica.door_with(&guest).post("/api/auth/email/verify/mail").await.status(202);
    assert_eq!(house.stored("mails").await.len(), 2);
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let (house, server, replica) = with_mail().await;
    replica.registers(ALICE).await;

    let again = replica.door().post("/api/auth/register").json(&person(ALICE, PASSWORD));
    let _ = again.await.status(409);

    assert_eq!(house.stored("mails").await.len(), 1);
    assert_eq!(house.stored("tickets").await.len(), 1);
    stored(&house, "it is sent", |mail| is(mail, "sent")).await;
    assert_eq!(mails(&server, ALICE, "").len(), 1);
}

#[tokio::test]
async fn a_mail_outlives_its_server_and_its_replica() {
    let (house, server, replica) = with_mail().await;
    server.stop().await;

    replica.registers(ALICE).await;

    stored(&house, "it is tried", |mail| tries(mail) == 1).await;
    replica.stops().await;
    server.restart().await.unwrap();
    let _replica = house.opens(mailing(&house, &server)).await;
    assert_eq!(server.mails().len(), 0);
    house.clock.advance(Duration::from_mins(1));
    mail(&server, ALICE, VERIFY).await;
}

#[tokio::test]
async fn what_the_server_will_never_take_is_dead_and_what_it_will_not_take_now_is_not() {
    let (house, server, replica) = with_mail().await;

    replica.registers("nobody@example.com").await;

    let dead = stored(&house, "it is dead", |mail| is(mail, "dead")).await;
    assert_eq!(number(&dead[0], "code"), 550);
    let metrics = replica.operations().get("/metrics").await.status(200).text;
    let counted = |line: &str| {
        line.starts_with("souk_mails_total") && line.contains("dead") && line.contains("verify")
    };
    assert!(metrics.lines().any(counted), "{metrics}");

    replica.registers("later@example.com").await;
    eventually("it is tried", SOON, async || {
        house.stored("mails").await.iter().any(|mail| tries(mail) == 1).then_some(())
    })
    .await;
    house.clock.advance(Duration::from_mins(1));
    eventually("it is tried again", SOON, async || {
        house.stored("mails").await.iter().any(|mail| tries(mail) == 2).then_some(())
    })
    .await;
    assert_eq!(server.mails().len(), 0);
}

#[tokio::test]
async fn a_server_that_refuses_the_shop_gets_the_mail_another_time() {
    let (house, _server, replica) = with_mail().await;
    let refusals = ["554-5-7-1", "550-5-7-60", "550-5-4-5", "553-5-1-8", "554"];
    for said in refusals {
        replica.registers(&format!("says-{said}@example.com")).await;
    }

    for many in 1..=2 {
        stored(&house, "all are tried", |mail| is(mail, "waiting") && tries(mail) == many).await;
        assert_eq!(house.stored("mails").await.len(), refusals.len());
        house.clock.advance(Duration::from_mins(1));
    }

    for said in ["550-5-2-1", "551", "553-5-1-3"] {
        replica.registers(&format!("says-{said}@example.com")).await;
    }
    eventually("what is said of the address is for good", SOON, async || {
        let mails = house.stored("mails").await;
        (mails.iter().filter(|mail| is(mail, "dead")).count() == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_keep_a_secret_gets_none() {
    let house = House::build().await;
    let server = MailServer::start(house.world.dir()).await.unwrap();
    let smtp_url = format!("{}?tls=required", server.url()).into();
    let replica = house.opens(Config { smtp_url, ..house.config() }).await;

    replica.registers(ALICE).await;

    stored(&house, "it is tried", |mail| tries(mail) == 1).await;
    assert_eq!(server.mails().len(), 0);
}

#[tokio::test]
async fn on_a_laptop_mails_are_files() {
    let house = House::build().await;
    let folder = house.world.dir().join("mail");
    std::fs::create_dir(&folder).unwrap();
    let mail_dir = folder.to_str().unwrap().to_owned();
    let replica = house.opens(Config { mail_dir, ..house.config() }).await;

    replica.registers(ALICE).await;

    stored(&house, "it is sent", |mail| is(mail, "sent")).await;
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 1);
    let file = files[0].path();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, rest) = text.split_once("https://shop.example.com/account/verify#").unwrap();
    let name = file.file_stem().unwrap().to_str().unwrap();
    assert!(rest.starts_with(&format!("{name}.")), "{text}");
    let _ = shows(&replica, "verify", rest.lines().next().unwrap()).await.status(204);
}

#[tokio::test]
async fn without_a_server_mails_wait_for_one() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    assert!(house.stored("mails").await.iter().all(|mail| tries(mail) == 0));
    replica.stops().await;

    let server = MailServer::start(house.world.dir()).await.unwrap();
    let replica = house.opens(mailing(&house, &server)).await;

    mail(&server, ALICE, VERIFY).await;
    let form = json!({ "token": "verify-1.x" });
    let _ = replica.door().post("/api/auth/email/verify").json(&form).await.status(422);
}

#[tokio::test]
async fn unreadable_mails_do_not_stop_others() {
    let (house, server, replica) = with_mail().await;
    let unreadable = (0..20).map(|number| {
        // The last ones have no name that could be a mail's.
        let id = if number < 10 { format!("verify-{number}") } else { format!("Bcc: {number}") };
        doc! { "_id": id, "state": "waiting", "at": "2026-01-01T00:00:00.000Z", "about": 7,
        "written_at": "2026-01-01T00:00:00.000Z", "version": 1_i64 }
    });
    let mails = house.database().await.collection::<mongodb::bson::Document>("mails");
    mails.insert_many(unreadable).await.unwrap();

    replica.registers(ALICE).await;

    mail(&server, ALICE, VERIFY).await;
    let metrics = replica.operations().get("/metrics").await.status(200).text;
    assert!(metrics.lines().any(|line| line.contains("unreadable")), "{metrics}");
}
