//! Queues of messages.

use serde_json::{Value, json};
use wpool_guest::{Capacity, Error, Queue, Received};

use crate::answer::{Answer, Failure, done, given, unknown};
use crate::objects::{How, Made, Object};
use crate::step::{Within, Words};

/// A queue, opened once for each form of messages.
struct Messages {
    json: Queue<Value>,
    bytes: Queue<[u8]>,
}

/// Makes a queue from `MESSAGES BYTES [joinable]`.
pub(crate) fn queue(how: How, name: &str, mut words: Words<'_>) -> Made {
    let messages = how.number(&mut words)?;
    let capacity = Capacity::messages(messages).bytes(how.number(&mut words)?);
    let both = |json| Ok(Messages { json, bytes: Queue::open(name)? });
    let open = || Queue::open(name).and_then(both);
    if how.flag(&mut words, "joinable") {
        let create = || Queue::create_joinable(name, capacity).and_then(both);
        let ensure = || Queue::open_or_create_joinable(name, capacity).and_then(both);
        return how.make(words, open, create, ensure);
    }
    let create = || Queue::create(name, capacity).and_then(both);
    how.make(words, open, create, || Queue::open_or_create(name, capacity).and_then(both))
}

impl Object for Messages {
    fn act(&mut self, operation: &str, within: Within, mut words: Words<'_>) -> Answer {
        match operation {
            "put" => return self.put(words.rest(), within),
            "put-text" => return self.put_bytes(words.rest().as_bytes(), within),
            "put-bytes" => {
                let count = words.number()?;
                words.end()?;
                return self.put_bytes(&pattern(count), within);
            }
            _ => words.end()?,
        }
        let queue = &self.json;
        match operation {
            "get" => {
                let timed = |limit| queue.get_timeout(limit);
                Ok(told(within.of(|| queue.get(), || queue.try_get(), timed)?))
            }
            "get-text" => self.get_bytes(within, |text| String::from_utf8_lossy(text).into()),
            "get-bytes" => self.get_bytes(within, |bytes| match bytes == pattern(bytes.len()) {
                true => bytes.len().into(),
                false => json!({"damaged": bytes.len()}),
            }),
            "acknowledge" => done(queue.acknowledge()),
            "task-done" => done(queue.task_done()),
            "join" => given(within.of_two(|| queue.join(), |limit| queue.join_timeout(limit))),
            "close" => done(queue.close()),
            "is-closed" => Ok(queue.is_closed().into()),
            "len" => Ok(queue.len().into()),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        self.json.delete()
    }
}

impl Messages {
    fn put(&self, message: &str, within: Within) -> Answer {
        let (queue, message) = (&self.json, serde_json::from_str(message));
        let message = message.map_err(|error| Failure::Step(error.to_string()))?;
        let timed = |limit| queue.put_timeout(&message, limit);
        done(within.of(|| queue.put(&message), || queue.try_put(&message), timed))
    }

    fn put_bytes(&self, message: &[u8], within: Within) -> Answer {
        let queue = &self.bytes;
        let timed = |limit| queue.put_timeout(message, limit);
        done(within.of(|| queue.put(message), || queue.try_put(message), timed))
    }

    fn get_bytes(&self, within: Within, value: impl FnOnce(&[u8]) -> Value) -> Answer {
        let queue = &self.bytes;
        let mut buffer = Vec::new();
        let Received { value: bytes, redelivered } = match within {
            Within::Forever => queue.get(&mut buffer),
            Within::Now => queue.try_get(&mut buffer),
            Within::Time(limit) => queue.get_timeout(&mut buffer, limit),
        }?;
        Ok(told(Received { value: value(bytes), redelivered }))
    }
}

/// Returns bytes by which a message is recognised.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8).collect()
}

fn told(message: Received<Value>) -> Value {
    match message {
        Received { value, redelivered: false } => value,
        Received { value, redelivered: true } => json!({"value": value, "redelivered": true}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_redelivery_is_told_beside_the_message() {
        assert_eq!(told(Received { value: json!(5), redelivered: false }), json!(5));
        let again = told(Received { value: json!(5), redelivered: true });
        assert_eq!(again, json!({"value": 5, "redelivered": true}));
    }
}
