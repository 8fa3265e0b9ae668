//! The operations of a document, one by one.

use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

/// Every operation with its method in lower case.
pub(super) fn all(api: &mut OpenApi) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    api.paths.paths.values_mut().flat_map(|path| {
        let PathItem { get, put, post, delete, patch, .. } = path;
        let all =
            [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)];
        all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
    })
}
