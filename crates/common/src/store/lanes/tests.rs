use std::time::Duration;

use contracts::{EventId, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::*;

type Marked = UnboundedReceiver<(OutboxRow, Ticket)>;

fn row(aggregate: &str, sequence: i64, state: bool) -> OutboxRow {
    OutboxRow {
        id: EventId::from_uuid(crate::Clock::system().uuid()),
        stream: "ORDER".into(),
        nats_subject: format!("order.x.v1.{aggregate}"),
        aggregate: aggregate.into(),
        sequence,
        state,
        payload: String::new(),
        at: Timestamp::from_millis(0).unwrap(),
        told: false,
    }
}

struct Given {
    lanes: Lanes,
    hand: Arc<Hand>,
    rows: UnboundedReceiver<Handed>,
    marked: Marked,
}

fn given() -> Given {
    let (to_mark, marked) = unbounded_channel();
    let hand = Hand::new();
    let rows = hand.rows().unwrap();
    Given { lanes: Lanes::new(Arc::clone(&hand), to_mark), hand, rows, marked }
}

impl Given {
    fn take(&mut self, rows: Vec<OutboxRow>) {
        self.hand.offer(rows);
        while let Ok(handed) = self.rows.try_recv() {
            self.lanes.take(handed);
        }
    }

    fn pop(&mut self) -> Option<Handed> {
        self.lanes.pop(1)
    }

    fn marked(&mut self) -> Vec<EventId> {
        std::iter::from_fn(|| self.marked.try_recv().ok()).map(|(row, _)| row.id).collect()
    }
}

fn not_connected() -> PublishError {
    PublishError::NotConnected { subject: String::new() }
}

fn refused() -> PublishError {
    PublishError::Refused { subject: String::new(), why: "full".into() }
}

#[test]
fn one_row_of_an_aggregate_is_under_way() {
    let mut given = given();
    given.take(vec![row("a", 1, false), row("a", 2, false), row("b", 1, false)]);

    let (a, b) = (given.pop().unwrap(), given.pop().unwrap());
    assert_eq!((a.row.aggregate.as_str(), b.row.aggregate.as_str()), ("a", "b"));
    assert!(given.pop().is_none());

    given.lanes.done(a, 1, Ok(()));
    assert_eq!(given.pop().map(|it| it.row.sequence), Some(2));
}

#[test]
fn only_the_newest_state_is_published() {
    let mut given = given();
    given.take((1..=4).map(|n| row("sku", n, true)).collect());
    let first = given.pop().unwrap();

    given.lanes.done(first, 1, Ok(()));
    let newest = given.pop().unwrap();
    assert_eq!(newest.row.sequence, 4);
    given.lanes.done(newest, 1, Ok(()));

    assert!(given.lanes.is_idle());
    assert_eq!(given.marked().len(), 4);
    assert_eq!(given.hand.len(), 0);
}

#[test]
fn late_older_state_replaces_nothing() {
    let mut given = given();
    let rows: Vec<_> = (5..=8).map(|n| row("sku", n, true)).collect();
    given.take(vec![rows[2].clone()]);
    let seventh = given.pop().unwrap();
    given.take(vec![rows[3].clone()]);
    given.take(rows[..2].to_vec());

    given.lanes.done(seventh, 1, Ok(()));

    assert_eq!(given.pop().map(|it| it.row.sequence), Some(8));
    assert!(!given.marked().contains(&rows[3].id), "the newest was not published");
}

#[test]
fn refused_row_keeps_its_successors() {
    let mut given = given();
    given.take(vec![row("a", 1, false), row("a", 2, false)]);
    let first = given.pop().unwrap();

    given.lanes.done(first, 1, Err(not_connected()));

    assert!(given.pop().is_none() && given.lanes.is_idle());
    assert!(given.marked().is_empty());
    assert_eq!(given.hand.len(), 0);
}

#[test]
fn fresh_rows_pass_recovered_ones() {
    let mut given = given();
    let (to_relay, turn) = (Arc::clone(&given.hand), given.hand.try_turn());
    let page = (0..100).map(|n| row(&format!("old {n}"), 1, false)).collect();
    let _recovering = to_relay.hand_over_page(turn.unwrap(), page);
    given.take((0..3).map(|n| row(&format!("new {n}"), 1, false)).collect());

    let first: Vec<_> = (0..4).filter_map(|_| given.pop()).map(|it| it.row.aggregate).collect();

    let fresh = first.iter().filter(|aggregate| aggregate.starts_with("new")).count();
    assert_eq!(fresh, 3, "{first:?}");
}

#[test]
fn one_refused_row_rests_alone() {
    let mut given = given();
    let bad = row("a", 1, false);
    given.take(vec![bad.clone(), row("b", 1, false)]);

    let handed = given.pop().unwrap();
    given.lanes.done(handed, 1, Err(refused()));
    given.take(vec![bad]);

    assert_eq!(given.pop().map(|it| it.row.aggregate), Some("b".to_owned()));
    assert!(given.pop().is_none(), "the refused row rests");
}

#[test]
fn stream_that_refuses_many_rests() {
    let mut given = given();
    given.take((0..20).map(|n| row(&n.to_string(), 1, false)).collect());
    let under_way: Vec<_> = (0..10).filter_map(|_| given.pop()).collect();

    for handed in under_way {
        given.lanes.done(handed, 1, Err(refused()));
    }

    assert!(given.pop().is_none());
    assert_eq!(given.hand.len(), 0, "all is left in the outbox");
    given.take(vec![row("fresh", 1, false)]);
    assert!(given.lanes.pop(2).is_some(), "a new connection begins anew");
}

#[test]
fn fresh_rows_are_bounded() {
    let mut given = given();
    let large = OutboxRow { payload: "x".repeat(900_000), ..row("a", 1, false) };
    let many = (0..9_000).map(|n| row(&n.to_string(), 1, false));

    given.take(many.collect());
    assert_eq!(given.hand.len(), crate::store::hand::PAGE_ROWS);
    drop(given);

    let mut given = self::given();
    given.take((0..9).map(|_| OutboxRow { id: row("a", 1, false).id, ..large.clone() }).collect());
    assert_eq!(given.hand.len(), 4, "bounded by bytes, too");
}

#[test]
fn facts_wait_behind_left_ones() {
    let mut given = given();
    let large =
        |aggregate| OutboxRow { payload: "x".repeat(2_500_000), ..row(aggregate, 1, false) };
    given.take(vec![large("a"), large("b"), row("b", 2, false), row("b", 3, true)]);

    let published: Vec<_> = std::iter::from_fn(|| given.pop()).collect();

    let sequences: Vec<_> =
        published.iter().map(|it| (&*it.row.aggregate, it.row.sequence)).collect();
    assert_eq!(
        sequences,
        [("a", 1), ("b", 3)],
        "the fact of b before it is left; a state may pass"
    );
    for handed in published {
        given.lanes.done(handed, 1, Ok(()));
    }
    given.hand.left.recovered(Instant::now() + Duration::from_secs(1));
    given.take(vec![row("b", 4, false)]);
    assert_eq!(given.pop().map(|it| it.row.sequence), Some(4));
}

#[test]
fn facts_wait_behind_a_refused_one() {
    let mut given = given();
    given.take(vec![row("a", 1, false)]);
    let first = given.pop().unwrap();
    given.hand.offer(vec![row("a", 2, false)]);

    given.lanes.done(first, 1, Err(refused()));
    given.take(vec![row("a", 3, false), row("b", 1, false)]);

    assert_eq!(given.pop().map(|it| it.row.aggregate), Some("b".to_owned()));
    assert!(given.pop().is_none());
}
