//! By what a device is known that somebody signed in with before (OWASP, "Slow Down Online Guessing
//! Attacks with Device Cookies").

use std::convert::Infallible;

use axum::extract::OptionalFromRequestParts;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::counter::FAMILIAR_FOR;
use crate::random;

const COOKIE_NAME: &str = "souk_device";
const LENGTH: usize = 16;

/// A device, as a cookie names it that it alone has, and that nobody can guess.
///
/// It signs nobody in. Whoever shows it is not taken for a stranger by those accounts that were
/// signed in to with it; to all others it says nothing. In an answer, it sets the cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device([u8; LENGTH]);

impl Device {
    /// One that nobody knows yet.
    pub(super) fn drawn() -> Self {
        Self(random::bytes())
    }

    /// As the cookie says it.
    pub(super) fn text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The one that a request shows. What is none is not shown.
    fn shown(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(name, _)| name.trim() == COOKIE_NAME);
        named.find_map(|(_, value)| Self::read(value.trim()))
    }

    fn read(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// No script sees it, and no other site has it sent.
    fn cookie(self) -> HeaderValue {
        let (text, seconds) = (self.text(), FAMILIAR_FOR.as_secs());
        let cookie = format!(
            "{COOKIE_NAME}={text}; Path=/api/auth; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"
        );
        HeaderValue::try_from(cookie).expect("base64url may stand in a header")
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Device {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::shown(&parts.headers))
    }
}

impl IntoResponseParts for Device {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().append(SET_COOKIE, self.cookie());
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(lines: &[&[u8]]) -> Option<Device> {
        let mut headers = HeaderMap::new();
        for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            headers.append(COOKIE, value);
        }
        Device::shown(&headers)
    }

    #[test]
    fn a_cookie_reads_as_it_was_set() {
        let device = Device([7; LENGTH]);
        let cookie = device.cookie();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();

        assert!(shown(&[pair.as_bytes()]) == Some(device));
        let among = format!("a=b; c;souk_device=short; {pair} ;souk_device=");
        assert!(shown(&[b"theme=dark", among.as_bytes()]) == Some(device));
        assert!(shown(&[pair.replace("souk_", "soup_").as_bytes()]).is_none());
        assert!(Device::drawn() != Device::drawn());
    }

    proptest! {
        #[test]
        fn no_cookie_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let named = [b"souk_device=", &line[..]].concat();

            prop_assert!(shown(&[&line]).is_none());
            let _ = shown(&[&named, &line]);
        }
    }
}
