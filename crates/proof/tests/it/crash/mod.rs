//! Processes that die between any two steps of any saga: it ends as if they had not.

mod cell;
mod matrix;
mod notice;
mod plan;
mod play;
mod race;
mod saga;
mod stall;
mod truths;

use std::time::Duration;

use matrix::Matrix;
use plan::Seed;
use saga::Saga;

/// How many sagas a sample plays, and how many deaths it sees in each.
const SAMPLE: (usize, usize) = (3, 3);
/// After so long a sample that is not done has said enough.
const ENOUGH: Duration = Duration::from_secs(80);

#[tokio::test]
async fn whoever_dies_at_a_point_of_a_saga_is_not_missed_in_a_sample() {
    let matrix = Matrix::sample(Seed::told(), SAMPLE);

    let report = matrix.run(Some(ENOUGH)).await;

    println!("{report}");
    assert_eq!(report.wrong(), [""; 0]);
    assert!(report.deaths() > 0, "nobody died");
}

#[tokio::test]
async fn whoever_dies_at_any_point_of_any_saga_is_not_missed() {
    if !testkit::full() {
        return;
    }
    let matrix = Matrix::whole(Seed::told());

    let report = matrix.run(None).await;

    println!("{report}");
    assert_eq!(report.wrong(), [""; 0]);
    if Saga::chosen() == Saga::ALL {
        assert_eq!(report.unreached(), [], "points that no saga comes by");
    }
}
