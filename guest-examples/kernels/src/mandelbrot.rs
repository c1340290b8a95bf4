//! Mandelbrot's set: multiplication and addition of `f64`, four points side by side.

/// The number of steps for which a point's sequence must stay within a distance of 2 to count as in
/// the set.
const STEPS: u32 = 50;

/// The number of points side by side, so that a compiler finds work for SIMD.
const LANES: usize = 4;

/// Returns the number of points of a grid of `size` by `size` from -1.5-i to 0.5+i that are in the
/// set.
pub(crate) fn count(size: u32) -> u32 {
    let step = 2.0 / f64::from(size);
    let mut count = 0;
    for y in 0..size {
        let im = f64::from(y) * step - 1.0;
        for x in (0..size).step_by(LANES) {
            let re = std::array::from_fn(|lane| f64::from(x + lane as u32) * step - 1.5);
            let lanes = LANES.min((size - x) as usize);
            count += inside(re, im)[..lanes].iter().filter(|inside| **inside).count() as u32;
        }
    }
    count
}

/// Returns which of the points are in the set.
fn inside(re: [f64; LANES], im: f64) -> [bool; LANES] {
    let (mut zr, mut zi) = ([0.0; LANES], [0.0; LANES]);
    let (mut rr, mut ii) = ([0.0; LANES], [0.0; LANES]);
    for step in 0..STEPS {
        for lane in 0..LANES {
            zi[lane] = 2.0 * zr[lane] * zi[lane] + im;
            zr[lane] = rr[lane] - ii[lane] + re[lane];
            rr[lane] = zr[lane] * zr[lane];
            ii[lane] = zi[lane] * zi[lane];
        }
        // A point that has left never comes back, so it is enough to look now and then.
        if step % 5 == 4 && (0..LANES).all(|lane| rr[lane] + ii[lane] > 4.0) {
            return [false; LANES];
        }
    }
    std::array::from_fn(|lane| rr[lane] + ii[lane] <= 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_counted_as_one_by_one() {
        let one_by_one = |size: u32| {
            let points = (0..size * size).map(|n| (n % size, n / size));
            let step = 2.0 / f64::from(size);
            points
                .filter(|&(x, y)| {
                    let (re, im) = (f64::from(x) * step - 1.5, f64::from(y) * step - 1.0);
                    let (mut zr, mut zi) = (0.0, 0.0);
                    (0..STEPS).all(|_| {
                        (zr, zi) = (zr * zr - zi * zi + re, 2.0 * zr * zi + im);
                        zr * zr + zi * zi <= 4.0
                    })
                })
                .count()
        };
        for size in [0, 1, 7, 8, 100] {
            assert_eq!(count(size) as usize, one_by_one(size), "size {size}");
        }
    }

    #[test]
    fn the_area_is_nearly_that_of_the_set() {
        // The set's part in this square has an area of 1.5052; more steps would come nearer.
        let area = f64::from(count(400)) * 4.0 / (400.0 * 400.0);
        assert!((1.50..1.60).contains(&area), "{area}");
    }
}
