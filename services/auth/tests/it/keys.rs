//! The keys that access tokens are signed with.

use std::time::Duration;

use auth::Config;
use contracts::auth::Keys;
use serde_json::json;
use testkit::eventually;

use crate::house::{ALICE, House, NEW_KEY, OLD_KEY, PASSWORD, SOON, kid_of};

const HEAD_START: Duration = Duration::from_mins(1);

fn rotated(house: &House) -> Config {
    let (jwt_key, jwt_key_previous) = (NEW_KEY.into(), OLD_KEY.into());
    Config { jwt_key, jwt_key_previous, ..house.config() }
}

fn renewed(house: &House) -> Config {
    Config { jwt_key: NEW_KEY.into(), ..house.config() }
}

#[tokio::test]
async fn anybody_can_see_the_key() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;

    let set = replica.door().get("/api/auth/jwks.json").await.status(200);

    let key = &set["keys"][0];
    let said = ["kty", "crv", "alg", "use"].map(|member| key[member].as_str().unwrap());
    assert_eq!(said, ["OKP", "Ed25519", "EdDSA", "sig"]);
    assert_eq!(key["kid"], kid_of(&alice));
    assert_eq!(set.header("cache-control"), Some("public, max-age=60"));
    let told = house.peer.hears::<Keys>("current").await;
    assert_eq!(json!([told.keys[0].kid, told.keys[0].x]), json!([key["kid"], key["x"]]));
    let token = alice.text_of("access_token");
    let public = jsonwebtoken::DecodingKey::from_ed_components(&told.keys[0].x).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["souk"]);
    validation.set_issuer(&["souk"]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, &public, &validation).unwrap();
    assert_eq!(claims.claims["sub"], alice["user"]["id"]);
}

#[tokio::test]
async fn replicas_of_one_secret_share_their_key() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;

    let alice = one.registers(ALICE).await;

    let _ = other.me(&alice).await.status(200);
    assert_eq!(kid_of(&other.signs_in(ALICE, PASSWORD).await), kid_of(&alice));
    house.peer.hears::<Keys>("current").await;
    assert_eq!(house.peer.told::<Keys>("current").await.len(), 1);
}

#[tokio::test]
async fn a_new_key_takes_over_without_anybody_noticing() {
    let (house, old) = House::with_a_door().await;
    let alice = old.registers(ALICE).await;

    let new = house.opens(rotated(&house)).await;
    let during = new.refreshes(&alice).await.status(200);
    let _ = new.me(&alice).await.status(200);
    house.sees_the_new_key().await;
    house.clock.advance(HEAD_START);
    let after = new.refreshes(&during).await.status(200);

    assert_eq!(kid_of(&during), kid_of(&alice));
    assert_ne!(kid_of(&after), kid_of(&alice));
    // The replica that knows nothing of the new secret heard of its key.
    for replica in [&new, &old] {
        for held in [&alice, &during, &after] {
            let _ = replica.me(held).await.status(200);
        }
        assert_eq!(replica.keys().await, [kid_of(&alice), kid_of(&after)]);
    }
}

impl House {
    /// Waits until a replica has seen the key that is to sign next in its stream.
    async fn sees_the_new_key(&self) {
        eventually("the new key is seen in its stream", SOON, async || {
            let sets = self.stored("keys").await;
            let keys = sets[0].get_array("keys").unwrap();
            let seen = keys.iter().filter_map(|key| key.as_document()).any(|key| {
                key.get_document("publication")
                    .is_ok_and(|it| it.get_str("state").is_ok_and(|state| state == "seen"))
            });
            seen.then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn unpublished_key_signs_nothing() {
    let (house, old) = House::with_a_door().await;
    let alice = old.registers(ALICE).await;
    house.peer.hears::<Keys>("current").await;
    house.world.nats().kill().await;

    let new = house.opens(rotated(&house)).await;
    house.clock.advance(HEAD_START + Duration::from_secs(10));
    let away = new.refreshes(&alice).await.status(200);
    assert_eq!(kid_of(&away), kid_of(&alice), "no other service knows the new key");
    house.world.nats().restart().await.unwrap();
    house.sees_the_new_key().await;
    let seen = new.refreshes(&away).await.status(200);
    assert_eq!(kid_of(&seen), kid_of(&alice), "others may not have it yet");
    house.clock.advance(HEAD_START);

    // The replica takes the time when it looks for the key the next time.
    let held = std::sync::Mutex::new(seen);
    eventually("the new key signs", SOON, async || {
        let current = held.lock().unwrap().clone();
        let next = new.refreshes(&current).await.status(200);
        let kid = kid_of(&next);
        *held.lock().unwrap() = next;
        (kid != kid_of(&alice)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn evicted_keys_are_back_within_a_minute() {
    const MINUTE: Duration = Duration::from_mins(1);
    let (house, replica) = House::with_a_door().await;
    let kid = kid_of(&replica.registers(ALICE).await);
    house.peer.hears::<Keys>("current").await;
    let are_there = async || {
        let set = house.peer.told::<Keys>("current").await.pop()?;
        (set.keys[0].kid == kid).then_some(())
    };

    house.peer.evict("auth.keys.v1.current").await;
    eventually("the keys are evicted", SOON, async || are_there().await.is_none().then_some(()))
        .await;
    eventually("the keys are back", MINUTE, are_there).await;

    house.peer.purge("AUTH_STATE").await;
    eventually("the keys are back", MINUTE, are_there).await;
    let other = house.opens(house.config()).await;
    let _ = other.signs_in(ALICE, PASSWORD).await;
}

#[tokio::test]
async fn an_old_key_ends_with_its_tokens() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;
    replica.stops().await;

    let replica = house.opens(renewed(&house)).await;
    let _ = replica.me(&alice).await.status(200);
    let next = replica.refreshes(&alice).await.status(200);
    assert_eq!(replica.keys().await, [kid_of(&alice), kid_of(&next)]);
    house.clock.advance(Duration::from_mins(9));
    replica.stops().await;
    let replica = house.opens(renewed(&house)).await;

    assert_eq!(replica.keys().await, [kid_of(&next)]);
    eventually("the old key is told no longer", SOON, async || {
        let told = house.peer.told::<Keys>("current").await.pop()?;
        (told.keys.len() == 1 && told.keys[0].kid == kid_of(&next)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_wiped_service_is_heard_again() {
    let (house, replica) = House::with_a_door().await;
    let before = kid_of(&replica.registers(ALICE).await);
    house.peer.hears::<Keys>("current").await;
    replica.stops().await;
    // It was told more often than the new life will count at first.
    house.opens(rotated(&house)).await.stops().await;
    house.wipe().await;

    let replica = house.opens(renewed(&house)).await;

    let guest = replica.door().post("/api/auth/guest").await.status(201);
    assert_ne!(kid_of(&guest), before);
    eventually("the new key is told as the newest", SOON, async || {
        let told = house.peer.told::<Keys>("current").await.pop()?;
        (told.keys.len() == 1 && told.keys[0].kid == kid_of(&guest)).then_some(())
    })
    .await;
    eventually("tokens are let in", SOON, async || {
        (replica.me(&guest).await.status == 200).then_some(())
    })
    .await;
}
