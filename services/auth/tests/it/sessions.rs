//! Where somebody is signed in, and how they sign out there.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use testkit::Answer;

use crate::house::{ALICE, House, PASSWORD, Replica, person, session_of};

const SECOND: Duration = Duration::from_secs(1);

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";

async fn sessions(replica: &Replica, held: &Answer) -> Vec<Value> {
    let listed = replica.door_with(held).get("/api/auth/sessions").await.status(200);
    listed["items"].as_array().unwrap().clone()
}

fn ids(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_where_they_are_signed_in() {
    let (house, replica) = House::with_a_door().await;
    let first = replica.registers(ALICE).await;
    replica.registers("bob@example.com").await;
    house.clock.advance(SECOND);
    let form = person(ALICE, PASSWORD);
    let login = replica.door().post("/api/auth/login").json(&form).header("user-agent", FIREFOX);
    let second = login.await.status(200);
    let over = replica.signs_in(ALICE, PASSWORD).await.status(200);
    let _ = replica.door_with(&over).post("/api/auth/logout").await.status(204);
    house.clock.advance(Duration::from_mins(2));
    let second = replica.refreshes(&second).await.status(200);

    let seen = sessions(&replica, &second).await;

    assert_eq!(ids(&seen), [session_of(&second), session_of(&first)]);
    assert_eq!((&seen[0]["current"], &seen[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&seen[0]["client"], &seen[1]["client"]),
        (&json!("Firefox on Linux"), &json!("unknown"))
    );
    assert_eq!(seen[0]["network"], "127.0.0.0/24");
    assert_eq!(seen[0]["created_at"], "2026-01-31T08:00:01.000Z");
    assert_eq!(seen[0]["used_at"], "2026-01-31T08:02:01.000Z");
    let kept = format!("{:?}", house.stored("sessions").await);
    assert!(!kept.contains("Gecko") && !kept.contains("127.0.0.1"), "{kept}");
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let (house, replica) = House::with_a_door().await;
    let mut held = vec![replica.registers(ALICE).await];
    for _ in 0..4 {
        house.clock.advance(SECOND);
        held.push(replica.signs_in(ALICE, PASSWORD).await.status(200));
    }

    let (mut path, mut seen) = ("/api/auth/sessions?limit=2".to_owned(), vec![]);
    loop {
        let page = replica.door_with(&held[0]).get(&path).await.status(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/auth/sessions?limit=2&cursor={next}");
    }

    let expected: Vec<_> = held.iter().rev().map(session_of).collect();
    assert_eq!(ids(&seen), expected);
}

#[tokio::test]
async fn one_sign_in_of_many_ends_at_every_replica() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let (here, there) = (one.registers(ALICE).await, one.signs_in(ALICE, PASSWORD).await);
    let end = |held: &Answer, session: String| {
        one.door_with(held).delete(format!("/api/auth/sessions/{session}"))
    };

    let _ = end(&here, session_of(&there)).await.status(204);

    let _ = one.me(&there).await.status(401);
    other.refuses(&there).await;
    house.hears_the_end_of(&session_of(&there)).await;
    let _ = one.refreshes(&there).await.status(401);
    let _ = end(&here, session_of(&there)).await.status(204);
    assert_eq!(ids(&sessions(&one, &here).await), [session_of(&here)]);
    // Nobody ends another's.
    let bob = one.registers("bob@example.com").await;
    let _ = end(&bob, session_of(&here)).await.status(404);
    let _ = end(&bob, "ses_00000000000000000000000000000007".to_owned()).await.status(404);
    let _ = end(&bob, "nonsense".to_owned()).await.status(400);
    let _ = one.me(&here).await.status(200);
}

#[tokio::test]
async fn who_signs_out_everywhere_is_signed_in_nowhere() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let bob = one.registers("bob@example.com").await;
    let mut held = vec![one.registers(ALICE).await];
    for _ in 0..3 {
        held.push(other.signs_in(ALICE, PASSWORD).await.status(200));
    }

    let _ = one.door_with(&held[0]).delete("/api/auth/sessions").await.status(204);

    for signed_in in &held {
        let _ = one.me(signed_in).await.status(401);
        other.refuses(signed_in).await;
        let _ = other.refreshes(signed_in).await.status(401);
    }
    let _ = one.me(&bob).await.status(200);
    let _ = one.signs_in(ALICE, PASSWORD).await.status(200);
}

/// More sign-ins than one commit ends, and one that stops whoever goes on to end the rest.
const CROWD: (usize, Option<usize>) = (120, Some(110));

/// A sign-in of Alice that the end of all others stopped short of.
async fn is_over(house: &House, replica: &Replica, held: &Answer) {
    let stored = house.stored("sessions").await;
    let is_it = |it: &&Document| it.get_str("_id").is_ok_and(|id| id == session_of(held));
    let stored = stored.iter().find(is_it).unwrap();
    assert!(stored.get_str("revoked_at").is_err(), "{stored}");

    let _ = replica.refreshes(held).await.status(401);

    house.hears_the_end_of(&session_of(held)).await;
    let _ = replica.refreshes(held).await.status(401);
    let _ = replica.me(held).await.status(401);
}

#[tokio::test]
async fn whoever_was_signed_out_everywhere_stays_so_when_that_is_cut_short() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let (here, there) = (one.registers(ALICE).await, one.signs_in(ALICE, PASSWORD).await);
    house.crowds(&there, CROWD.0, CROWD.1).await;

    let cut = one.door_with(&here).delete("/api/auth/sessions").await;

    assert!(cut.status >= 500, "{}", cut.text);
    let again = other.signs_in(ALICE, PASSWORD).await.status(200);
    for held in [&here, &there] {
        is_over(&house, &other, held).await;
    }
    let again = one.refreshes(&again).await.status(200);
    assert_eq!(ids(&sessions(&one, &again).await), [session_of(&again)]);
}

#[tokio::test]
async fn another_password_ends_all_other_sign_ins_even_when_that_is_cut_short() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let (here, there) = (one.registers(ALICE).await, one.signs_in(ALICE, PASSWORD).await);
    house.crowds(&there, CROWD.0, CROWD.1).await;
    let change = json!({ "current_password": PASSWORD, "password": "battery staple" });

    let cut = one.door_with(&here).post("/api/auth/password").json(&change).await;

    assert!(cut.status >= 500, "{}", cut.text);
    is_over(&house, &other, &there).await;
    let here = other.refreshes(&here).await.status(200);
    assert_eq!(ids(&sessions(&one, &here).await), [session_of(&here)]);
    let again = other.signs_in(ALICE, "battery staple").await.status(200);
    let _ = one.refreshes(&again).await.status(200);
}

#[tokio::test]
async fn who_is_signed_in_too_often_is_signed_out_where_it_was_longest_ago() {
    let (house, replica) = House::with_a_door().await;
    let first = replica.registers(ALICE).await;
    house.crowds(&first, 105, None).await;

    let last = replica.signs_in(ALICE, PASSWORD).await.status(200);

    let mut ended = house.stored("sessions").await;
    ended.retain(|it| it.get_str("revoked_at").is_ok());
    let mut ended: Vec<_> = ended.iter().map(|it| it.get_str("_id").unwrap()).collect();
    ended.sort_unstable();
    let oldest: Vec<_> = (0..7).map(|number| format!("ses_{number:032x}")).collect();
    assert_eq!(ended, oldest);
    for held in [&first, &last] {
        let _ = replica.refreshes(held).await.status(200);
    }
    house.hears_the_end_of(&oldest[0]).await;
}

#[tokio::test]
async fn a_sign_in_of_before_there_were_eras_goes_on() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;
    for collection in ["users", "sessions"] {
        house.changes(collection, doc! {}, doc! { "$unset": { "era": "" } }).await;
    }

    let alice = replica.refreshes(&alice).await.status(200);

    assert_eq!(ids(&sessions(&replica, &alice).await), [session_of(&alice)]);
}
