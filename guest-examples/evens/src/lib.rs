//! Even numbers: lists in and out, or one by one into a queue.
//!
//! The task `put_evens` needs the queue: `wpool run evens.wasm 'put_evens([0,1,2,3])' --queue
//! evens`.

use wpool_guest::{Error, Queue, task};

/// The even ones among `numbers`.
#[task(default)]
fn evens(numbers: Vec<i64>) -> Vec<i64> {
    numbers.into_iter().filter(is_even).collect()
}

/// Puts the even ones among `numbers` into the queue `evens`, one by one.
#[task]
fn put_evens(numbers: Vec<i64>) -> Result<(), Error> {
    let queue = Queue::<i64>::open("evens")?;
    numbers.iter().filter(|n| is_even(n)).try_for_each(|n| queue.put(n))
}

fn is_even(n: &i64) -> bool {
    n % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_numbers_are_dropped() {
        assert_eq!(evens(vec![0, 1, 2, 3, -4]), [0, 2, -4]);
        assert!(evens(vec![]).is_empty());
    }

    #[test]
    fn without_the_queue_there_is_an_error_that_names_it() {
        let error = put_evens(vec![2]).unwrap_err().to_string();
        assert!(error.contains("queue `evens`"), "{error}");
    }
}
