//! Looking after people: finding them, roles, the unwelcome, and what is written down about it.

use futures_util::future::join_all;
use mongodb::bson::doc;
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::house::{ALICE, House, PASSWORD, Replica, person, session_of};

const ADMIN: &str = "admin@example.com";

/// A house with an administrator, and two replicas.
async fn with_an_admin() -> (House, Replica, Replica, Answer) {
    let house = House::build().await;
    let config = || auth::Config {
        admin_email: ADMIN.into(),
        admin_password: PASSWORD.into(),
        ..house.config()
    };
    let (one, other) = (house.opens(config()).await, house.opens(config()).await);
    let admin = one.signs_in(ADMIN, PASSWORD).await.status(200);
    (house, one, other, admin)
}

fn id(signed_in: &Answer) -> String {
    signed_in["user"]["id"].as_str().unwrap().to_owned()
}

/// Changes a person as they are now.
async fn change(door: &Client, who: &str, what: &Value) -> Answer {
    let path = format!("/api/auth/users/{who}");
    let seen = door.get(&path).await.status(200);
    door.patch(&path).json(what).if_match(seen.etag()).await
}

async fn acts(door: &Client) -> Vec<(Value, Value, Value)> {
    let listed = door.get("/api/auth/audit?limit=100").await.status(200);
    let entries = listed["items"].as_array().unwrap().iter().rev();
    let entry =
        |entry: &Value| (entry["by"].clone(), entry["act"].clone(), entry["person"].clone());
    entries.map(entry).collect()
}

#[tokio::test]
async fn only_administrators_look_after_people_and_staff_may_read_the_log() {
    let (_house, one, _other, admin) = with_an_admin().await;
    let shopper = one.registers(ALICE).await;
    let guest = one.door().post("/api/auth/guest").await.status(201);
    let bob = one.registers("bob@example.com").await;
    let promoted = change(&one.door_with(&admin), &id(&bob), &json!({ "role": "staff" })).await;
    assert_eq!(promoted.status(200)["role"], "staff");
    let staff = one.signs_in("bob@example.com", PASSWORD).await.status(200);

    for (door, users, audit) in [
        (one.door(), 401, 401),
        (one.door_with(&guest), 403, 403),
        (one.door_with(&shopper), 403, 403),
        (one.door_with(&staff), 403, 200),
        (one.door_with(&admin), 200, 200),
    ] {
        let _ = door.get("/api/auth/users").await.status(users);
        let _ = door.get(format!("/api/auth/users/{}", id(&bob))).await.status(users);
        let _ = door.get("/api/auth/audit").await.status(audit);
        let patch = door.patch(format!("/api/auth/users/{}", id(&shopper)));
        let patch = patch.json(&json!({ "role": "admin" })).if_match("\"1-x\"");
        let _ = patch.await.status(if users == 200 { 412 } else { users });
    }
}

#[tokio::test]
async fn people_are_found() {
    let (house, one, _other, admin) = with_an_admin().await;
    let door = one.door_with(&admin);
    for (email, name) in
        [(ALICE, "Alice Ärmel"), ("al@example.com", "ALIce"), ("b@example.com", "Bob")]
    {
        house.clock.advance(std::time::Duration::from_secs(1));
        let form = json!({ "email": email, "password": PASSWORD, "name": name });
        let _ = one.door().post("/api/auth/register").json(&form).await.status(201);
    }
    let guest = one.door().post("/api/auth/guest").await.status(201);
    let found = async |query: &str| {
        let listed = door.get(format!("/api/auth/users?{query}")).await.status(200);
        let people = listed["items"].as_array().unwrap().clone();
        people
            .iter()
            .map(|person| person["name"].as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>()
    };

    assert_eq!(found("").await, ["Bob", "ALIce", "Alice Ärmel", "-"]);
    assert_eq!(found("name=alice").await, ["ALIce", "Alice Ärmel"]);
    assert_eq!(found("name=ALICE%20%C3%A4").await, ["Alice Ärmel"]);
    assert_eq!(found("email=AL@example.com").await, ["ALIce"]);
    assert_eq!(found("email=nobody@example.com").await, [""; 0]);
    assert_eq!(found("email=al@example.com&name=bob").await, [""; 0]);
    assert_eq!(found("role=admin").await, ["-"]);
    assert_eq!(found("role=guest").await.len(), 1);
    let page = door.get("/api/auth/users?limit=3").await.status(200);
    let next = page.text_of("next_cursor");
    assert_eq!(found(&format!("limit=3&cursor={next}")).await, ["-"]);
    for nonsense in ["email=nonsense", "name=", "role=king", "x=1", "cursor=x", "limit=0"] {
        let _ = door.get(format!("/api/auth/users?{nonsense}")).await.status(400);
    }
    let _ = door.get("/api/auth/users/usr_00000000000000000000000000000000").await.status(404);
    let shown = door.get(format!("/api/auth/users/{}", id(&guest))).await.status(200);
    assert_eq!((&shown["role"], &shown["disabled"]), (&json!("guest"), &json!(false)));
}

#[tokio::test]
async fn whoever_may_do_something_else_signs_in_again() {
    let (house, one, other, admin) = with_an_admin().await;
    let bob = one.registers("bob@example.com").await;

    let changed = change(&one.door_with(&admin), &id(&bob), &json!({ "role": "staff" })).await;

    assert_eq!(changed.status(200)["role"], "staff");
    house.hears_the_end_of(&session_of(&bob)).await;
    let _ = one.me(&bob).await.status(401);
    other.refuses(&bob).await;
    let again = other.signs_in("bob@example.com", PASSWORD).await.status(200);
    assert_eq!(again["user"]["role"], "staff");
}

#[tokio::test]
async fn who_is_disabled_is_out_until_they_are_welcome_again() {
    let (_house, one, other, admin) = with_an_admin().await;
    let bob = one.registers("bob@example.com").await;
    let door = one.door_with(&admin);

    let disabled = change(&door, &id(&bob), &json!({ "disabled": true })).await.status(200);

    assert_eq!(disabled["disabled"], true);
    let _ = one.me(&bob).await.status(401);
    other.refuses(&bob).await;
    let _ = other.refreshes(&bob).await.status(401);
    let refused = other.signs_in("bob@example.com", PASSWORD).await.status(403);
    assert_eq!(refused["type"], "urn:souk:problem:account-disabled");
    // Who does not know the password does not hear of it.
    let _ = other.signs_in("bob@example.com", "incorrect horse").await.status(401);
    let _ = change(&door, &id(&bob), &json!({ "disabled": false })).await.status(200);
    let _ = other.signs_in("bob@example.com", PASSWORD).await.status(200);
}

#[tokio::test]
async fn who_signs_in_while_being_disabled_is_out_in_the_end() {
    let (_house, one, other, admin) = with_an_admin().await;
    let bob = one.registers("bob@example.com").await;
    let (door, who, disable) = (one.door_with(&admin), id(&bob), json!({ "disabled": true }));

    let sign_ins = join_all((0..12).map(|_| other.signs_in("bob@example.com", PASSWORD)));
    let (held, changed) = tokio::join!(sign_ins, change(&door, &who, &disable));

    let _ = changed.status(200);
    for signed_in in held.iter().filter(|answer| answer.status == 200) {
        other.refuses(signed_in).await;
        let _ = one.refreshes(signed_in).await.status(401);
    }
}

#[tokio::test]
async fn who_may_do_something_else_signs_in_anew_even_when_ending_their_sign_ins_is_cut_short() {
    let (house, one, other, admin) = with_an_admin().await;
    let bob = one.registers("bob@example.com").await;
    house.crowds(&bob, 120, Some(110)).await;

    let cut = change(&one.door_with(&admin), &id(&bob), &json!({ "role": "staff" })).await;

    assert!(cut.status >= 500, "{}", cut.text);
    let _ = other.refreshes(&bob).await.status(401);
    let bob = other.signs_in("bob@example.com", PASSWORD).await.status(200);
    assert_eq!(other.refreshes(&bob).await.status(200)["user"]["role"], "staff");
}

#[tokio::test]
async fn the_last_administrator_stays_whoever_asks_at_once() {
    let (_house, one, other, admin) = with_an_admin().await;
    let door = one.door_with(&admin);
    let refused = change(&door, &id(&admin), &json!({ "role": "shopper" })).await.status(409);
    assert_eq!(refused["type"], "urn:souk:problem:last-admin");
    let _ = change(&door, &id(&admin), &json!({ "disabled": true })).await.status(409);
    one.registers("bob@example.com").await;
    let bob = one.signs_in("bob@example.com", PASSWORD).await.status(200);
    let _ = change(&door, &id(&bob), &json!({ "role": "admin" })).await.status(200);
    let bob = other.signs_in("bob@example.com", PASSWORD).await.status(200);

    // Each takes the other's role away, at another replica, at the same time.
    let wish = json!({ "role": "shopper" });
    let others = other.door_with(&bob);
    let (mine, theirs) = (id(&bob), id(&admin));
    let (one_said, other_said) =
        tokio::join!(change(&door, &mine, &wish), change(&others, &theirs, &wish));

    let said = [one_said.status, other_said.status];
    assert_eq!(said.iter().filter(|status| **status == 200).count(), 1, "{said:?}");
    let mut left = 0;
    for email in [ADMIN, "bob@example.com"] {
        let signed_in = one.signs_in(email, PASSWORD).await.status(200);
        left += i32::from(signed_in["user"]["role"] == "admin");
    }
    assert_eq!(left, 1);
}

#[tokio::test]
async fn who_minded_people_when_they_got_their_token_does_so_no_longer() {
    let (house, one, other, admin) = with_an_admin().await;
    one.registers("bob@example.com").await;
    let (bob, eve) = (one.signs_in("bob@example.com", PASSWORD).await, one.registers(ALICE).await);
    let path = format!("/api/auth/users/{}", id(&eve));
    let door = other.door_with(&admin);
    let seen = door.get(&path).await.status(200);
    // As a replica sees it that did not hear yet that the sign-in of who was demoted is over.
    house.changes("admins", doc! {}, doc! { "$set": { "people": [id(&bob)] } }).await;

    let wish = json!({ "role": "admin" });
    let refused = door.patch(&path).json(&wish).if_match(seen.etag()).await.status(403);

    assert_eq!(refused["type"], "urn:souk:problem:forbidden");
    let eve = other.signs_in(ALICE, PASSWORD).await.status(200);
    assert_eq!(eve["user"]["role"], "shopper");
}

#[tokio::test]
async fn an_edit_of_a_person_who_changed_meanwhile_is_refused() {
    let (_house, one, _other, admin) = with_an_admin().await;
    let bob = id(&one.registers("bob@example.com").await);
    let (door, path) = (one.door_with(&admin), format!("/api/auth/users/{bob}"));
    let seen = door.get(&path).await.status(200).etag().to_owned();
    let edit = |what: Value| door.patch(&path).json(&what);

    let _ = edit(json!({ "role": "staff" })).await.status(428);
    let _ = edit(json!({ "role": "staff" })).if_match(&seen).await.status(200);
    let _ = edit(json!({ "role": "admin" })).if_match(&seen).await.status(412);
    let now = door.get(&path).await.status(200).etag().to_owned();
    for nonsense in [
        json!({ "role": "guest" }),
        json!({ "role": "king" }),
        json!({ "disabled": "yes" }),
        json!({ "email": "eve@example.com" }),
        json!([]),
    ] {
        let _ = edit(nonsense).if_match(&now).await.status(422);
    }
    let nobody = door.patch("/api/auth/users/usr_00000000000000000000000000000000");
    let _ = nobody.json(&json!({ "role": "staff" })).if_match(&now).await.status(404);
}

#[tokio::test]
async fn what_was_done_to_people_is_written_down_once() {
    let (house, one, _other, admin) = with_an_admin().await;
    let bob = one.registers("bob@example.com").await;
    let (door, who) = (one.door_with(&admin), id(&bob));
    let tick = || house.clock.advance(std::time::Duration::from_secs(1));

    tick();
    let _ = door.get("/api/auth/users").await.status(200);
    tick();
    let _ = door.get("/api/auth/users?email=bob@example.com").await.status(200);
    tick();
    let seen = door.get(format!("/api/auth/users/{who}")).await.status(200).etag().to_owned();
    tick();
    let wish = json!({ "role": "staff", "disabled": true });
    let path = format!("/api/auth/users/{who}");
    let done = door.patch(&path).json(&wish).if_match(&seen).await.status(200);
    tick();
    // Nothing changes, so nothing is written down.
    let _ = door.patch(&path).json(&wish).if_match(done.etag()).await.status(200);

    let by = json!(id(&admin));
    let kind = |kind: &str| json!({ "kind": kind });
    let promoted = json!({ "kind": "role_changed", "from": "shopper", "to": "staff" });
    assert_eq!(
        acts(&door).await,
        [
            (Value::Null, kind("appointed"), by.clone()),
            (by.clone(), kind("listed"), Value::Null),
            (by.clone(), kind("searched"), Value::Null),
            (by.clone(), kind("viewed"), json!(who)),
            (by.clone(), promoted, json!(who)),
            (by.clone(), kind("disabled"), json!(who)),
        ]
    );
    let kept = format!("{:?}", house.stored("audit").await);
    assert!(!kept.contains("example.com"), "{kept}");
    let page = door.get("/api/auth/audit?limit=2").await.status(200);
    let next = page.text_of("next_cursor");
    let rest = door.get(format!("/api/auth/audit?limit=100&cursor={next}")).await.status(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 4);
    let _ = one.door().post("/api/auth/login").json(&person(ADMIN, PASSWORD)).await.status(200);
}

#[tokio::test]
async fn a_guests_record_names_the_account() {
    let (_house, one, other, admin) = with_an_admin().await;
    let guest = one.door().post("/api/auth/guest").await.status(201);
    let see = async |who: &Answer| {
        let path = format!("/api/auth/users/{}", id(who));
        other.door_with(&admin).get(path).await.status(200)["merged_into"].clone()
    };
    assert_eq!(see(&guest).await, Value::Null);

    let register = one.door_with(&guest).post("/api/auth/register");
    let alice = register.json(&person(ALICE, PASSWORD)).await.status(201);

    assert_eq!(see(&guest).await, json!(id(&alice)));
    assert_eq!(see(&alice).await, Value::Null);
}
