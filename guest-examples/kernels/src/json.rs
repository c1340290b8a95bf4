//! JSON by the crate `serde_json`: a document is written, and read again.

use serde::{Deserialize, Serialize};

use crate::checksum::checksum;
use crate::random::Random;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Record {
    id: u32,
    name: String,
    active: bool,
    tags: Vec<String>,
    position: [f64; 2],
    parent: Option<u64>,
}

/// Returns a checksum of a document of `records` records, if it reads as it was written.
pub(crate) fn checksum_of_document(records: u32) -> Result<i64, serde_json::Error> {
    let records = self::records(records);
    let document = serde_json::to_string(&records)?;
    let read: Vec<Record> = serde_json::from_str(&document)?;
    // The document is written again after reading: a record that reads as another one changes the
    // checksum.
    Ok(checksum(serde_json::to_vec(&read)?.into_iter().map(u64::from)))
}

fn records(count: u32) -> Vec<Record> {
    let mut random = Random::new(count);
    (0..count).map(|id| record(id, &mut random)).collect()
}

fn record(id: u32, random: &mut Random) -> Record {
    // The coordinates are eighths, so that the fractions are exact.
    let mut coordinate = || f64::from(random.below(1 << 20)) / 8.0 - 65_536.0;
    Record {
        id,
        position: [coordinate(), coordinate()],
        name: format!("record \"{:x}\"", random.next()),
        active: random.below(2) == 1,
        tags: (0..random.below(4)).map(|_| format!("tag-{}", random.below(100))).collect(),
        parent: (random.below(3) > 0).then(|| random.next()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_as_they_were_written() {
        let records = records(100);
        let document = serde_json::to_string(&records).expect("records have a form in JSON");
        assert_eq!(serde_json::from_str::<Vec<Record>>(&document).ok(), Some(records));
        assert!(document.starts_with(r#"[{"id":0,"name":"record \""#), "{document}");
    }
}
