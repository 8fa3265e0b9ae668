//! Fields that the next schema version added: kept when this version writes the document.

use mongodb::bson::{Bson, Document as Body, deserialize_from_document, serialize_to_document};

use crate::document::{Document, SHAPE};
use crate::store::number;

/// Puts the fields of `stored` that this version does not know into `written`, if the next schema
/// version wrote `stored`; `written` then bears that version, too.
///
/// Elements of arrays keep theirs by their place, as arrays only grow at their end; where an array
/// became shorter, only elements that did not change keep theirs.
pub(crate) fn keep_unknown<D: Document>(stored: &Body, written: &mut Body) {
    let version = |body: &Body| body.get(SHAPE).and_then(number).unwrap_or(0);
    if version(stored) <= version(written) {
        return;
    }
    let mut upcast = stored.clone();
    D::upcast(&mut upcast);
    // What it reads as, written again: what is missing there is not known here.
    let known = deserialize_from_document::<D>(upcast.clone()).ok();
    let Some(known) = known.and_then(|known| serialize_to_document(&known).ok()) else { return };
    merge(&upcast, &known, written);
    if let Some(version) = stored.get(SHAPE) {
        written.insert(SHAPE, version.clone());
    }
}

fn merge(stored: &Body, known: &Body, written: &mut Body) {
    for (key, value) in stored {
        match (known.get(key), written.get_mut(key)) {
            (Some(known), Some(written)) => merge_value(value, known, written),
            (None, None) => drop(written.insert(key, value.clone())),
            // This version took it out, or put its own there.
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
}

fn merge_value(stored: &Bson, known: &Bson, written: &mut Bson) {
    match (stored, known, written) {
        (Bson::Document(stored), Bson::Document(known), Bson::Document(written)) => {
            merge(stored, known, written);
        }
        (Bson::Array(stored), Bson::Array(known), Bson::Array(written)) => {
            merge_elements(stored, known, written);
        }
        _ => {}
    }
}

fn merge_elements(stored: &[Bson], known: &[Bson], written: &mut [Bson]) {
    if written.len() >= known.len() {
        let before = stored.iter().zip(known);
        written
            .iter_mut()
            .zip(before)
            .for_each(|(it, (stored, known))| merge_value(stored, known, it));
        return;
    }
    for element in written {
        let same = known.iter().position(|known| known == element);
        if let Some(stored) = same.and_then(|at| stored.get(at)) {
            *element = stored.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Box {
        #[serde(rename = "_id")]
        id: String,
        items: Vec<Item>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Item {
        name: String,
        count: i64,
    }

    impl Document for Box {
        const COLLECTION: &'static str = "boxes";
        const SHAPE: i64 = 3;
        type Id = String;

        fn id(&self) -> String {
            self.id.clone()
        }
    }

    fn stored(version: i64) -> Body {
        doc! {
            "_id": "box", "shape": version, "label": "fragile", "colour": { "name": "red" },
            "items": [{ "name": "cup", "count": 1_i64, "weight": 7 }, { "name": "pot", "count": 2_i64 }],
        }
    }

    #[test]
    fn next_version_keeps_its_fields() {
        let mut written = doc! {
            "_id": "box", "shape": 3_i64,
            "items": [{ "name": "cup", "count": 5_i64 }, { "name": "pot", "count": 2_i64 }, { "name": "jug", "count": 1_i64 }],
        };

        keep_unknown::<Box>(&stored(4), &mut written);

        assert_eq!(written.get_i64("shape").unwrap(), 4);
        assert_eq!(written.get_document("colour").unwrap(), &doc! { "name": "red" });
        assert!(!written.contains_key("label"), "this version took it out");
        let items = written.get_array("items").unwrap();
        let cup = doc! { "name": "cup", "count": 5_i64, "weight": 7 };
        assert_eq!((items.len(), &items[0]), (3, &Bson::Document(cup)));
    }

    #[test]
    fn shorter_array_keeps_unchanged_elements() {
        let mut written = doc! {
            "_id": "box", "shape": 3_i64, "items": [{ "name": "cup", "count": 1_i64 }],
        };

        keep_unknown::<Box>(&stored(4), &mut written);

        let cup = doc! { "name": "cup", "count": 1_i64, "weight": 7 };
        assert_eq!(written.get_array("items").unwrap(), &[Bson::Document(cup)]);
    }

    #[test]
    fn own_version_is_written_as_it_is() {
        let written = doc! { "_id": "box", "shape": 3_i64, "items": [] };
        let mut kept = written.clone();

        keep_unknown::<Box>(&stored(3), &mut kept);

        assert_eq!(kept, written);
    }
}
