//! What a call allocates, counted: the same on every machine, however busy it is.
//!
//! `counted WHAT` has a gateway carry calls between a client and a provider, and writes to standard error how many blocks
//! and bytes are allocated for a call and for a chunk of its stream; the gateway's log goes to standard output. `counted
//! WHAT FILE` writes into a file of dhat's format where those of [`PROFILED`] calls come from. [`exchange`] knows what
//! WHAT can be.

mod exchange;
mod floor;
mod said;
mod served;
mod world;

use std::io::Write;
use std::ops::Sub;
use std::thread::sleep;
use std::time::Duration;

use dhat::{HeapStats, Profiler};

use exchange::{Exchange, Manner};
use world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Until pools are filled, tables have grown and nothing is done for the first time any more.
const WARM_UP: u64 = 50;
/// The calls that are counted, and the chunks of each where it is a stream; then twice as many.
const CALLS: u64 = 100;
const CHUNKS: u64 = 25;
/// The calls of a profile.
const PROFILED: u64 = 100;
/// Once nothing has been allocated for so long, what follows a call has been done.
const QUIET: Duration = Duration::from_millis(20);

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [what] => count(&Exchange::named(what)?),
        [what, file] => profile(&Exchange::named(what)?, file),
        _ => Err(format!("usage: counted WHAT [FILE], where WHAT is one of {}", Exchange::names()).into()),
    }
}

/// Says what a call allocates, line by line: what is counted, blocks, bytes.
fn count(exchange: &Exchange) -> Result<(), Error> {
    // To keep where each block comes from is what takes time here, and the counts do not need it.
    let _counting = Profiler::builder().testing().trim_backtraces(Some(4)).build();
    let mut world = World::of(exchange)?;
    match exchange.manner {
        Manner::Whole => {
            world.calls(WARM_UP, 0)?;
            let (some, more) = (spent(&mut world, CALLS, 0)?, spent(&mut world, 2 * CALLS, 0)?);
            tell("call", (more - some).per(CALLS))
        }
        Manner::Stream => {
            world.calls(WARM_UP, CHUNKS)?;
            let some = spent(&mut world, CALLS, CHUNKS)?;
            let chunks = spent(&mut world, CALLS, 2 * CHUNKS)? - some;
            tell("call", (some - chunks).per(CALLS))?;
            tell("chunk", chunks.per(CALLS * CHUNKS))
        }
        Manner::Upload => {
            world.calls(WARM_UP, 0)?;
            settled();
            let held = HeapStats::get();
            tell("peak", Spent { blocks: 0.0, bytes: (held.max_bytes - held.curr_bytes) as f64 })
        }
    }
}

/// Writes where the blocks come from that are allocated once everything is warm.
fn profile(exchange: &Exchange, file: &str) -> Result<(), Error> {
    let mut world = World::of(exchange)?;
    let chunks = if exchange.manner == Manner::Stream { CHUNKS } else { 0 };
    world.calls(WARM_UP, chunks)?;
    sleep(QUIET);
    let _counting = Profiler::builder().file_name(file).trim_backtraces(None).build();
    world.calls(PROFILED, chunks)?;
    sleep(QUIET);
    Ok(())
}

/// What has been allocated.
#[derive(Debug, Clone, Copy)]
struct Spent {
    blocks: f64,
    bytes: f64,
}

/// What so many calls allocate, with all that follows them.
fn spent(world: &mut World, calls: u64, chunks: u64) -> Result<Spent, Error> {
    let before = settled();
    world.calls(calls, chunks)?;
    Ok(settled() - before)
}

/// What has been allocated so far, once nothing more is.
fn settled() -> Spent {
    let mut last = HeapStats::get().total_blocks;
    loop {
        sleep(QUIET);
        let now = HeapStats::get();
        if now.total_blocks == last {
            return Spent { blocks: now.total_blocks as f64, bytes: now.total_bytes as f64 };
        }
        last = now.total_blocks;
    }
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { blocks: self.blocks - other.blocks, bytes: self.bytes - other.bytes }
    }
}

impl Spent {
    fn per(self, count: u64) -> Self {
        Self { blocks: self.blocks / count as f64, bytes: self.bytes / count as f64 }
    }
}

fn tell(what: &str, spent: Spent) -> Result<(), Error> {
    Ok(writeln!(std::io::stderr(), "{what} {:.2} {:.0}", spent.blocks, spent.bytes)?)
}
