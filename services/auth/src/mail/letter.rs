//! A mail as it is sent: the same words as text and as HTML, and headers that nobody else writes.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use crate::domain::{Digest, Email, Mail};

/// Lines of text are no longer, links excepted (RFC 5322, section 2.1.1).
const WIDTH: usize = 72;
/// No line may be longer (RFC 5322, section 2.1.1).
const LONGEST: usize = 998;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// What it is about, on one line.
    pub(super) subject: String,
    /// Its paragraphs.
    pub(super) parts: Vec<Part>,
}

/// A paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Words.
    Say(String),
    /// Where to go on.
    Link {
        /// What is done there.
        words: &'static str,
        /// Where it is.
        url: String,
    },
}

/// Whom mails come from, such as `Souk <shop@souk.example>`.
#[derive(Clone, Debug)]
pub(crate) struct Sender(Mailbox);

/// A text that mails cannot come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not like Souk <shop@souk.example>")]
pub(crate) struct UnfitSender;

/// A mail that has no form: an address that is none for the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mail cannot be written")]
pub(super) struct Unwritable;

impl FromStr for Sender {
    type Err = UnfitSender;

    fn from_str(text: &str) -> Result<Self, UnfitSender> {
        let plain = !text.chars().any(char::is_control);
        let mailbox = text.parse().ok().filter(|_| plain);
        mailbox.map(Self).ok_or(UnfitSender)
    }
}

impl Letter {
    /// The mail as it goes to this address: the same bytes at every try.
    pub(super) fn addressed(
        &self,
        mail: &Mail,
        to: &Email,
        boundary: &Digest,
        Sender(from): &Sender,
    ) -> Result<Message, Unwritable> {
        let to: Mailbox = to.as_str().parse().map_err(|_| Unwritable)?;
        let since = u64::try_from(mail.written_at.as_millis()).unwrap_or(0);
        let parts = MultiPart::alternative()
            .boundary(boundary.to_string())
            .singlepart(part(ContentType::TEXT_PLAIN, self.text()))
            .singlepart(part(ContentType::TEXT_HTML, self.html()));
        Message::builder()
            .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(since))
            .from(from.clone())
            .to(to)
            .subject(one_line(&self.subject))
            .header(AutoSubmitted)
            .multipart(parts)
            .map_err(|_| Unwritable)
    }

    fn text(&self) -> String {
        let part = |part: &Part| match part {
            Part::Say(words) => wrapped(words),
            Part::Link { words, url } => format!("{words}:\n{url}"),
        };
        let mut text = self.parts.iter().map(part).collect::<Vec<_>>().join("\n\n");
        text.push('\n');
        text
    }

    fn html(&self) -> String {
        let subject = escaped(&one_line(&self.subject));
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <title>{subject}</title></head>\n<body>\n"
        );
        for part in &self.parts {
            let written = match part {
                Part::Say(words) => writeln!(html, "<p>{}</p>", escaped(&one_line(words))),
                Part::Link { words, url } => {
                    let (words, url) = (escaped(words), escaped(url));
                    writeln!(html, "<p><a href=\"{url}\">{words}</a></p>")
                }
            };
            written.expect("a text can be written to");
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}

/// As it is typed where that can be sent, so that a link is whole for whoever reads the file.
fn part(kind: ContentType, text: String) -> SinglePart {
    let plain = text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST);
    let body = if plain {
        let lines = text.replace('\n', "\r\n").into_bytes();
        Body::dangerous_pre_encoded(lines, ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(kind).body(body)
}

/// Words without anything that begins another line.
pub(super) fn one_line(words: &str) -> String {
    let plain: String = words.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn wrapped(words: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in words.split_whitespace() {
        let length = word.chars().count();
        let breaks = width > 0 && width + 1 + length > WIDTH;
        if breaks {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text
}

fn escaped(words: &str) -> String {
    let mut html = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// Nobody's absence is to be answered to it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use contracts::Timestamp;

    use super::*;
    use crate::domain::About;

    fn sent(letter: &Letter) -> String {
        let written_at = Timestamp::from_millis(1_769_846_400_000).unwrap();
        let mail = Mail::write("verify-1".parse().unwrap(), None, About::Verify, written_at);
        let sender: Sender = "Souk <shop@souk.example>".parse().unwrap();
        let to = "alice@example.com".parse().unwrap();
        let message = letter.addressed(&mail, &to, &Digest::of(b"x"), &sender).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn every_try_sends_the_same_bytes() {
        let letter = Letter {
            subject: "Hello".into(),
            parts: vec![
                Part::Say("One word after the other. ".repeat(9)),
                Part::Link { words: "Go on", url: format!("https://souk/{}", "x".repeat(90)) },
            ],
        };

        let mail = sent(&letter);

        assert_eq!(sent(&letter), mail);
        for header in [
            "Message-ID: <verify-1@souk.example>",
            "Date: Sat, 31 Jan 2026 08:00:00 +0000",
            "From: Souk <shop@souk.example>",
            "To: alice@example.com",
            "Subject: Hello",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(mail.contains(&format!("{header}\r\n")), "{header} in {mail}");
        }
        assert!(mail.contains(&format!("\r\nhttps://souk/{}\r\n", "x".repeat(90))), "{mail}");
    }

    #[test]
    fn nothing_that_is_said_begins_a_header_or_a_tag() {
        let evil = "x\r\nBcc: eve@example.com\r\n\r\n<script>\"&'";
        let letter = Letter { subject: evil.into(), parts: vec![Part::Say(evil.into())] };

        let mail = sent(&letter);

        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.starts_with("Bcc")), "{mail}");
        assert!(!letter.html().contains("<script>"), "{mail}");
        assert!(letter.html().contains("&lt;script&gt;&quot;&amp;&#39;"), "{mail}");
        assert_eq!(one_line("a\r\n b\u{0}c"), "a b c");
    }

    #[test]
    fn mails_come_from_an_address() {
        for bad in ["", "Souk", "shop@", "Souk <shop@souk.example>\r\nBcc: x"] {
            assert_eq!(bad.parse::<Sender>().err(), Some(UnfitSender), "{bad}");
        }
    }
}
