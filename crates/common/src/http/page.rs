//! Long lists, a page at a time.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::parts::value;

/// A page that was not asked to be longer or shorter.
const USUAL: u16 = 20;
/// No page is longer.
const LONGEST: u16 = 100;
/// No cursor is longer.
const LONGEST_CURSOR: usize = 2048;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many items at most; never more than 100 are given.
    #[param(value_type = Option<i64>, minimum = 1, default = 20)]
    limit: u16,
    /// Where to go on: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Where a list goes on; means nothing to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "eyJpZCI6InByZF8wMTkwIn0")]
pub struct Cursor(String);

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Listed<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

impl Page {
    /// How many items are given at most.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit)
    }

    /// How many items to read: one more than are given shows whether another page follows.
    pub fn look_ahead(&self) -> i64 {
        self.limit() + 1
    }

    /// After what the page begins; `None` on the first one.
    pub fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        self.cursor.as_ref().map(Cursor::decode).transpose()
    }
}

impl Cursor {
    /// Remembers `place` for the next page.
    ///
    /// # Panics
    /// When `place` has no form in JSON, such as a map whose keys are no text.
    pub fn encode<T: Serialize>(place: &T) -> Self {
        let json = serde_json::to_vec(place).expect("the place in a list is plain JSON");
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    /// The place that was remembered; 400 for what never was a cursor of this list.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let json = URL_SAFE_NO_PAD.decode(&self.0).ok().filter(|_| self.0.len() <= LONGEST_CURSOR);
        json.and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Problem::malformed().because("cursor is not one of this list"))
    }
}

impl<T> Listed<T> {
    /// The page made of what was read, one more than it holds when another one follows.
    pub fn of<C: Serialize>(mut read: Vec<T>, page: &Page, place: impl Fn(&T) -> C) -> Self {
        let more = read.len() > usize::from(page.limit);
        read.truncate(usize::from(page.limit));
        let next_cursor = read.last().filter(|_| more).map(|last| Cursor::encode(&place(last)));
        Self { items: read, next_cursor }
    }

    /// The same page, each item seen as something else.
    pub fn map<U>(self, see: impl FnMut(T) -> U) -> Listed<U> {
        let items = self.items.into_iter().map(see).collect();
        Listed { items, next_cursor: self.next_cursor }
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let limit = match value(parts, "limit")? {
            None => USUAL,
            Some(text) => limit(&text)
                .ok_or_else(|| Problem::malformed().because("limit is a whole number from 1"))?,
        };
        Ok(Self { limit, cursor: value(parts, "cursor")?.map(Cursor) })
    }
}

fn limit(text: &str) -> Option<u16> {
    let asked: i64 = text.parse().ok().filter(|asked| *asked > 0)?;
    Some(u16::try_from(asked).map_or(LONGEST, |asked| asked.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const PAGE: Page = Page { limit: 2, cursor: None };

    #[test]
    fn a_full_page_says_where_the_next_one_begins() {
        let listed = Listed::of(vec![1, 2, 3], &PAGE, |item| *item);

        assert_eq!(listed.items, [1, 2]);
        assert_eq!(listed.next_cursor.unwrap().decode::<i32>().unwrap(), 2);
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let listed = Listed::of(vec![1, 2], &PAGE, |item| *item);

        assert_eq!((listed.items.len(), listed.next_cursor), (2, None));
    }

    #[test]
    fn a_limit_is_bounded() {
        for (text, bounded) in [
            ("1", Some(1)),
            ("100", Some(100)),
            ("101", Some(100)),
            ("99999999", Some(100)),
            ("9223372036854775808", None),
            ("0", None),
            ("-1", None),
            ("many", None),
            ("", None),
        ] {
            assert_eq!(limit(text), bounded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_remembers_its_place(at: i64, id in ".{0,40}") {
            let cursor = Cursor::encode(&(at, &id));

            prop_assert_eq!(cursor.decode::<(i64, String)>().unwrap(), (at, id));
        }
    }

    /// A place of a list as it is remembered, and what the client made of it.
    fn cursors() -> impl Strategy<Value = String> {
        let places =
            [r#"[7,"prd_0190"]"#, r#"[-9223372036854775808,"\u00e9\u0000\"/"]"#, "[0,\"\"]"];
        let given = places.map(|place| URL_SAFE_NO_PAD.encode(place));
        let made = fuzz::nearly(&places).prop_map(|place| URL_SAFE_NO_PAD.encode(place));
        prop_oneof![fuzz::nearly_text(&given), made]
    }

    #[test]
    fn whatever_the_cursor_it_is_refused_or_remembers_a_place() {
        fuzz::always(&cursors(), |text| {
            match Cursor(text).decode::<(i64, String)>() {
                Ok(place) => {
                    let again = Cursor::encode(&place).decode::<(i64, String)>();
                    prop_assert_eq!(again.ok(), Some(place));
                }
                Err(problem) => prop_assert_eq!(problem.status(), 400),
            }
            Ok(())
        });
    }

    #[test]
    fn whatever_the_query_it_is_refused_or_asks_for_a_page() {
        let queries = ["limit=20&cursor=WzcsInByZF8wMTkwIl0", "cursor=W%33D&limit=100&wait=5s"];

        fuzz::always(&fuzz::nearly_text(&queries), |query| {
            let Ok(request) = Request::get(format!("/?{query}")).body(()) else { return Ok(()) };
            let (mut parts, ()) = request.into_parts();
            match Page::from_request_parts(&mut parts, &()).now_or_never() {
                Some(Ok(page)) => prop_assert!((1..=100).contains(&page.limit())),
                Some(Err(problem)) => prop_assert_eq!(problem.status(), 400),
                None => prop_assert!(false, "there is nothing to wait for"),
            }
            Ok(())
        });
    }
}
