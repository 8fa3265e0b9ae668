//! Everything is lost but the backups.

use std::path::Path;

use mongodb::bson::{Document, doc};
use testkit::fleet::{Options, Service};
use testkit::process::{Process, Spec};
use testkit::{Fleet, Shopper, Staff, tools};

use super::shop::Shop;

/// Where the scripts are that operators' jobs run.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/k8s/base/backup/scripts");

/// The orders of a shop, each at another point of its way.
struct Orders {
    shipped: (Shopper, String),
    paid: (Shopper, String),
    refunded: (Shopper, String),
    /// Those that are still to be paid: reserved, not yet reserved, and not even heard of.
    open: [(Shopper, String); 3],
}

#[tokio::test]
async fn a_shop_that_lost_everything_goes_on_from_its_backups() {
    let Some(mongosh) = tools::mongosh().await else {
        assert!(std::env::var_os("CI").is_none(), "CI leaves nothing out, and there is no mongosh");
        return;
    };
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 50).await;
    let orders = Orders::of(&shop).await;
    let jobs = Jobs { mongosh: &mongosh, shop: &shop };
    jobs.run("backup").await;
    // What happens now, nobody will know.
    shop.fleet.start_again(Service::Product).await.unwrap();
    shop.fleet.start_again(Service::Order).await.unwrap();
    let (late, unknown) = orders.go_on_without_a_backup(&shop).await;

    lose_everything(&shop).await;
    jobs.run("restore").await;
    let shop = starts_anew(shop).await;
    tell_again(&shop).await;

    orders.are_as_they_were(&shop).await;
    again(&shop, &late).client.get(format!("/api/orders/{unknown}")).await.status(404);
    for order in &orders.open {
        let (guest, order) = (again(&shop, &order.0), &order.1);
        guest.pay(order, "pm_card_visa").await;
        guest.until(order, "paid").await;
        let payments = guest.payments(order).await;
        assert_eq!(payments.len(), 1, "{payments:?}");
    }
    shop.staff.ships(&orders.paid.1).await;
    again(&shop, &orders.paid.0).until(&orders.paid.1, "shipped").await;
    shop.guest().await.buys("MUG", 1, "pm_card_visa").await;
    // Shipped, paid, the three that were open, of which one has two, and the new one.
    shop.until_counted(&mug, "MUG", 50 - 7, 0).await;
    // The same, and the refunded one. What was paid after the backup went with the sandbox's
    // books, which are in the payment service's database.
    assert_eq!(rows(&shop, Service::Payment, "sandbox_charges").await, 7);
    assert_eq!(rows(&shop, Service::Payment, "sandbox_refunds").await, 1);
    shop.nothing_is_dead().await;
}

impl Orders {
    /// Leaves order and product stopped, with work to do.
    async fn of(shop: &Shop) -> Self {
        let shipped = bought(shop.guest().await).await;
        shop.staff.ships(&shipped.1).await;
        let paid = bought(shop.guest().await).await;
        let refunded = bought(shop.guest().await).await;
        let cancel = format!("/api/orders/{}/cancel", refunded.1);
        refunded.0.client.post(cancel).key("cancel").await.ok();
        until_refunded(&refunded.0, &refunded.1).await;
        let reserved = checked_out(shop.guest().await, 2).await;
        reserved.0.until(&reserved.1, "reserved").await;
        let (first, second) = (shop.guest().await, shop.guest().await);

        shop.fleet.stop(Service::Product).await;
        let placed = checked_out(first, 1).await;
        placed.0.until(&placed.1, "placed").await;
        shop.fleet.stop(Service::Order).await;
        let unheard = checked_out(second, 1).await;
        Self { shipped, paid, refunded, open: [reserved, placed, unheard] }
    }

    /// All that is open is paid, and something new is bought; gives that.
    async fn go_on_without_a_backup(&self, shop: &Shop) -> (Shopper, String) {
        for (guest, order) in &self.open {
            guest.pay(order, "pm_card_visa").await;
            guest.until(order, "paid").await;
        }
        let (late, order) = bought(shop.guest().await).await;
        shop.staff.ships(&order).await;
        (late, order)
    }

    async fn are_as_they_were(&self, shop: &Shop) {
        let stood =
            [(&self.shipped, "shipped"), (&self.paid, "paid"), (&self.refunded, "cancelled")];
        for ((guest, order), status) in stood {
            let guest = again(shop, guest);
            let found = guest.order(order).await;
            assert_eq!(found["status"], status, "{}", found.text);
            assert_eq!(guest.payments(order).await.len(), 1);
        }
        until_refunded(&again(shop, &self.refunded.0), &self.refunded.1).await;
        for (guest, order) in &self.open {
            let found = again(shop, guest).until(order, "reserved").await;
            assert_eq!(found["status"], "reserved", "{}", found.text);
        }
    }
}

async fn bought(guest: Shopper) -> (Shopper, String) {
    let order = guest.buys("MUG", 1, "pm_card_visa").await.text_of("id");
    (guest, order)
}

async fn checked_out(guest: Shopper, quantity: u32) -> (Shopper, String) {
    guest.add("MUG", quantity).await;
    let order = guest.checkout().await;
    (guest, order)
}

async fn until_refunded(guest: &Shopper, order: &str) {
    testkit::eventually("the refund", super::shop::SOON, async || {
        (guest.payments(order).await[0]["status"] == "refunded").then_some(())
    })
    .await;
}

/// Somebody who was there before, in the shop as it is now.
fn again(shop: &Shop, shopper: &Shopper) -> Shopper {
    Shopper { client: shop.client.with_token(shopper.token()), ..shopper.clone() }
}

/// What an operator's jobs do.
struct Jobs<'a> {
    mongosh: &'a Path,
    shop: &'a Shop,
}

impl Jobs<'_> {
    /// Backs up the database of every service, or restores it.
    async fn run(&self, act: &str) {
        for service in Service::ALL {
            self.run_on(act, service).await;
        }
    }

    async fn run_on(&self, act: &str, service: Service) {
        let world = &self.shop.world;
        let log = world.dir().join(format!("{act}-{service}.log"));
        let spec = Spec::new(self.mongosh)
            .args(["--nodb", "--norc", "--quiet"])
            .arg(format!("{SCRIPTS}/{act}.js"))
            .env("SERVICE", self.shop.fleet.database(service))
            .env("MONGODB_URI", world.mongo_uri())
            .env("BACKUPS", world.dir().join("backups"))
            .env("KEEP", "30")
            .env("HOME", world.dir())
            .log(&log);
        let code = Process::start(&spec).unwrap().wait().await;
        assert_eq!(code, 0, "{act} of {service}: {}", std::fs::read_to_string(log).unwrap());
    }
}

async fn database(shop: &Shop, service: Service) -> mongodb::Database {
    let client = mongodb::Client::with_uri_str(shop.world.mongo_uri()).await.unwrap();
    client.database(&shop.fleet.database(service))
}

async fn rows(shop: &Shop, service: Service, collection: &str) -> u64 {
    let rows = database(shop, service).await.collection::<Document>(collection);
    rows.count_documents(doc! {}).await.unwrap()
}

/// Databases and bus are as empty as on the first day.
async fn lose_everything(shop: &Shop) {
    shop.stop().await;
    for service in Service::ALL {
        database(shop, service).await.drop().await.unwrap();
    }
    shop.world.nats().wipe().await.unwrap();
}

/// Another fleet on the same databases.
async fn starts_anew(shop: Shop) -> Shop {
    let Shop { fleet, world, .. } = shop;
    let options = Service::ALL.into_iter().fold(Options::default(), |options, service| {
        options.env(service, "SOUK_DATABASE", fleet.database(service))
    });
    drop(fleet);
    let fleet = Fleet::start(&world, options).await;
    let client = fleet.client();
    let staff = Staff::sign_in(&client).await;
    Shop { fleet, client, staff, world }
}

/// What each service told, it tells again.
async fn tell_again(shop: &Shop) {
    for service in Service::ALL {
        for what in [&["replay", "--since", "72h"][..], &["replay", "--state"]] {
            let (code, said) = shop.fleet.run(service, what).await.unwrap();
            assert_eq!(code, 0, "{service} {what:?}: {said}");
        }
    }
}
