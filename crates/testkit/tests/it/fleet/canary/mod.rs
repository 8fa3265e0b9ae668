//! Canaries: what nobody but its owner may read is planted, everything is done with it, and then
//! it is looked for wherever the fleet writes to.

mod day;
mod letters;
mod places;

use testkit::fleet::{Options, Service};
use testkit::{Collector, Fleet, MailServer, Staff, World};

use self::day::{CONTROL, Day, JWT_KEY};
use self::places::{Advisories, Place};
use super::shop::Shop;
use super::traces::traced;

#[tokio::test]
async fn nothing_secret_or_personal_is_written_anywhere() {
    let (collector, server, shop) = everything_is_said().await;
    let advisories = Advisories::follow(&shop.world.nats().url()).await;

    let day = Day::of(&shop, &server).await;
    places::letters_die(&shop.world.nats().url()).await;
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
    for letter in places::LETTERS {
        assert!(dead.finds(letter), "no {letter} is dead");
    }

    for place in places.iter().map(|(place, _)| place).chain(&streams) {
        for (what, canary) in &day.canaries {
            place.must_not_tell(what, canary);
        }
    }
}

/// Two replicas of every service, which log whatever they can, and write to people.
async fn everything_is_said() -> (Collector, MailServer, Shop) {
    let collector = Collector::start().await.unwrap();
    let options = traced(Options::default().replicas(2), &collector);
    let loud = |options: Options, service| options.env(service, "SOUK_LOG", "trace");
    let options = Service::ALL.into_iter().fold(options, loud);
    let world = World::start().await;
    let server = MailServer::start(world.dir()).await.unwrap();
    let options = options.env(Service::Auth, "JWT_KEY", JWT_KEY);
    let options = options.env(Service::Auth, "SOUK_SMTP_URL", server.url());
    let fleet = Fleet::start(&world, options).await;
    let client = fleet.client();
    let staff = Staff::sign_in(&client).await;
    (collector, server, Shop { fleet, client, staff, world })
}
