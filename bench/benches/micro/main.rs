//! What the pieces on a call's path take, each by itself: `bench/micro` runs them.
//!
//! They show where to look, not what a call takes: their code and data stay in the caches that a whole call shares.

mod codecs;
mod kept;
mod passing;
#[path = "../../src/said.rs"]
mod said;
mod world;

fn main() {
    divan::main();
}
