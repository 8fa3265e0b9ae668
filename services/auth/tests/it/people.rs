//! What people change of themselves.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::house::{ALICE, House, PASSWORD, Replica, person};

const OTHER: &str = "battery staple";

async fn rekeys(door: &Client, current: &str, chosen: &str) -> Answer {
    let form = json!({ "current_password": current, "password": chosen });
    door.post("/api/auth/password").json(&form).await
}

fn as_alice(replica: &Replica, alice: &Answer) -> Client {
    replica.door_with(alice)
}

#[tokio::test]
async fn who_changes_their_password_is_signed_in_here_alone() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let (here, there) = (one.registers(ALICE).await, one.signs_in(ALICE, PASSWORD).await);

    let _ = rekeys(&as_alice(&one, &here), PASSWORD, OTHER).await.status(204);

    let _ = one.me(&here).await.status(200);
    let _ = one.refreshes(&here).await.status(200);
    let _ = one.me(&there).await.status(401);
    other.refuses(&there).await;
    let _ = one.signs_in(ALICE, PASSWORD).await.status(401);
    let _ = other.signs_in(ALICE, OTHER).await.status(200);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;
    let door = as_alice(&replica, &alice);

    let refused = rekeys(&door, "incorrect horse", OTHER).await.status(422);
    assert_eq!(refused["errors"][0]["pointer"], "/current_password");
    for weak in ["password", "short", "alice123", "alice@example.com"] {
        let refused = rekeys(&door, PASSWORD, weak).await.status(422);
        assert_eq!(refused["errors"][0]["pointer"], "/password", "{weak}");
    }
    let guest = replica.door().post("/api/auth/guest").await.status(201);
    let _ = rekeys(&replica.door_with(&guest), PASSWORD, OTHER).await.status(422);
    let _ = rekeys(&replica.door(), PASSWORD, OTHER).await.status(401);

    for _ in 0..4 {
        let _ = rekeys(&door, "incorrect horse", OTHER).await.status(422);
    }
    let _ = rekeys(&door, PASSWORD, OTHER).await.status(429);
    house.clock.advance(Duration::from_secs(2));
    let _ = rekeys(&door, PASSWORD, OTHER).await.status(204);
}

#[tokio::test]
async fn a_name_is_changed_and_taken_away() {
    let (_house, replica) = House::with_a_door().await;
    let form = json!({ "email": ALICE, "password": PASSWORD, "name": "Alice" });
    let alice = replica.door().post("/api/auth/register").json(&form).await.status(201);
    let door = as_alice(&replica, &alice);
    let change = |name: Value| door.patch("/api/auth/me").json(&json!({ "name": name }));
    let seen = replica.me(&alice).await.etag().to_owned();

    let changed = change(json!("Ζωή")).if_match(&seen).await.status(200);

    assert_eq!((&changed["name"], changed.etag() != seen), (&json!("Ζωή"), true));
    let _ = change(json!("Eve")).if_match(&seen).await.status(412);
    let _ = change(json!("Eve")).await.status(428);
    let _ = change(json!("a\nb")).if_match(changed.etag()).await.status(422);
    let without = change(Value::Null).if_match(changed.etag()).await.status(200);
    assert_eq!(without["name"], Value::Null);
    let empty = door.patch("/api/auth/me").json(&json!({})).if_match(without.etag());
    let _ = empty.await.status(422);
    let role = door.patch("/api/auth/me").json(&json!({ "name": null, "role": "admin" }));
    let _ = role.if_match(without.etag()).await.status(422);
    let _ = replica.door().post("/api/auth/login").json(&person(ALICE, PASSWORD)).await.status(200);
}
