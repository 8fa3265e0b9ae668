//! What becomes of guests.

use std::time::Duration;

use common::Change;
use contracts::auth::{GuestMerged, Role};
use contracts::{Timestamp, UserId};

use super::{Session, User};

/// A guest who ordered nothing is forgotten after so long: their sign-in is over since a month.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_hours(24 * 60);

impl User {
    /// A guest turns out to be the person of an account: everybody hears of it, and the guest's
    /// sign-in ends. Gives whether what was the guest's is theirs, which it is for ever.
    ///
    /// Only a guest can be merged, and only into one account.
    pub(crate) fn merge(
        guest: Option<Self>,
        sign_in: Option<Session>,
        account: UserId,
        now: Timestamp,
    ) -> Change<bool> {
        let Some(guest) = guest.filter(|guest| guest.role == Role::Guest) else {
            return Change::none(false);
        };
        if let Some(before) = guest.merged_into {
            return Change::none(before == account);
        }
        let told = GuestMerged { guest_id: guest.id, user_id: account };
        let ended = sign_in.filter(|session| session.user_id == guest.id);
        let merged = Change::to(Self { merged_into: Some(account), ..guest }).telling(&told);
        let merged = match ended {
            Some(session) => merged.and(session.revoke(now)),
            None => merged,
        };
        merged.map(|_| true)
    }

    /// A guest ordered something. An account is kept anyway.
    pub(crate) fn order(self) -> Change<Self> {
        if self.role != Role::Guest || self.has_ordered {
            return Change::none(self);
        }
        Change::to(Self { has_ordered: true, ..self })
    }
}

#[cfg(test)]
mod tests {
    use contracts::SessionId;
    use contracts::auth::SessionRevoked;

    use super::*;
    use crate::domain::{Origin, RefreshToken};

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn id(last: char) -> UserId {
        format!("usr_0000000000000000000000000000000{last}").parse().unwrap()
    }

    fn guest() -> User {
        User::guest(id('a'), noon())
    }

    fn sign_in(of: UserId) -> Session {
        let session: SessionId = "ses_00000000000000000000000000000005".parse().unwrap();
        let token = RefreshToken::first(session, [1; 16], [0; 32]);
        Session::begin(&User::guest(of, noon()), &token, Origin::of(None, String::new()), noon())
    }

    fn merged(guest: User, session: Session, account: UserId) -> Change<bool> {
        User::merge(Some(guest), Some(session), account, noon())
    }

    #[test]
    fn a_guest_becomes_part_of_an_account_and_their_sign_in_ends() {
        let change = merged(guest(), sign_in(id('a')), id('b'));

        assert!(change.value);
        let told = GuestMerged { guest_id: id('a'), user_id: id('b') };
        assert_eq!(change.told::<GuestMerged>(), [told]);
        assert_eq!(change.told::<SessionRevoked>().len(), 1);
        assert_eq!(change.writes::<User>()[0].merged_into, Some(id('b')));
    }

    #[test]
    fn a_guest_becomes_part_of_one_account_once() {
        let known = merged(guest(), sign_in(id('a')), id('b')).writes::<User>().remove(0);

        let again = merged(known.clone(), sign_in(id('a')), id('b'));
        let other = merged(known, sign_in(id('a')), id('c'));

        assert!(again.is_none() && again.value);
        assert!(other.is_none() && !other.value);
    }

    #[test]
    fn nobody_but_a_guest_is_merged() {
        let shopper = User { role: Role::Shopper, ..guest() };

        let change = merged(shopper, sign_in(id('a')), id('b'));

        assert!(change.is_none() && !change.value);
        assert!(!User::merge(None, None, id('b'), noon()).value);
    }

    #[test]
    fn the_sign_in_of_another_does_not_end() {
        let change = merged(guest(), sign_in(id('c')), id('b'));

        assert!(change.value && change.told::<SessionRevoked>().is_empty());
    }

    #[test]
    fn who_ordered_is_kept_in_mind() {
        let change = guest().order();

        assert!(change.writes::<User>()[0].has_ordered);
        assert!(change.value.order().is_none());
        assert!(User { role: Role::Shopper, ..guest() }.order().is_none());
    }
}
