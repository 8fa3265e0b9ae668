//! What people get by mail, from a real server.

mod address;
mod deaths;
mod delivery;
mod domains;
mod orders;
mod password;

use auth::Config;
use mongodb::bson::Document;
use serde_json::json;
use testkit::mail_server::Mail;
use testkit::{Answer, MailServer, eventually};

use crate::house::{House, Replica, SOON};

/// A house, the server that its mails are handed to, and its only replica.
async fn with_mail() -> (House, MailServer, Replica) {
    let house = House::build().await;
    let server = MailServer::start(house.world.dir()).await.unwrap();
    let replica = house.opens(mailing(&house, &server)).await;
    (house, server, replica)
}

fn mailing(house: &House, server: &MailServer) -> Config {
    Config { smtp_url: server.url().into(), ..house.config() }
}

/// The mails to an address with these words in their subject.
fn mails(server: &MailServer, to: &str, subject: &str) -> Vec<Mail> {
    let mut mails = server.mails();
    mails.retain(|mail| mail.to == [to] && mail.headers["subject"].contains(subject));
    mails
}

/// The newest mail to an address with these words in its subject, as soon as there are so many.
async fn nth(server: &MailServer, number: usize, to: &str, subject: &str) -> Mail {
    eventually(&format!("mail {number}: {subject}"), SOON, async || {
        mails(server, to, subject).into_iter().nth(number - 1)
    })
    .await
}

async fn mail(server: &MailServer, to: &str, subject: &str) -> Mail {
    nth(server, 1, to, subject).await
}

/// The token that a mail has in it.
fn token(mail: &Mail) -> String {
    let (_, rest) = mail.text.split_once('#').unwrap_or_else(|| panic!("{}", mail.text));
    let token = rest.lines().next().unwrap().to_owned();
    assert!(mail.html.contains(&token), "{}", mail.html);
    token
}

async fn shows(replica: &Replica, path: &str, token: &str) -> Answer {
    let form = json!({ "token": token });
    replica.door().post(format!("/api/auth/email/{path}")).json(&form).await
}

/// The mails as they are stored, once all of them fit.
async fn stored(house: &House, what: &str, fits: impl Fn(&Document) -> bool) -> Vec<Document> {
    eventually(what, SOON, async || {
        let mails = house.stored("mails").await;
        (!mails.is_empty() && mails.iter().all(&fits)).then_some(mails)
    })
    .await
}

fn is(mail: &Document, state: &str) -> bool {
    mail.get_str("state").is_ok_and(|it| it == state)
}

fn tries(mail: &Document) -> i64 {
    number(mail, "tries")
}

fn number(mail: &Document, field: &str) -> i64 {
    let number = mail.get_i64(field).or_else(|_| mail.get_i32(field).map(i64::from));
    number.unwrap_or(0)
}
