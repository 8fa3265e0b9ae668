//! Whom cart lets in.

use common::Clock;
use contracts::SessionId;
use contracts::auth::SessionRevoked;
use testkit::eventually;

use crate::shelf::{ALICE, SOON, Shelf};

#[tokio::test]
async fn no_forged_token_lets_anybody_in() {
    let shelf = Shelf::open().await;

    shelf.peer.forger(Clock::system().now()).tries(|| shelf.client.get("/api/cart")).await;
}

#[tokio::test]
async fn a_revoked_sign_in_lets_nobody_in() {
    let shelf = Shelf::open().await;
    let session_id = SessionId::from_uuid(Clock::system().uuid());
    let token = shelf.peer.forger(Clock::system().now()).good(session_id);
    let ask = shelf.client.get("/api/cart").bearer(&token);
    let _ = ask.clone().await.status(200);

    let revoked_at = Clock::system().now();
    shelf.peer.tell(&SessionRevoked { session_id, user_id: ALICE, revoked_at }).await;

    eventually("it is refused", SOON, async || (ask.clone().await.status == 401).then_some(()))
        .await;
}
