//! What may happen to an order, and what came of it.

use std::time::Duration;

use contracts::ReturnId;
use contracts::order::{
    Delivered as DeliveredEvent, Paid as PaidEvent, PayByExtended, RefundDue, RestockDue,
    Shipped as ShippedEvent,
};
use proptest::prelude::*;

use super::super::*;
use Step::*;

/// What may happen to an order. Pieces are so many of each of its two SKUs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Reserve(u32),
    Refuse(u32),
    Attempt,
    /// By one attempt or another.
    Authorize(u128),
    Capture(u128),
    FailCapture(u128),
    Expire,
    RefuseCommit,
    Cancel(CancelReason),
    /// Payment gave back what the order did not ask for: which, and how much.
    Unasked(u128, i64),
    /// One of the refunds that the order asked for went back, or did not.
    Settle(usize),
    FailRefund(usize),
    GiveBack {
        id: u128,
        pieces: [u32; 2],
        shipping: bool,
        restock: bool,
    },
    /// With this number on the parcel.
    Ship(u32, Option<[u32; 2]>),
    Deliver(Option<u32>),
    Return(u128, [u32; 2]),
    Approve(u128),
    Reject(u128),
    Receive(u128, Option<[u32; 2]>, bool),
    Readdress(u32),
    Complete,
    Overdue,
    AskAgain,
    /// Time passes.
    Pass(Duration),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![goods_and_money(), goods_and_money(), by_people()]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Most histories begin well: else few orders would come far.
    let begin = prop_oneof![
        1 => Just(vec![]),
        2 => Just(vec![Reserve(1), Authorize(1)]),
        4 => Just(vec![Reserve(1), Capture(1)]),
        2 => Just(vec![Reserve(1), Capture(1), Ship(1, None), Deliver(None)]),
        2 => Just(vec![
            Reserve(1), Capture(1), Ship(1, None), Deliver(None), Return(1, [1, 1]), Approve(1),
        ]),
    ];
    let rest = prop::collection::vec(step(), 0..40);
    (begin, rest).prop_map(|(begin, rest)| [begin, rest].concat())
}

fn goods_and_money() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..4).prop_map(Reserve),
        1 => (1_u32..4).prop_map(Refuse),
        1 => Just(Attempt),
        2 => (1_u128..3).prop_map(Authorize),
        3 => (1_u128..3).prop_map(Capture),
        1 => (1_u128..3).prop_map(FailCapture),
        1 => Just(Expire),
        1 => Just(RefuseCommit),
        1 => (1_u128..4, prop_oneof![Just(3299), 1_i64..3299]).prop_map(|(id, cents)| Unasked(id, cents)),
        3 => (0_usize..4).prop_map(Settle),
        1 => (0_usize..4).prop_map(FailRefund),
        1 => Just(Complete),
        1 => Just(Overdue),
        1 => Just(AskAgain),
        1 => (1_u64..30).prop_map(|minutes| Pass(Duration::from_mins(minutes))),
        1 => Just(Pass(Duration::from_hours(24 * 14))),
    ]
}

fn by_people() -> impl Strategy<Value = Step> {
    let pieces = || (0_u32..4, 0_u32..2).prop_map(|(mugs, plates)| [mugs, plates]);
    let some = move || prop::option::of(pieces());
    let flag = any::<bool>;
    prop_oneof![
        1 => prop_oneof![Just(CancelReason::Customer), Just(CancelReason::Staff)].prop_map(Cancel),
        4 => (1_u128..9, pieces(), flag(), flag()).prop_map(|(id, pieces, shipping, restock)| {
            GiveBack { id: 100 + id, pieces, shipping, restock }
        }),
        8 => (1_u32..9, some()).prop_map(|(number, pieces)| Ship(number, pieces)),
        3 => prop::option::of(1_u32..4).prop_map(Deliver),
        3 => (1_u128..4, pieces()).prop_map(|(id, pieces)| Return(id, pieces)),
        2 => (1_u128..4).prop_map(Approve),
        1 => (1_u128..4).prop_map(Reject),
        2 => (1_u128..4, some(), flag()).prop_map(|(id, came, restock)| Receive(id, came, restock)),
        1 => (1_u32..3).prop_map(Readdress),
    ]
}

/// An order with all that was told of it.
pub(super) struct History {
    pub(super) order: Order,
    pub(super) now: Timestamp,
    pub(super) paid: Vec<PaidEvent>,
    pub(super) extensions: Vec<PayByExtended>,
    pub(super) shipped: Vec<ShippedEvent>,
    pub(super) delivered: Vec<DeliveredEvent>,
    pub(super) refunds: Vec<RefundDue>,
    pub(super) restocked: Vec<RestockDue>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            order: Order::place(bought_much(), noon()).unwrap().value,
            now: noon(),
            paid: Vec::new(),
            extensions: Vec::new(),
            shipped: Vec::new(),
            delivered: Vec::new(),
            refunds: Vec::new(),
            restocked: Vec::new(),
        }
    }

    pub(super) fn outcome(&self, step: Step) -> Outcome {
        let (order, now) = (self.order.clone(), self.now);
        match step {
            Reserve(round) => Ok(order.reserve(round, now, &TERMS)),
            Refuse(round) => Ok(order.refuse(round, now)),
            RefuseCommit => Ok(order.refuse_commit(now)),
            Expire => Ok(order.expire(now)),
            Cancel(reason) => order.cancel(reason, None, now),
            Complete => Ok(order.complete(now, &TERMS)),
            Overdue => Ok(order.answer_overdue(now)),
            AskAgain => Ok(order.ask_again(now, &TERMS)),
            Pass(_) => Ok(Change::none(order)),
            Attempt | Authorize(_) | Capture(_) | FailCapture(_) => self.money_comes(order, step),
            Unasked(..) | Settle(_) | FailRefund(_) | GiveBack { .. } => {
                self.money_goes(order, step)
            }
            Ship(..) | Deliver(_) | Readdress(_) => self.goods_go(order, step),
            Return(..) | Approve(_) | Reject(_) | Receive(..) => self.goods_come(order, step),
        }
    }

    fn money_comes(&self, order: Order, step: Step) -> Outcome {
        let (total, now) = (order.sums.total, self.now);
        match step {
            Attempt => Ok(order.await_attempt(now, &TERMS)),
            Authorize(by) => {
                let promise = Promise { amount: total, capture_by: now.plus(TERMS.to_return) };
                order.authorize(attempt(by), promise, now)
            }
            Capture(by) => order.capture(attempt(by), total, now),
            FailCapture(by) => Ok(order.fail_capture(attempt(by), now)),
            other => panic!("{other:?} brings no money"),
        }
    }

    fn money_goes(&self, order: Order, step: Step) -> Outcome {
        let remaining = order.payment.remaining().map_or(0, |remaining| remaining.amount);
        let left = |amount: Money| eur((remaining - amount.amount).max(0));
        let asked = |number: usize| order.payment.refunds.get(number).cloned();
        match step {
            Unasked(by, cents) => {
                let amount = eur(cents);
                order.refunded(
                    refund(by),
                    Back { amount, remaining: left(amount), cause: RefundCause::Order },
                    self.now,
                )
            }
            Settle(number) => match asked(number) {
                Some(Refund { id, amount, state: RefundState::Asked, .. }) => order.refunded(
                    id,
                    Back { amount, remaining: left(amount), cause: RefundCause::Order },
                    self.now,
                ),
                _ => Ok(Change::none(order)),
            },
            FailRefund(number) => Ok(match asked(number) {
                Some(known) => order.refund_failed(known.id, not_back(), self.now),
                None => Change::none(order),
            }),
            GiveBack { id, pieces, shipping, restock } => {
                let (id, goods) = (refund(id), goods(pieces));
                order.refund(&GivingBack { id, goods, shipping, restock, note: note() }, self.now)
            }
            other => panic!("{other:?} takes no money"),
        }
    }

    fn goods_go(&self, order: Order, step: Step) -> Outcome {
        match step {
            Ship(number, pieces) => {
                let tracking = Some(label(&format!("H-{number}")));
                order.ship(Shipment { tracking, goods: pieces.map(goods), ..shipment() }, self.now)
            }
            Deliver(parcel) => order.deliver(parcel, self.now),
            Readdress(number) => order.readdress(address(number)),
            other => panic!("{other:?} sends nothing"),
        }
    }

    fn goods_come(&self, order: Order, step: Step) -> Outcome {
        let now = self.now;
        match step {
            Return(id, pieces) => {
                order.request_return(goods_back(id), &goods(pieces), note(), now, &TERMS)
            }
            Approve(id) => order.approve_return(goods_back(id), now),
            Reject(id) => order.reject_return(goods_back(id), now),
            Receive(id, came, restock) => {
                order.receive_return(goods_back(id), came.map(goods), restock, now)
            }
            other => panic!("{other:?} brings nothing back"),
        }
    }

    /// Takes a step; what is refused changes nothing.
    pub(super) fn take(&mut self, step: Step) {
        if let Pass(duration) = step {
            self.now = self.now.plus(duration);
        }
        let Ok(change) = self.outcome(step) else { return };
        if !matches!(step, Overdue) {
            self.paid.extend(change.told());
            self.extensions.extend(change.told());
        }
        self.shipped.extend(change.told());
        self.delivered.extend(change.told());
        self.refunds.extend(change.told());
        self.restocked.extend(change.told());
        self.order = change.value;
    }

    pub(super) fn is_final(&self) -> bool {
        matches!(self.order.status, Completed { .. } | Cancelled { .. })
    }

    /// What the shop has to do is done by the others, by the sweeps or by staff.
    pub(super) fn settles(&mut self) {
        for _ in 0..60 {
            if self.is_final() || matches!(self.order.status, Expired { .. }) {
                return;
            }
            self.take(Pass(TERMS.to_return));
            self.take(self.next());
        }
        panic!("it hangs in {:?}", self.order.status);
    }

    fn next(&self) -> Step {
        let promised = (1..3).find(|by| self.order.payment.promised.contains_key(&attempt(*by)));
        match self.order.status {
            Placed => Refuse(self.order.round),
            Reserved { .. } => Expire,
            Paid { .. } if self.order.waiting.is_some() => {
                let stands = |by: &u128| !self.order.payment.ended.contains(&attempt(*by));
                Capture(promised.filter(stands).unwrap_or(2))
            }
            Paid { .. } => Ship(99, None),
            Shipped { .. } => Deliver(None),
            Delivered { .. } => self.closing().unwrap_or(Complete),
            Completed { .. } | Cancelled { .. } | Expired { .. } => Pass(Duration::ZERO),
        }
    }

    /// What ends something that is open.
    fn closing(&self) -> Option<Step> {
        let asked = self.order.payment.refunds.iter().position(Refund::is_open);
        let by_stage = |stage: ReturnStage| {
            let mut all = (1_u128..4).map(|id| (id, goods_back(id)));
            let stands = |id: ReturnId| {
                self.order.returns.iter().any(|known| known.id == id && known.stage() == stage)
            };
            all.find(|(_, id)| stands(*id)).map(|(id, _)| id)
        };
        asked
            .map(Settle)
            .or_else(|| by_stage(ReturnStage::Requested).map(Reject))
            .or_else(|| by_stage(ReturnStage::Approved).map(|id| Receive(id, None, true)))
    }
}
