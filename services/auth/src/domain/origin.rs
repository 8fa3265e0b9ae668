//! Where a sign-in comes from, as far as its owner needs to recognise it.

use serde::{Deserialize, Serialize};

/// What tells the browsers apart, the more telling first: each claims to be those below as well.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// With which client and from which network somebody signed in.
///
/// Of the client only its kind is kept and of the address only the network around it: enough to see
/// that a sign-in is not one's own, too little to follow anybody. It ends with the sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Such as `Firefox on Linux`: one of a few words, never the client's own.
    pub(crate) client: String,
    /// Such as `203.0.113.0/24`.
    pub(crate) network: String,
}

impl Origin {
    /// Of what a client says of itself, and the network it asks from.
    pub(crate) fn of(user_agent: Option<&str>, network: String) -> Self {
        let said = user_agent.unwrap_or_default();
        let client = match (known(&BROWSERS, said), known(&SYSTEMS, said)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "unknown".to_owned(),
        };
        Self { client, network }
    }
}

fn known(names: &[(&str, &'static str)], said: &str) -> Option<&'static str> {
    names.iter().find(|(sign, _)| said.contains(sign)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(said: &str) -> String {
        Origin::of(Some(said), "203.0.113.0/24".to_owned()).client
    }

    #[test]
    fn a_client_is_one_of_a_kind() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (said, kind) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox on Linux",
            ),
            (
                &format!("Mozilla/5.0 (Windows NT 10.0) {webkit} Chrome/140.0 Safari/537.36"),
                "Chrome on Windows",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Windows NT 10.0) {webkit} Chrome/140.0 Safari/537.36 Edg/140.0"
                ),
                "Edge on Windows",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Linux; Android 14) {webkit} Chrome/140.0 Mobile Safari/537.36"
                ),
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
                "Safari on iOS",
            ),
            ("curl/8.5.0", "curl"),
            ("alice@example.com's own program", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(client(said), kind, "{said}");
        }
        assert_eq!(Origin::of(None, String::new()).client, "unknown");
    }
}
