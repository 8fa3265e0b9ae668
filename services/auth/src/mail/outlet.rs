//! Where mails go: to a server, or into a folder.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::response::{Category, Severity};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::fs::{OpenOptions, rename};
use tokio::io::AsyncWriteExt as _;
use tracing::error;

use crate::domain::MailId;

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(10);

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// Takes mails.
#[derive(Clone)]
pub(crate) enum Outlet {
    /// A server that speaks SMTP (RFC 5321), each mail over a connection of its own.
    Smtp(Box<Smtp>),
    /// A folder, where each mail is a file.
    Folder(PathBuf),
}

/// An address of a server that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnfitServer {
    /// It is none.
    #[error("not like smtp://user:password@host:587?tls=required")]
    NotAnAddress,
    /// Whoever listens would read the password.
    #[error("a password needs tls=required, or smtps://")]
    PasswordInTheClear,
}

/// Why a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undelivered {
    /// It never will be: nobody is there, or the mail is not wanted.
    #[error("refused with {}", .0.unwrap_or_default())]
    Refused(Option<u16>),
    /// Not now.
    #[error("not now: {0}")]
    Later(u16),
    /// The server is away, or does not let us in.
    #[error("the server is away")]
    Away,
}

impl Outlet {
    /// The server at this address.
    pub(crate) fn smtp(url: &str) -> Result<Self, UnfitServer> {
        let asked = url.split_once('?').map_or("", |(_, asked)| asked);
        let encrypted =
            url.starts_with("smtps://") || asked.split('&').any(|it| it == "tls=required");
        if !encrypted && url.contains('@') {
            return Err(UnfitServer::PasswordInTheClear);
        }
        let builder = Smtp::from_url(url).map_err(|_| UnfitServer::NotAnAddress)?;
        Ok(Self::Smtp(Box::new(builder.timeout(Some(PATIENCE)).build())))
    }

    /// Hands a mail over.
    pub(super) async fn deliver(&self, id: &MailId, mail: &Message) -> Result<(), Undelivered> {
        match self {
            Self::Smtp(server) => match server.send(mail.clone()).await {
                Ok(_) => Ok(()),
                Err(error) => Err(Undelivered::of(&error)),
            },
            Self::Folder(folder) => put(folder, id, &mail.formatted()).await.map_err(|error| {
                error!(%error, "the folder for mails cannot be written");
                Undelivered::Away
            }),
        }
    }
}

impl Undelivered {
    /// What an error of the transport comes to. A refusal of ourselves (RFC 4954: 530 to 538, and
    /// whatever is not said of the address) is not one of the mail: somebody has to see to it.
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        let Some(code) = error.status() else { return Self::Away };
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        match (code.severity, code.category) {
            (Severity::PermanentNegativeCompletion, Category::MailSystem)
                if is_said_of_the_address(code.into(), &said) =>
            {
                Self::Refused(Some(code.into()))
            }
            (
                Severity::PermanentNegativeCompletion | Severity::TransientNegativeCompletion,
                Category::MailSystem,
            ) => Self::Later(code.into()),
            _ => Self::Away,
        }
    }
}

/// Whether a refusal for good means the address a mail is for, or its mailbox (RFC 3463: 5.1 and 5.2,
/// but for 5.1.7 and 5.1.8, which mean the sender's). A server that does not let us relay, or has had
/// enough of us for today, says so with the same codes, and takes the mail another time.
fn is_said_of_the_address(code: u16, said: &str) -> bool {
    match said.split_whitespace().next().filter(|word| word.starts_with("5.")) {
        Some("5.1.7" | "5.1.8") => false,
        Some(status) => status.starts_with("5.1.") || status.starts_with("5.2."),
        None => matches!(code, 550 | 551 | 553),
    }
}

/// Writes a file that its owner alone may read: it is there as a whole, or not at all.
async fn put(folder: &Path, id: &MailId, mail: &[u8]) -> io::Result<()> {
    let next = folder.join(format!(".{id}"));
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&next).await?;
    file.write_all(mail).await?;
    file.sync_all().await?;
    rename(next, folder.join(format!("{id}.eml"))).await
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp(_) => "Smtp(…)",
            Self::Folder(_) => "Folder(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_refused_for_good_where_the_address_is() {
        for (code, said) in [
            (550, "5.1.1 <alice@example.com> is nobody here"),
            (550, "5.2.1 the mailbox is disabled"),
            (550, "no such user"),
            (551, ""),
            (553, "the name of the mailbox is not allowed"),
        ] {
            assert!(is_said_of_the_address(code, said), "{code} {said}");
        }
        for (code, said) in [
            (554, "5.7.1 relay access denied"),
            (550, "5.7.60 this client may not send as this sender"),
            (550, "5.4.5 the daily quota is exceeded"),
            (553, "5.1.8 the domain of the sender is unknown"),
            (554, "transaction failed"),
            (552, "the mailbox is full"),
        ] {
            assert!(!is_said_of_the_address(code, said), "{code} {said}");
        }
    }

    #[tokio::test]
    async fn a_password_is_not_sent_in_the_clear() {
        let of = |url: &str| Outlet::smtp(url).err();

        assert_eq!(of("smtp://127.0.0.1:2525"), None);
        assert_eq!(of("smtp://me:secret@127.0.0.1:587?tls=required"), None);
        assert_eq!(of("smtps://me:secret@127.0.0.1"), None);
        assert_eq!(of("smtp://me:secret@127.0.0.1"), Some(UnfitServer::PasswordInTheClear));
        let maybe = "smtp://me:secret@127.0.0.1?tls=opportunistic";
        assert_eq!(of(maybe), Some(UnfitServer::PasswordInTheClear));
        for nonsense in ["", "127.0.0.1", "http://127.0.0.1", "smtp:///"] {
            assert_eq!(of(nonsense), Some(UnfitServer::NotAnAddress), "{nonsense}");
        }
    }
}
