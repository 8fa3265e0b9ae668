//! What the address of a request says: its path and its query.

use std::borrow::Cow;
use std::error::Error as _;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path as AxumPath, Query as AxumQuery};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;
use super::explain::explain;

/// Names that extractors of their own read: [`Page`](super::Page) and [`Wait`](super::Wait).
const RESERVED: [&str; 3] = ["limit", "cursor", "wait"];

/// Tags that advertising, mail and social networks add to links: beside all that begin with one of
/// [`CAMPAIGN_PREFIXES`]. They say nothing to a service.
const CAMPAIGN_TAGS: [&str; 33] = [
    "__hsfp",
    "__hssc",
    "__hstc",
    "_bta_tid",
    "_ga",
    "_gl",
    "_kx",
    "at_campaign",
    "at_medium",
    "dclid",
    "dm_i",
    "epik",
    "fbclid",
    "gad",
    "gbraid",
    "gclid",
    "gclsrc",
    "igsh",
    "igshid",
    "irclickid",
    "li_fat_id",
    "mibextid",
    "mkt_tok",
    "msclkid",
    "rdt_cid",
    "s_kwcid",
    "sccid",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
    "ysclid",
];
const CAMPAIGN_PREFIXES: [&str; 11] =
    ["utm_", "mc_", "gad_", "pk_", "mtm_", "matomo_", "piwik_", "hsa_", "_hs", "vero_", "trk_"];

/// What the path names, such as an order's id; 400 when it does not read as that.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

/// What the query asks for; 400 when it does not read as that.
///
/// `limit`, `cursor` and `wait` are left to [`Page`](super::Page) and [`Wait`](super::Wait), so
/// that `T` can refuse unknown names beside them. Campaign tags such as `utm_source` and `gclid`
/// are ignored.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AxumPath::from_request_parts(parts, state).await {
            Ok(AxumPath(named)) => Ok(Self(named)),
            Err(rejection) => Err(no_path(rejection)),
        }
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let own: Vec<&str> = query.split('&').filter(|pair| !is_for_others(pair)).collect();
        let uri = Uri::builder().path_and_query(format!("/?{}", own.join("&"))).build();
        let uri = uri.map_err(|_| Problem::malformed())?;
        read(&uri).map(Self)
    }
}

/// One value of the query, where it is given once; given twice it is refused.
pub(super) fn value(parts: &Parts, name: &str) -> Result<Option<String>, Problem> {
    let mut values = values(parts, name)?.into_iter();
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Problem::malformed().because(format!("{name} is given more than once"))),
    }
}

/// All values of the query that bear this name.
pub(super) fn values(parts: &Parts, name: &str) -> Result<Vec<String>, Problem> {
    let pairs: Vec<(String, String)> = read(&parts.uri)?;
    Ok(pairs.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect())
}

/// Whether a pair of the query is none of the endpoint's own parameters.
fn is_for_others(pair: &str) -> bool {
    let name = decoded(pair.split('=').next().unwrap_or_default());
    RESERVED.contains(&&*name) || is_campaign_tag(&name)
}

/// A name as the reader of a query reads it.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '+']) {
        return Cow::Borrowed(name);
    }
    let uri = Uri::builder().path_and_query(format!("/?{name}")).build().ok();
    let pairs = uri.and_then(|uri| read::<Vec<(String, String)>>(&uri).ok());
    let first = pairs.and_then(|pairs| pairs.into_iter().next());
    first.map_or(Cow::Borrowed(name), |(name, _)| Cow::Owned(name))
}

/// Compares without case: links are retyped.
fn is_campaign_tag(name: &str) -> bool {
    let begins_with = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    CAMPAIGN_TAGS.iter().any(|tag| name.eq_ignore_ascii_case(tag))
        || CAMPAIGN_PREFIXES.iter().any(begins_with)
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    AxumQuery::try_from_uri(uri)
        .map(|AxumQuery(asked)| asked)
        .map_err(|rejection| no_query(&rejection))
}

fn no_query(rejection: &QueryRejection) -> Problem {
    // The rejection wraps the reader's own words in words of the framework.
    let inner = rejection.source().and_then(|error| error.source().or(Some(error)));
    let said = inner.map_or_else(String::new, ToString::to_string);
    Problem::malformed().because(format!("query: {}", explain(&said)))
}

fn no_path(rejection: PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else {
        tracing::error!(%rejection, "endpoint without its path");
        return Problem::internal();
    };
    match failure.into_kind() {
        ErrorKind::DeserializeError { message, .. } | ErrorKind::Message(message) => {
            Problem::malformed().because(format!("path: {}", explain(&message)))
        }
        kind @ (ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }) => {
            tracing::error!(%kind, "endpoint whose path does not fit it");
            Problem::internal()
        }
        _ => Problem::malformed().because("the path does not read as one of this endpoint"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use futures_util::FutureExt as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Filter {
        tag: Option<String>,
    }

    fn filter(query: &str) -> Result<Filter, Problem> {
        let (mut parts, ()) = Request::get(format!("/?{query}")).body(()).unwrap().into_parts();
        let read = Query::<Filter>::from_request_parts(&mut parts, &()).now_or_never().unwrap();
        read.map(|Query(filter)| filter)
    }

    #[test]
    fn campaign_tags_are_ignored() {
        for name in [
            "utm_source",
            "UTM_Campaign",
            "utm_",
            "gclid",
            "fbclid",
            "msclkid",
            "mc_cid",
            "mc_eid",
            "_ga",
            "gad_source",
            "ttclid",
            "mtm_campaign",
            "utm%5Fsource",
            "%75tm_source",
            "_kx",
            "__hstc",
            "__hssc",
            "__hsfp",
            "_bta_tid",
            "mibextid",
            "at_medium",
            "at_campaign",
            "dm_i",
            "trk_contact",
        ] {
            for query in [format!("{name}=x%20y&tag=tin"), format!("tag=tin&{name}")] {
                assert_eq!(filter(&query).unwrap().tag.as_deref(), Some("tin"), "{query}");
            }
        }
    }

    #[test]
    fn other_unknown_parameters_are_refused() {
        for query in ["utm=1", "trk=1", "utm%5=1", "colour=red", "gclid2=1", "tag=a&tag=b", "=1"] {
            assert_eq!(filter(query).unwrap_err().status(), 400, "{query}");
        }
    }
}
