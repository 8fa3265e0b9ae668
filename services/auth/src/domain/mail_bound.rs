//! How many mails about orders go to an address that nobody ever said is theirs.

use std::time::Duration;

use common::{Change, Document};
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{MailId, User};

/// As many as two orders make: received, paid and on its way.
const AT_MOST: usize = 6;
/// In so long.
const WITHIN: Duration = Duration::from_hours(24);

/// The mails about orders that went lately to somebody of whom it is not known that they read mail
/// there. Whoever registers with a stranger's address and orders has few of them sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unasked {
    /// Whose address it is said to be.
    #[serde(rename = "_id")]
    id: UserId,
    /// Those that count still.
    mails: Vec<Counted>,
    /// Until when any of them counts.
    pub(crate) expires_at: Timestamp,
}

/// A mail that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counted {
    /// Which.
    id: MailId,
    /// Since when.
    at: Timestamp,
}

impl Document for Unasked {
    const COLLECTION: &'static str = "unasked_mails";
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }
}

impl Unasked {
    /// Another mail about an order is to go to this person. Gives whether it may; it counts once,
    /// however often it is tried.
    pub(crate) fn another(
        known: Option<Self>,
        to: &User,
        mail: &MailId,
        now: Timestamp,
    ) -> Change<bool> {
        let mut mails = known.map(|known| known.mails).unwrap_or_default();
        mails.retain(|counted| now.since(counted.at) < WITHIN);
        let counts = mails.iter().any(|counted| counted.id == *mail);
        if to.email_verified_at.is_some() || counts || mails.len() >= AT_MOST {
            return Change::none(to.email_verified_at.is_some() || counts);
        }
        mails.push(Counted { id: mail.clone(), at: now });
        Change::to(Self { id: to.id, mails, expires_at: now.plus(WITHIN) }).map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::About;

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn alice() -> User {
        User::guest("usr_0000000000000000000000000000000a".parse().unwrap(), noon())
    }

    fn mail(number: usize) -> MailId {
        About::Verify.mail(&number.to_string())
    }

    /// What counts after so many mails, and whether the last of them might go.
    fn after(mails: usize) -> (Option<Unasked>, bool) {
        (0..mails).fold((None, true), |(known, _), number| {
            let change = Unasked::another(known.clone(), &alice(), &mail(number), noon());
            (change.writes::<Unasked>().pop().or(known), change.value)
        })
    }

    #[test]
    fn a_few_go_to_who_never_said_that_the_address_is_theirs() {
        assert!(after(AT_MOST).1 && !after(AT_MOST + 1).1);
    }

    #[test]
    fn a_mail_counts_once_however_often_it_is_tried() {
        let (known, _) = after(AT_MOST);

        let again = Unasked::another(known, &alice(), &mail(0), noon());

        assert!(again.value && again.is_none());
    }

    #[test]
    fn a_day_later_it_starts_anew() {
        let (known, _) = after(AT_MOST);

        let next = Unasked::another(known, &alice(), &mail(7), noon().plus(WITHIN));

        assert!(next.value);
        assert_eq!(next.writes::<Unasked>()[0].mails.len(), 1);
    }

    #[test]
    fn who_said_that_the_address_is_theirs_gets_all() {
        let (known, _) = after(AT_MOST);
        let verified = User { email_verified_at: Some(noon()), ..alice() };

        let change = Unasked::another(known, &verified, &mail(7), noon());

        assert!(change.value && change.is_none());
    }
}
