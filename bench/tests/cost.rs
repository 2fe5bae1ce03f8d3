//! Holds what a call allocates to a budget, since that is the same on every machine, however busy it is, and most of what
//! a call costs beyond hyper follows from it.
//!
//! More than the margin fails. So does a tenth less: what has been won is to be kept, so the budget follows it down.

use std::fmt::Write;
use std::process::{Child, Command, Stdio};

/// How many blocks more a call may allocate than its budget says, and a chunk of a stream. The counts differ by a
/// tenth from run to run; this leaves room for what another version of hyper or of the compiler does.
const BLOCKS: f64 = 1.5;
/// The same for bytes, as a share: how a buffer grows depends a little on how the kernel cuts what is read.
const BYTES: f64 = 0.05;
/// How much less is worth a new budget, as a share.
const WON: f64 = 0.1;

/// What is counted, and how many blocks and bytes it takes.
type Figure<'a> = (&'a str, f64, f64);

/// What is counted, by the names of bench/src/exchange.rs.
const BUDGETS: [(&str, &[Figure<'_>]); 9] = [
    // Nothing of ours: what hyper takes on both sides. Where only this changes, hyper has.
    ("floor", &[("call", 24.0, 21_262.0)]),
    ("floor-stream", &[("call", 24.0, 13_360.0), ("chunk", 0.0, 0.0)]),
    ("passed", &[("call", 172.2, 44_300.0)]),
    ("passed-stream", &[("call", 185.2, 41_370.0), ("chunk", 0.0, 0.0)]),
    ("unified", &[("call", 319.1, 67_346.0)]),
    ("unified-stream", &[("call", 346.2, 66_022.0), ("chunk", 43.0, 3_105.0)]),
    ("translated", &[("call", 412.1, 81_636.0)]),
    ("translated-stream", &[("call", 540.2, 87_340.0), ("chunk", 63.0, 3_956.0)]),
    // The highest memory above rest of an upload of 4 MiB.
    ("upload", &[("peak", 0.0, 5_290_000.0)]),
];

#[test]
fn a_call_allocates_what_its_budget_says() {
    // All at once: how busy the machine is does not change what they count.
    let counting = BUDGETS.map(|(what, budgets)| (what, budgets, start(what).unwrap()));
    let mut wrong = String::new();
    for (what, budgets, counting) in counting {
        let ended = counting.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "counting {what} failed:\n{said}");
        wrong += &beyond(what, budgets, &figures(&said));
    }
    assert!(
        wrong.is_empty(),
        "\n{wrong}`bench/profile WHAT` says where they come from. Where it is meant to be so, put the figure into \
         bench/tests/cost.rs, and say in the commit what it buys."
    );
}

fn start(what: &str) -> std::io::Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counted"));
    command.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

/// The figures among the lines of the program; dhat adds some of its own.
fn figures(said: &str) -> Vec<Figure<'_>> {
    let figure = |line| match str::split(line, ' ').collect::<Vec<_>>()[..] {
        [name, blocks, bytes] => Some((name, blocks.parse().ok()?, bytes.parse().ok()?)),
        _ => None,
    };
    said.lines().filter_map(figure).collect()
}

/// What is beyond its margin, in words, a line each.
fn beyond(what: &str, budgets: &[Figure<'_>], counted: &[Figure<'_>]) -> String {
    let names =
        |figures: &[Figure<'_>]| figures.iter().map(|(name, ..)| format!("{name} ")).collect::<String>();
    assert_eq!(names(budgets), names(counted), "what is counted of {what}");
    let mut wrong = String::new();
    for ((name, blocks, bytes), (_, now_blocks, now_bytes)) in budgets.iter().zip(counted) {
        // There are many chunks to a call: one block more for each is too much.
        let margin = if *name == "chunk" { BLOCKS / 3.0 } else { BLOCKS };
        let few = f64::max(64.0, bytes * BYTES);
        let more = now_blocks - blocks > margin || now_bytes - bytes > few;
        let won = blocks - now_blocks > f64::max(margin, blocks * WON);
        if more || won {
            let now = format!("{now_blocks:.1} blocks, {now_bytes:.0} bytes");
            let budget = format!("its budget is {blocks:.1} blocks, {bytes:.0} bytes");
            let _ = writeln!(wrong, "{what}: a {name} takes {now}; {budget}");
        }
    }
    wrong
}

#[test]
fn two_blocks_more_a_call_are_beyond_the_margin() {
    let budgets = [("call", 24.0, 20_000.0), ("chunk", 0.0, 0.0)];
    let check = |call: (f64, f64), chunk: (f64, f64)| {
        let counted = [("call", call.0, call.1), ("chunk", chunk.0, chunk.1)];
        beyond("x", &budgets, &counted).lines().count()
    };
    assert_eq!(check((24.1, 20_010.0), (0.02, 8.0)), 0);
    assert_eq!(check((26.0, 20_010.0), (0.0, 0.0)), 1);
    assert_eq!(check((22.5, 20_010.0), (0.0, 0.0)), 0);
    assert_eq!(check((21.0, 20_010.0), (0.0, 0.0)), 1, "what has been won is to be kept");
    assert_eq!(check((24.0, 21_100.0), (0.0, 0.0)), 1);
    assert_eq!(check((24.0, 20_000.0), (1.0, 10.0)), 1);
}
