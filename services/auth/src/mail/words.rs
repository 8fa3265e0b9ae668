//! What mails say, in plain words.
//!
//! Nobody is called by their name: whoever registers with another's address would choose the words
//! that the other gets to read.

use std::fmt;
use std::str::FromStr;

use contracts::Money;
use contracts::order::RefundReason;

use super::letter::{Letter, Part, one_line};
use crate::domain::{About, MailToken};

/// Where the shop's pages are, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShopUrl(String);

/// A text that is no address of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not like https://shop.example.com")]
pub(crate) struct UnfitUrl;

/// Makes the links.
pub(super) struct Shop<'a>(pub(super) &'a ShopUrl);

impl FromStr for ShopUrl {
    type Err = UnfitUrl;

    fn from_str(text: &str) -> Result<Self, UnfitUrl> {
        let url = text.trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b);
        let host = host.filter(|host| !host.is_empty() && host.bytes().all(plain));
        host.map(|_| Self(url.to_owned())).ok_or(UnfitUrl)
    }
}

impl Shop<'_> {
    /// A page that takes a token. It stands behind `#`, which no browser sends anywhere: neither logs
    /// nor referrers have it, and whoever only looks at a link uses up nothing.
    fn page(&self, words: &'static str, page: &str, token: Option<&MailToken>) -> Part {
        let token = token.map(MailToken::expose).unwrap_or_default();
        Part::Link { words, url: format!("{}/account/{page}#{token}", self.0) }
    }

    fn order(&self, order: impl fmt::Display) -> Part {
        Part::Link { words: "See your order", url: format!("{}/orders/{order}", self.0) }
    }
}

impl fmt::Display for ShopUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a mail says.
pub(super) fn of(about: &About, token: Option<&MailToken>, shop: &Shop<'_>) -> Letter {
    match about {
        About::Verify => verify(token, shop),
        About::Reset => reset(token, shop),
        About::PasswordChanged => password_changed(shop),
        About::AddressOld => address_old(token, shop),
        About::AddressNew => address_new(token, shop),
        About::Received { order } => received(&order.to_string(), shop),
        About::Paid { order } => paid(&order.to_string(), shop),
        About::Shipped { order, parcel, carrier, tracking, more_to_come } => {
            let by = (one_line(carrier), one_line(tracking));
            let mut letter = shipped(&order.to_string(), *parcel, &by, *more_to_come);
            letter.parts.push(shop.order(order));
            letter
        }
        About::Corrected { order, parcel, carrier, tracking, .. } => {
            let by = (one_line(carrier), one_line(tracking));
            corrected(&order.to_string(), *parcel, &by, shop)
        }
        About::Refunded { order, amount, reason, .. } => {
            refunded(&order.to_string(), *amount, because(*reason), shop)
        }
    }
}

fn verify(token: Option<&MailToken>, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: "Is this your address?".into(),
        parts: vec![
            say("Somebody made an account at Souk with this address. If it was you, say so:"),
            shop.page("Yes, this is my address", "verify", token),
            say("The link is good for three days. If it was not you, do nothing."),
        ],
    }
}

fn reset(token: Option<&MailToken>, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: "Choose another password".into(),
        parts: vec![
            say("Somebody asked for another password for your account at Souk."),
            shop.page("Choose another password", "reset", token),
            say("The link is good for an hour, and once. You will be signed out everywhere."),
            say("If it was not you, do nothing: your password stays as it is."),
        ],
    }
}

fn password_changed(shop: &Shop<'_>) -> Letter {
    Letter {
        subject: "Your password was changed".into(),
        parts: vec![
            say("The password of your account at Souk is another one now."),
            say("If it was not you, choose another password at once:"),
            shop.page("I forgot my password", "forgotten", None),
        ],
    }
}

fn address_old(token: Option<&MailToken>, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: "Is your mail to go to another address?".into(),
        parts: vec![
            say("Somebody who knows your password wants mail of your account at Souk to go to \
                 another address. It will if both addresses agree within a day."),
            shop.page("Agree, or refuse", "address", token),
            say("If it was not you, refuse there and choose another password."),
        ],
    }
}

fn address_new(token: Option<&MailToken>, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: "Is mail to go to this address?".into(),
        parts: vec![
            say("Somebody wants mail of their account at Souk to go to this address. It will if \
                 both addresses, this and the one before, agree within a day."),
            shop.page("Agree, or refuse", "address", token),
            say("If it was not you, do nothing."),
        ],
    }
}

fn received(order: &str, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: format!("We received your order {order}"),
        parts: vec![
            say(format!("Thank you. We received your order {order}.")),
            say("We write to you again when it is confirmed and when it is on its way."),
            shop.order(order),
        ],
    }
}

fn paid(order: &str, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: format!("Your order {order} is confirmed"),
        parts: vec![
            say(format!("Your order {order} is confirmed. We are getting it ready.")),
            shop.order(order),
        ],
    }
}

fn refunded(order: &str, amount: Money, because: &str, shop: &Shop<'_>) -> Letter {
    Letter {
        subject: format!("A refund for your order {order}"),
        parts: vec![
            say(format!("We sent {amount} back to you, {because}.")),
            say("It may take your bank a few days to show it."),
            shop.order(order),
        ],
    }
}

fn shipped(order: &str, parcel: u32, by: &(String, String), more_to_come: bool) -> Letter {
    let several = more_to_come || parcel > 1;
    let what = if several {
        format!("Parcel {parcel} of your order {order}")
    } else {
        format!("Your order {order}")
    };
    let mut parts = vec![say(format!("{what} is on its way to you."))];
    parts.extend(carried(by));
    if more_to_come {
        parts.push(say("The rest follows in another parcel."));
    }
    Letter { subject: format!("{what} is on its way"), parts }
}

fn corrected(order: &str, parcel: u32, by: &(String, String), shop: &Shop<'_>) -> Letter {
    let mut parts =
        vec![say(format!("The tracking of parcel {parcel} of your order {order} was corrected."))];
    parts.push(carried(by).unwrap_or_else(|| say("It travels without a tracking number.")));
    parts.push(shop.order(order));
    Letter { subject: format!("New tracking for your order {order}"), parts }
}

/// How a parcel travels; `None` when neither carrier nor tracking number are known.
fn carried((carrier, tracking): &(String, String)) -> Option<Part> {
    // Events of earlier versions say `-` for none.
    let label = |text: &String| if text == "-" { String::new() } else { text.clone() };
    let (carrier, tracking) = (label(carrier), label(tracking));
    match (carrier.as_str(), tracking.as_str()) {
        ("", "") => None,
        (carrier, "") => Some(say(format!("It is carried by {carrier}."))),
        ("", tracking) => Some(say(format!("Its tracking number is {tracking}."))),
        (carrier, tracking) => {
            Some(say(format!("It is carried by {carrier}; its tracking number is {tracking}.")))
        }
    }
}

fn say(words: impl Into<String>) -> Part {
    Part::Say(words.into())
}

fn because(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::Cancelled => "as your order was cancelled",
        RefundReason::OutOfStock => "as what you ordered is sold out",
        RefundReason::TooLate => "as it came after the order had ended",
        RefundReason::Returned => "for what you returned",
        RefundReason::PaidTwice => "as you paid twice",
        RefundReason::Goodwill | RefundReason::Unknown => "for your order",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_the_shop_have_an_address() {
        let parsed = |text: &str| text.parse::<ShopUrl>().map(|url| url.to_string());

        assert_eq!(parsed("https://shop.example.com/"), Ok("https://shop.example.com".into()));
        assert_eq!(parsed("http://localhost:8080"), Ok("http://localhost:8080".into()));
        for bad in
            ["", "shop.example.com", "https://", "javascript:x", "https://a\"b", "http://a b"]
        {
            assert_eq!(parsed(bad), Err(UnfitUrl), "{bad}");
        }
    }

    #[test]
    fn order_mails_are_true_of_orders_that_are_free_or_paid_later() {
        let order = "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70".parse().unwrap();
        let url = "https://shop.example.com".parse().unwrap();

        for about in [About::Received { order }, About::Paid { order }] {
            let letter = format!("{:?}", of(&about, None, &Shop(&url)));
            assert!(letter.contains("confirmed") && !letter.contains("paid"), "{letter}");
        }
    }

    #[test]
    fn dash_is_no_tracking() {
        let of = |carrier: &str, tracking: &str| carried(&(carrier.into(), tracking.into()));

        assert_eq!((of("-", "-"), of("", "-")), (None, None));
        assert_eq!(of("Hermes", "-"), Some(say("It is carried by Hermes.")));
        assert_eq!(of("-", "H-1"), Some(say("Its tracking number is H-1.")));
    }

    #[test]
    fn what_a_carrier_is_called_stays_on_its_line() {
        let about = About::Shipped {
            order: "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70".parse().unwrap(),
            parcel: 2,
            carrier: "Her\nmes".into(),
            tracking: "H-1\r\nBcc: x".into(),
            more_to_come: true,
        };

        let url = "https://shop.example.com".parse().unwrap();
        let letter = of(&about, None, &Shop(&url));

        let Part::Say(carried) = &letter.parts[1] else { panic!("{letter:?}") };
        let words = "It is carried by Her mes; its tracking number is H-1 Bcc: x.";
        assert_eq!(carried, words);
        assert!(letter.subject.starts_with("Parcel 2 of your order ord_"), "{letter:?}");
    }
}
