//! How many bytes documents take as BSON (bsonspec.org, version 1.1), without writing them.

use mongodb::bson::{Bson, Document};

/// The length of a document as BSON, in bytes.
pub(crate) fn encoded_len(document: &Document) -> usize {
    let elements = document.iter().map(|(key, value)| element_len(key.len(), value));
    FRAME + elements.sum::<usize>()
}

/// The length of a document before its first element and after its last.
const FRAME: usize = 5;

/// A type, a key with its end, a value.
fn element_len(key: usize, value: &Bson) -> usize {
    2 + key + value_len(value)
}

fn value_len(value: &Bson) -> usize {
    let text = |text: &str| 5 + text.len();
    match value {
        Bson::Document(document) => encoded_len(document),
        Bson::Array(values) => {
            let elements = values.iter().enumerate();
            FRAME + elements.map(|(at, value)| element_len(digits(at), value)).sum::<usize>()
        }
        Bson::String(it) | Bson::Symbol(it) | Bson::JavaScriptCode(it) => text(it),
        Bson::JavaScriptCodeWithScope(it) => 4 + text(&it.code) + encoded_len(&it.scope),
        Bson::RegularExpression(it) => 2 + it.pattern.as_str().len() + it.options.as_str().len(),
        Bson::Binary(it) => 9 + it.bytes.len(),
        Bson::Boolean(_) => 1,
        Bson::Int32(_) => 4,
        Bson::Double(_) | Bson::Int64(_) | Bson::Timestamp(_) | Bson::DateTime(_) => 8,
        Bson::ObjectId(_) => 12,
        Bson::Decimal128(_) => 16,
        // Deprecated; its content is not public.
        Bson::DbPointer(_) => 256,
        Bson::Null | Bson::Undefined | Bson::MaxKey | Bson::MinKey => 0,
    }
}

/// How many digits the index of an array's element has.
fn digits(mut index: usize) -> usize {
    let mut digits = 1;
    while index >= 10 {
        index /= 10;
        digits += 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{DateTime, doc, oid::ObjectId};

    use super::*;

    #[test]
    fn length_is_that_of_the_written_document() {
        let numbers: Vec<i64> = (0..120).collect();
        let document = doc! {
            "_id": "ord_1", "lines": [{ "sku": "MUG", "quantity": 2_i32 }, Bson::Null],
            "at": DateTime::now(), "total": 12.5, "paid": true, "oid": ObjectId::new(),
            "nested": { "empty": {}, "numbers": numbers }, "text": "ü",
        };

        let written = mongodb::bson::serialize_to_vec(&document).unwrap();

        assert_eq!(encoded_len(&document), written.len());
    }
}
