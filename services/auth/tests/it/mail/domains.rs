//! People whose mail is at a domain in another script.

use serde_json::json;

use super::{mail, token, with_mail};
use crate::house::{PASSWORD, person};

const SPELLINGS: [&str; 5] = [
    "info@übung.de",
    "Info@ÜBUNG.DE",
    "info@u\u{308}bung.de",
    "info@xn--bung-zra.de",
    "info@XN--BUNG-ZRA.de",
];
const ASCII: &str = "info@xn--bung-zra.de";

#[tokio::test]
async fn every_spelling_of_a_domain_is_one_account() {
    let (house, server, replica) = with_mail().await;

    let registered = replica.registers(SPELLINGS[0]).await;

    assert_eq!(replica.me(&registered).await["email"], ASCII);
    for email in SPELLINGS {
        let signed_in = replica.signs_in(email, PASSWORD).await.status(200);
        assert_eq!(signed_in["user"]["id"], registered["user"]["id"], "{email}");
        let again = replica.door().post("/api/auth/register").json(&person(email, PASSWORD)).await;
        let _ = again.status(409);
    }
    let stored = format!("{:?}", house.stored("users").await);
    assert!(stored.contains(ASCII) && !stored.contains('ü'), "{stored}");

    let forgotten = json!({ "email": SPELLINGS[1] });
    let _ = replica.door().post("/api/auth/password/forgotten").json(&forgotten).await.status(202);
    let token = token(&mail(&server, ASCII, "Choose another password").await);
    let reset = json!({ "token": token, "password": "battery staple" });
    let _ = replica.door().post("/api/auth/password/reset").json(&reset).await.status(204);
    let _ = replica.signs_in(SPELLINGS[2], "battery staple").await.status(200);
}
