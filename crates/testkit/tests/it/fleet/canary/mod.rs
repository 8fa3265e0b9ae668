//! Canaries: what nobody but its owner may read is planted, everything is done with it, and then
//! it is looked for wherever the fleet writes to.

mod day;
mod places;

use testkit::Collector;
use testkit::fleet::{Options, Service};

use self::day::{CONTROL, Day, JWT_KEY};
use self::places::{Advisories, Place};
use super::shop::Shop;
use super::traces::traced;

#[tokio::test]
async fn nothing_secret_or_personal_is_written_anywhere() {
    let (collector, shop) = everything_is_said().await;
    let advisories = Advisories::follow(&shop.world.nats().url()).await;

    let day = Day::of(&shop).await;
    places::a_letter_dies(&shop.world.nats().url()).await;
    let metrics = Place::metrics(&shop).await;
    shop.stop().await;

    let streams = Place::streams(&shop.world.nats().url()).await;
    let places = [
        (Place::logs(shop.world.dir()), CONTROL),
        (Place::new("steps of traces", collector.bodies()), CONTROL),
        (Place::new("errors", day.errors), day::TRACE),
        (metrics, "/api/auth/login"),
        (advisories.heard().await, "io.nats.jetstream.advisory"),
    ];
    for (place, control) in &places {
        assert!(place.finds(control), "{} do not tell of {control}", place.name);
    }
    assert!(streams.iter().any(|stream| stream.finds(CONTROL)), "no event names its request");
    let dead = streams.iter().find(|stream| stream.name == "stream DEAD").unwrap();
    assert!(dead.finds(places::EVENT), "no letter is dead");

    for place in places.iter().map(|(place, _)| place).chain(&streams) {
        for (what, canary) in &day.canaries {
            place.must_not_tell(what, canary);
        }
    }
}

/// Two replicas of every service, which log whatever they can.
async fn everything_is_said() -> (Collector, Shop) {
    let collector = Collector::start().await.unwrap();
    let options = traced(Options::default().replicas(2), &collector);
    let loud = |options: Options, service| options.env(service, "SOUK_LOG", "trace");
    let options = Service::ALL.into_iter().fold(options, loud);
    let shop = Shop::open_with(options.env(Service::Auth, "JWT_KEY", JWT_KEY)).await;
    (collector, shop)
}
