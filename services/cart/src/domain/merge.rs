//! What becomes of a guest's cart when they turn out to be the person of an account.

use common::Change;

use super::cart::MAX_LINES;
use super::{Cart, Line, Refusal, line};

impl Cart {
    /// What a guest had comes to the account, once; the guest's cart is closed, and knows where its
    /// lines went and keeps what not even the account's lines left behind have a place for. A guest
    /// who was merged before, into this account or another, brings nothing more.
    pub fn take_in(self, guest: Self) -> Change<Self> {
        if guest.moved_to.is_some() || self.moved_to.is_some() || guest.owner == self.owner {
            return Change::none(self);
        }
        let mut account = self;
        let had: Vec<_> = guest.lines.into_iter().chain(guest.left_behind).collect();
        let brings_nothing = had.is_empty();
        let closed = Self {
            moved_to: Some(account.owner),
            touched_at: guest.touched_at,
            of_guest: true,
            left_behind: had.into_iter().filter_map(|line| account.take(line)).collect(),
            ..Self::empty(guest.owner)
        };
        // Written even when there was none: a line that the guest puts into it at this very moment
        // then finds it closed.
        let change = if brings_nothing { Change::none(account) } else { Change::to(account) };
        change.with(&closed)
    }

    /// The cart, unless what was in it is an account's by now.
    pub fn in_use(self) -> Result<Self, Refusal> {
        if self.moved_to.is_some() { Err(Refusal::Moved) } else { Ok(self) }
    }

    /// Takes a guest's line: its pieces are added as far as a quantity goes, and a line that does
    /// not fit is left behind beside the others. One that does not fit there either is returned.
    fn take(&mut self, line: Line) -> Option<Line> {
        let line = join(&mut self.lines, line)?;
        join(&mut self.left_behind, line)
    }
}

fn join(lines: &mut Vec<Line>, line: Line) -> Option<Line> {
    let line = line::add(lines, line)?;
    if lines.len() >= MAX_LINES {
        return Some(line);
    }
    lines.push(line);
    None
}

#[cfg(test)]
mod tests {
    use contracts::{Quantity, UserId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const GUEST: UserId = UserId::from_uuid(Uuid::from_u128(1));
    const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(2));
    const BOB: UserId = UserId::from_uuid(Uuid::from_u128(3));

    fn line(name: &str, pieces: u32) -> Line {
        let quantity = Quantity::new(pieces).unwrap();
        Line { sku: name.parse().unwrap(), product_id: None, options: [].into(), quantity }
    }

    fn cart(owner: UserId, lines: &[Line]) -> Cart {
        Cart { lines: lines.to_vec(), ..Cart::empty(owner) }
    }

    /// The account's cart and the guest's after a merge.
    fn merged(account: Cart, guest: Cart) -> (Cart, Cart) {
        let change = account.take_in(guest.clone());
        let written = change.writes::<Cart>();
        let closed = written.into_iter().find(|cart| cart.owner == guest.owner);
        (change.value, closed.unwrap_or(guest))
    }

    #[test]
    fn lines_add_up_and_nothing_is_lost() {
        let account = cart(ALICE, &[line("MUG", 2), line("TEA", 999)]);
        let guest = cart(GUEST, &[line("TEA", 1), line("MUG", 3), line("POT", 1)]);

        let (account, guest) = merged(account, guest);

        assert_eq!(account.lines, [line("MUG", 5), line("TEA", 999), line("POT", 1)]);
        assert_eq!((guest.lines.len(), guest.moved_to), (0, Some(ALICE)));
    }

    #[test]
    fn merged_cart_holds_at_most_100_lines() {
        let lines = |prefix| (0..100).map(move |number| line(&format!("{prefix}{number}"), 1));
        let of_guest = lines("B").take(50).chain(lines("A")).collect::<Vec<_>>();

        let (full, _) =
            merged(cart(ALICE, &lines("A").collect::<Vec<_>>()), cart(GUEST, &of_guest));
        let (grown, _) = merged(cart(BOB, &[line("MUG", 1)]), cart(GUEST, &of_guest[..100]));

        assert_eq!(full.lines, lines("A").map(|it| line(it.sku.as_str(), 2)).collect::<Vec<_>>());
        assert_eq!(grown.lines.len(), 100);
        assert_eq!(grown.lines[..2], [line("MUG", 1), line("B0", 1)]);
        assert_eq!(full.left_behind, lines("B").take(50).collect::<Vec<_>>());
        assert_eq!(grown.left_behind, [line("A49", 1)]);
    }

    #[test]
    fn what_fits_nowhere_stays_with_its_guest() {
        let lines = |prefix, count| {
            (0..count).map(move |number| line(&format!("{prefix}{number}"), 1)).collect::<Vec<_>>()
        };
        let account = Cart { left_behind: lines("B", 99), ..cart(ALICE, &lines("A", 100)) };

        let (account, guest) =
            merged(account, cart(GUEST, &[vec![line("B0", 2)], lines("C", 2)].concat()));

        assert_eq!((account.lines.len(), account.left_behind.len()), (100, 100));
        assert_eq!(account.left_behind[0], line("B0", 3));
        assert_eq!(account.left_behind[99], line("C0", 1));
        assert_eq!((guest.lines.len(), guest.left_behind), (0, vec![line("C1", 1)]));
    }

    #[test]
    fn a_guest_is_merged_once_and_into_one_account() {
        let (alice, guest) = merged(Cart::empty(ALICE), cart(GUEST, &[line("MUG", 1)]));

        let again = alice.clone().take_in(guest.clone());
        let elsewhere = Cart::empty(BOB).take_in(guest);

        assert!(again.is_none() && again.value == alice);
        assert!(elsewhere.is_none() && elsewhere.value.lines.is_empty());
    }

    #[test]
    fn a_guest_without_a_cart_is_remembered_all_the_same() {
        let change = cart(ALICE, &[line("MUG", 1)]).take_in(Cart::empty(GUEST));

        let written = change.writes::<Cart>();
        assert_eq!((written.len(), written[0].moved_to), (1, Some(ALICE)));
    }

    #[test]
    fn nobody_is_merged_into_themselves() {
        assert!(cart(ALICE, &[line("MUG", 1)]).take_in(cart(ALICE, &[])).is_none());
    }

    #[test]
    fn a_closed_cart_is_of_no_use() {
        let (_, guest) = merged(Cart::empty(ALICE), cart(GUEST, &[line("MUG", 1)]));

        assert_eq!(guest.in_use(), Err(Refusal::Moved));
    }

    proptest! {
        /// However often and in which order guests are merged, it comes to each of them once.
        #[test]
        fn every_guest_comes_once(
            order in prop::collection::vec(0_u128..5, 0..20),
            pieces in prop::collection::vec(1_u32..150, 5),
        ) {
            let guest = |number: u128| UserId::from_uuid(Uuid::from_u128(100 + number));
            let mut guests: Vec<_> = (0_u128..).zip(&pieces)
                .map(|(number, pieces)| cart(guest(number), &[line("MUG", *pieces)])).collect();
            let mut account = Cart::empty(ALICE);
            for number in &order {
                let place = usize::try_from(*number).unwrap();
                let (next, closed) = merged(account, guests[place].clone());
                (account, guests[place]) = (next, closed);
            }

            let came = |place: &usize| order.iter().any(|number| usize::try_from(*number) == Ok(*place));
            let expected: u32 = (0..5).filter(came).map(|place| pieces[place]).sum();
            let has = account.lines.first().map_or(0, |line| line.quantity.get());
            prop_assert_eq!(has, expected);
        }
    }
}
