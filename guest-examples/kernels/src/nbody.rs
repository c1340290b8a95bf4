//! The Sun and the four large planets: `f64` in long chains, with roots and divisions.
//!
//! The masses, the step and the published energies are those of the Benchmarks Game.

const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
const DAYS_PER_YEAR: f64 = 365.24;
const STEP_YEARS: f64 = 0.01;

#[derive(Clone, Copy)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

/// Returns a planet, from its position, its velocity per day, and its mass in Suns.
const fn planet(position: [f64; 3], [x, y, z]: [f64; 3], mass: f64) -> Body {
    let velocity = [x * DAYS_PER_YEAR, y * DAYS_PER_YEAR, z * DAYS_PER_YEAR];
    Body { position, velocity, mass: mass * SOLAR_MASS }
}

const SUN: Body = planet([0.0; 3], [0.0; 3], 1.0);

const JUPITER: Body = planet(
    [4.841_431_442_464_72e0, -1.160_320_044_027_428_4e0, -1.036_220_444_711_231_1e-1],
    [1.660_076_642_744_037e-3, 7.699_011_184_197_404e-3, -6.904_600_169_720_63e-5],
    9.547_919_384_243_266e-4,
);

const SATURN: Body = planet(
    [8.343_366_718_244_58e0, 4.124_798_564_124_305e0, -4.035_234_171_143_214e-1],
    [-2.767_425_107_268_624e-3, 4.998_528_012_349_172e-3, 2.304_172_975_737_639_3e-5],
    2.858_859_806_661_308e-4,
);

const URANUS: Body = planet(
    [1.289_436_956_213_913_1e1, -1.511_115_140_169_863_1e1, -2.233_075_788_926_557_3e-1],
    [2.964_601_375_647_616e-3, 2.378_471_739_594_809_5e-3, -2.965_895_685_402_375_6e-5],
    4.366_244_043_351_563e-5,
);

const NEPTUNE: Body = planet(
    [1.537_969_711_485_091_7e1, -2.591_931_460_998_796_4e1, 1.792_587_729_503_711_8e-1],
    [2.680_677_724_903_893_2e-3, 1.628_241_700_382_423e-3, -9.515_922_545_197_159e-5],
    5.151_389_020_466_114_5e-5,
);

/// Returns the energy of the system after `steps` steps.
pub(crate) fn energy_after(steps: u32) -> f64 {
    let mut bodies = [SUN, JUPITER, SATURN, URANUS, NEPTUNE];
    // The Sun moves so that the centre of mass rests.
    for axis in 0..3 {
        let momentum: f64 = bodies.iter().map(|body| body.velocity[axis] * body.mass).sum();
        bodies[0].velocity[axis] = -momentum / SOLAR_MASS;
    }
    for _ in 0..steps {
        advance(&mut bodies);
    }
    energy(&bodies)
}

fn advance(bodies: &mut [Body; 5]) {
    for i in 0..bodies.len() {
        for j in i + 1..bodies.len() {
            let between = difference(&bodies[i], &bodies[j]);
            let squared = dot(between, between);
            let magnitude = STEP_YEARS / (squared * squared.sqrt());
            let (mass_i, mass_j) = (bodies[i].mass, bodies[j].mass);
            for (axis, distance) in between.into_iter().enumerate() {
                bodies[i].velocity[axis] -= distance * mass_j * magnitude;
                bodies[j].velocity[axis] += distance * mass_i * magnitude;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.position[axis] += STEP_YEARS * body.velocity[axis];
        }
    }
}

fn energy(bodies: &[Body]) -> f64 {
    let mut energy = 0.0;
    for (i, body) in bodies.iter().enumerate() {
        energy += body.mass * dot(body.velocity, body.velocity) / 2.0;
        for other in &bodies[i + 1..] {
            let between = difference(body, other);
            energy -= body.mass * other.mass / dot(between, between).sqrt();
        }
    }
    energy
}

fn difference(a: &Body, b: &Body) -> [f64; 3] {
    std::array::from_fn(|axis| a.position[axis] - b.position[axis])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_are_the_published_ones() {
        for (steps, published) in [(0, -0.169075164), (1000, -0.169087605), (50_000, -0.169078071)]
        {
            let energy = energy_after(steps);
            assert!((energy - published).abs() < 1e-9, "{energy} after {steps} steps");
        }
    }
}
