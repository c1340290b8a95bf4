//! Typed tasks: a component's functions, with a world of their own: `wit/world.wit`.
//!
//! `wpool map square-component.wasm --task distance ::: '[{"x":0,"y":0},{"x":3,"y":4}]'` prints 5.0.

mod bindings {
    #![expect(unsafe_code, reason = "how a component's functions are called")]

    wit_bindgen::generate!({ path: "wit", world: "square" });

    use super::Square;
    export!(Square);
}

use bindings::Point;

/// The implementation of the component's world.
struct Square;

impl bindings::Guest for Square {
    fn square(n: i64) -> i64 {
        n.wrapping_mul(n)
    }

    fn distance(a: Point, b: Point) -> f64 {
        (a.x - b.x).hypot(a.y - b.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::Guest;

    #[test]
    fn a_distance_is_that_of_pythagoras() {
        let distance = Square::distance(Point { x: 1.0, y: 1.0 }, Point { x: 4.0, y: 5.0 });
        assert_eq!(distance, 5.0);
        assert_eq!(Square::square(-4), 16);
    }
}
