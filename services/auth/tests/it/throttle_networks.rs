//! Addresses of IPv6 count by subnet, by customer and by site.

use auth::Config;
use serde_json::json;

use crate::house::{ALICE, House, PASSWORD, person};
use crate::throttle::{WRONG, behind_a_proxy, two_replicas};

#[tokio::test]
async fn many_subnets_of_one_site_wait() {
    let (_house, one, other) = two_replicas().await;
    // A provider gives a site a /48: 65,536 times a /64.
    let site = |number: usize| format!("2001:db8:7:{:x}::1", number * 0x101);
    let person = |number: usize| format!("person-{number}@example.com");
    let mut statuses = vec![];
    for number in 0..100 {
        let replica = [&one, &other][number % 2];
        let answer = replica.signs_in_from(&site(number), &person(number), WRONG).await;
        statuses.push(answer.status);
    }

    assert_eq!(statuses[..80], [401; 80], "the bound is four times that of a single subnet");
    assert!(statuses[80..].contains(&429), "{statuses:?}");
    let neighbour = one.signs_in_from("2001:db8:8::1", &person(200), WRONG).await;
    let _ = neighbour.status(401);
}

#[tokio::test]
async fn subnets_of_one_56_wait_sooner() {
    let (_house, one, _other) = two_replicas().await;
    let subnet = |number: usize| format!("2001:db8:7:ab{number:02x}::1");
    let person = |number: usize| format!("person-{number}@example.com");
    let mut refused = None;
    for number in 0..50 {
        let answer = one.signs_in_from(&subnet(number), &person(number), WRONG).await;
        if answer.status == 429 {
            refused.get_or_insert(number);
        }
    }

    assert!(refused.is_some_and(|number| number >= 40), "{refused:?}");
    let neighbour = one.signs_in_from("2001:db8:7:ac00::1", &person(200), WRONG).await;
    let _ = neighbour.status(401);
}

#[tokio::test]
async fn one_subnet_does_not_halt_its_neighbours() {
    let (_house, one, _other) = two_replicas().await;
    for number in 0..100 {
        let email = format!("person-{number}@example.com");
        let answer = one.signs_in_from("2001:db8:7:ab00::1", &email, WRONG).await;
        assert!(matches!(answer.status, 401 | 429), "{}", answer.text);
    }

    let neighbour = one.signs_in_from("2001:db8:7:ab01::1", ALICE, WRONG).await;

    let _ = neighbour.status(401);
}

#[tokio::test]
async fn subnets_of_one_site_share_every_bound() {
    let house = House::build().await;
    let config =
        || Config { guests_per_address: 3, registrations_per_address: 1, ..behind_a_proxy(&house) };
    let one = house.opens(config()).await;
    let site = |number: usize| format!("2001:db8:7:{:x}::1", number * 0x101);
    let guess = json!({ "refresh_token": "ses_00000000000000000000000000000000.guessed" });
    let token = json!({ "token": format!("verify-1.{}", "A".repeat(43)) });
    let refused = async |many: usize, ask: &dyn Fn(usize) -> testkit::Request| {
        for number in 0..many {
            let answer = ask(number).header("x-forwarded-for", &site(number)).await;
            if answer.status == 429 {
                return number;
            }
        }
        panic!("{many} are not refused")
    };

    let door = one.door();
    assert_eq!(refused(20, &|_| door.post("/api/auth/guest")).await, 4 * 3);
    let email = |number| person(&format!("person-{number}@example.com"), PASSWORD);
    let register = |number| door.post("/api/auth/register").json(&email(number));
    assert_eq!(refused(10, &register).await, 4);
    let refresh = |_| door.post("/api/auth/refresh").json(&guess);
    assert!(refused(230, &refresh).await >= 4 * 50);
    let verify = |_| door.post("/api/auth/email/verify").json(&token);
    assert!(refused(230, &verify).await >= 4 * 50);
    let forgotten = |number: usize| {
        let email = json!({ "email": format!("person-{number}@example.com") });
        door.post("/api/auth/password/forgotten").json(&email)
    };
    assert!(refused(150, &forgotten).await >= 4 * 30);
}
