//! Whom auth itself lets in.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use testkit::Forger;

use crate::house::{ALICE, House, OLD_KEY, kid_of};

/// The secret key that auth derives of the secret that it is configured with.
fn derived(secret: &str) -> [u8; 32] {
    let drawn = Salt::new(HKDF_SHA256, b"souk access tokens").extract(secret.as_bytes());
    let mut seed = [0; 32];
    drawn.expand(&[b"ed25519"], HKDF_SHA256).unwrap().fill(&mut seed).unwrap();
    seed
}

#[tokio::test]
async fn no_forged_token_lets_anybody_in() {
    let (house, replica) = House::with_a_door().await;
    let kid = kid_of(&replica.registers(ALICE).await);

    let forger = Forger::new(kid, &derived(OLD_KEY), house.clock.now());

    forger.tries(|| replica.door().post("/api/auth/logout")).await;
}
