//! Whom order lets in.

use contracts::auth::SessionRevoked;
use contracts::{SessionId, UserId};
use testkit::forged::RFC_8037;
use testkit::{Forger, eventually};

use crate::shop::{SOON, Shop};

#[tokio::test]
async fn no_forged_token_lets_anybody_in() {
    let shop = Shop::open().await;

    Forger::new("test", &RFC_8037, shop.clock.now())
        .tries(|| shop.anyone().get("/api/orders"))
        .await;
}

#[tokio::test]
async fn a_revoked_sign_in_lets_nobody_in() {
    let shop = Shop::open().await;
    let [session, person] = [shop.clock.uuid(), shop.clock.uuid()];
    let (session_id, user_id) = (SessionId::from_uuid(session), UserId::from_uuid(person));
    let token = Forger::new("test", &RFC_8037, shop.clock.now()).good(session_id);
    let ask = shop.anyone().get("/api/orders").bearer(&token);
    let _ = ask.clone().await.status(200);

    let revoked_at = shop.clock.now();
    shop.peer.tell(&SessionRevoked { session_id, user_id, revoked_at }).await;

    eventually("it is refused", SOON, async || (ask.clone().await.status == 401).then_some(()))
        .await;
}
