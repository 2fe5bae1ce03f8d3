//! What an image costs, by the rules the providers publish.
//!
//! Only the tiles of gpt-4o's kind are taken for exact: measured bills agree with the guide to the token
//! (community.openai.com/t/1262691 and /1281361). Elsewhere a guide and the measurements differ, or two guides do.

use crate::family::base_name;
use crate::size::Size;

/// The size assumed of an image that cannot be looked at: four tiles, 1,024 patches, 1,369 visual tokens.
const TYPICAL: Size = Size { width: 1024, height: 1024 };

/// How closely the client asks the model to look. OpenAI takes `auto` for high; what is newer than gpt-5.4 for original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Low,
    Auto,
    High,
    Original,
}

impl Detail {
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("low") => Self::Low,
            Some("high") => Self::High,
            Some("original") => Self::Original,
            _ => Self::Auto,
        }
    }
}

/// How a family of models is billed for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A base, and so much for each tile of 512 pixels once the image fits into 2048 × 2048 with a short side of 768.
    Tiles { base: u64, tile: u64 },
    /// So many hundredths of a token for each patch of 32 pixels.
    Patches { hundredths: u64, high: Budget, auto: Budget, original: Budget },
    /// A visual token for each patch of 28 pixels.
    Visual(Budget),
    /// 258 for each tile, the size of which follows from the image.
    Crops,
    /// So much for an image of any size.
    Flat { low: u64, high: u64 },
}

/// What an image is shrunk to: a long side, and a number of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Budget {
    side: u32,
    patches: u64,
}

const fn tiles(base: u64, tile: u64) -> Rule {
    Rule::Tiles { base, tile }
}

const fn patches(hundredths: u64) -> Rule {
    Rule::Patches { hundredths, high: EARLY, auto: EARLY, original: EARLY }
}

const fn sharper_patches(hundredths: u64, auto: Budget) -> Rule {
    Rule::Patches { hundredths, high: HIGH, auto, original: ORIGINAL }
}

const EARLY: Budget = Budget { side: 2048, patches: 1536 };
const HIGH: Budget = Budget { side: 2048, patches: 2500 };
const ORIGINAL: Budget = Budget { side: 6000, patches: 10_000 };
const LOW: Budget = Budget { side: 512, patches: 256 };

/// The first prefix that fits decides.
///
/// OpenAI: developers.openai.com, guide "Images and vision", "Calculating costs". It says 1.62 for gpt-5-mini where bills
/// say 1.2 (community.openai.com, June 2026), and gives no factor for gpt-5.2 and later; bills and later readings of
/// the guide say 1.2. Since gpt-5.5, `auto` keeps the original size.
///
/// Anthropic: platform.claude.com, "Vision". The older text says width × height / 750 and about 1,600 at most, the newer
/// one patches of 28 pixels, 1,568 of them at most, 4,784 since Claude 4.7; Anthropic's counter agrees with the newer.
///
/// Google: ai.google.dev, "Image understanding" for tiles (the page on tokens speaks of tiles of 768 pixels only, which
/// is their largest size) and "Media resolution" for Gemini 3.
const RULES: &[(&str, Rule)] = &[
    ("gpt-4o-mini", tiles(2833, 5667)),
    ("gpt-4.1-mini", patches(162)),
    ("gpt-4.1-nano", patches(246)),
    ("gpt-5-mini", patches(162)),
    ("gpt-5-nano", patches(246)),
    ("gpt-5-codex-mini", patches(120)),
    ("gpt-5.1-codex-mini", patches(120)),
    ("gpt-5.1", tiles(70, 140)),
    ("gpt-5.2", patches(120)),
    ("gpt-5.3", patches(120)),
    ("gpt-5.4", sharper_patches(120, HIGH)),
    ("gpt-5.", sharper_patches(120, ORIGINAL)),
    ("gpt-5", tiles(70, 140)),
    ("gpt-6", sharper_patches(120, ORIGINAL)),
    ("o4-mini", patches(172)),
    ("o1", tiles(75, 150)),
    ("o3", tiles(75, 150)),
    ("computer-use", tiles(65, 129)),
    ("claude-2", STANDARD),
    ("claude-3", STANDARD),
    ("claude-haiku-4", STANDARD),
    ("claude-sonnet-4", STANDARD),
    ("claude-opus-4-7", SHARP),
    ("claude-opus-4-8", SHARP),
    ("claude-opus-4.7", SHARP),
    ("claude-opus-4.8", SHARP),
    ("claude-opus-4", STANDARD),
    ("claude", SHARP),
    ("gemini-1", Rule::Crops),
    ("gemini-2", Rule::Crops),
    ("gemini", Rule::Flat { low: 280, high: 1120 }),
];

const STANDARD: Rule = Rule::Visual(Budget { side: 1568, patches: 1568 });
const SHARP: Rule = Rule::Visual(Budget { side: 2576, patches: 4784 });

/// gpt-4o, gpt-4.1, gpt-4.5 and gpt-4-turbo; and the guess for whoever publishes nothing.
const GPT_4O: Rule = tiles(85, 170);

fn rule(model: &str) -> Rule {
    let name = base_name(model);
    RULES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(GPT_4O, |(_, rule)| *rule)
}

/// The tokens of an image; where its size is unknown, those of a typical one.
pub(crate) fn count(model: &str, size: Option<Size>, detail: Detail) -> u64 {
    let size = size.unwrap_or(TYPICAL);
    match rule(model) {
        Rule::Tiles { base, .. } if detail == Detail::Low => base,
        Rule::Tiles { base, tile } => base + tile * count_tiles(size),
        Rule::Patches { hundredths, high, auto, original } => {
            let budget = match detail {
                Detail::Low => LOW,
                Detail::High => high,
                Detail::Auto => auto,
                Detail::Original => original,
            };
            (count_patches(size, budget) * hundredths).div_ceil(100)
        }
        Rule::Visual(budget) => count_visual(size, budget),
        Rule::Crops => 258 * count_crops(size),
        Rule::Flat { low, .. } if detail == Detail::Low => low,
        Rule::Flat { high, .. } => high,
    }
}

/// Whether [`count`] is what the provider bills for an image of known size.
pub(crate) fn is_exact(model: &str) -> bool {
    let name = base_name(model);
    let measured =
        ["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-4-turbo"].iter().any(|prefix| name.starts_with(prefix));
    measured && matches!(rule(model), Rule::Tiles { .. })
}

fn count_tiles(size: Size) -> u64 {
    let fitted = size.within(2048, 2048);
    let (short, long) = (fitted.width.min(fitted.height), fitted.width.max(fitted.height));
    let scale = (768.0 / f64::from(short)).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u64).div_ceil(512);
    side(short) * side(long)
}

/// The guide's own arithmetic: shrink to the budget, then a little more, so that whole patches cover one side.
fn count_patches(size: Size, budget: Budget) -> u64 {
    let size = size.within(budget.side, budget.side);
    if size.patches(32) <= budget.patches {
        return size.patches(32);
    }
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let shrink = (32.0 * 32.0 * budget.patches as f64 / (width * height)).sqrt();
    let whole = |side: f64| (side * shrink / 32.0).floor() / (side * shrink / 32.0);
    let shrink = shrink * whole(width).min(whole(height));
    size.times(shrink).patches(32).min(budget.patches)
}

/// The largest image of the same shape within both limits.
fn count_visual(size: Size, budget: Budget) -> u64 {
    let long = size.width.max(size.height);
    (1..=long.min(budget.side))
        .rev()
        .map(|side| size.within(side, side).patches(28))
        .find(|patches| *patches <= budget.patches)
        .unwrap_or(1)
}

/// A small image is one tile; of a larger one, a tile is two thirds of the short side, from 256 to 768 pixels.
fn count_crops(size: Size) -> u64 {
    let size = size.within(3072, 3072);
    if size.width <= 384 && size.height <= 384 {
        return 1;
    }
    size.patches((size.width.min(size.height) * 2 / 3).clamp(256, 768))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, (width, height): (u32, u32), detail: Detail, expected: u64) {
        assert_eq!(count(model, Some(Size { width, height }), detail), expected, "{model} {width}×{height}");
    }

    #[test]
    fn openai_tiles_cost_what_the_guide_says() {
        check("gpt-4o", (1024, 1024), Detail::High, 765);
        check("gpt-4o", (2048, 4096), Detail::High, 1105);
        check("gpt-4o", (4096, 8192), Detail::Low, 85);
        check("gpt-4o-mini", (128, 64), Detail::High, 8500);
        check("o3", (128, 64), Detail::Auto, 225);
        check("gpt-5", (1024, 1024), Detail::High, 630);
    }

    #[test]
    fn tiles_round_as_the_bills_do() {
        check("gpt-4.1", (2049, 513), Detail::High, 1445);
        check("gpt-4.1", (2050, 513), Detail::High, 765);
    }

    #[test]
    fn openai_patches_cost_what_the_guide_says() {
        check("gpt-4.1-mini", (1024, 1024), Detail::High, 1659);
        check("gpt-4.1-mini", (1800, 2400), Detail::High, (1452_u64 * 162).div_ceil(100));
        check("gpt-4.1-mini", (4000, 1474), Detail::High, 2489);
        check("gpt-4.1-nano", (128, 64), Detail::High, 20);
        check("o4-mini", (128, 64), Detail::High, 14);
        check("gpt-5.2", (2048, 768), Detail::High, 1844);
    }

    #[test]
    fn newer_models_look_closer_unless_told_otherwise() {
        check("gpt-5.4", (1600, 1600), Detail::Auto, 3000);
        check("gpt-5.4", (3200, 3200), Detail::High, 3000);
        check("gpt-5.4", (3200, 3200), Detail::Original, 12_000);
        check("gpt-5.5", (3200, 3200), Detail::Auto, 12_000);
        check("gpt-5.2", (3200, 3200), Detail::Original, (1521_u64 * 120).div_ceil(100));
        check("gpt-5.4", (640, 480), Detail::Low, 231);
    }

    #[test]
    fn claude_sees_patches_of_28_pixels_up_to_its_tier() {
        check("claude-sonnet-4-5", (200, 200), Detail::Auto, 64);
        check("claude-sonnet-4-5", (1075, 1520), Detail::Auto, 33 * 47);
        check("claude-sonnet-4-5", (3840, 2160), Detail::Auto, 1560);
        check("claude-opus-5", (3840, 2160), Detail::Auto, 4784);
        check("claude-opus-5", (1920, 1080), Detail::Auto, 2691);
    }

    #[test]
    fn gemini_counts_tiles_and_since_version_3_images() {
        check("gemini-2.5-flash", (384, 384), Detail::Auto, 258);
        check("gemini-2.5-flash", (960, 540), Detail::Auto, 6 * 258);
        check("gemini-2.5-flash", (768, 768), Detail::Auto, 4 * 258);
        check("gemini-3-pro", (4000, 3000), Detail::Auto, 1120);
        check("google/gemini-3-pro", (10, 10), Detail::Low, 280);
    }

    #[test]
    fn sizes_out_of_this_world_are_counted_too() {
        for model in
            ["gpt-4o", "gpt-4.1-mini", "gpt-5.5", "claude-opus-5", "gemini-2.0-flash", "gemini-3-pro"]
        {
            for size in [(0, 0), (1, 1), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
                let (width, height) = size;
                let tokens = count(model, Some(Size { width, height }), Detail::High);
                assert!((1..=20_000).contains(&tokens), "{model} {size:?}: {tokens}");
            }
        }
    }

    #[test]
    fn an_unknown_size_costs_a_typical_image() {
        assert_eq!(count("gpt-4o", None, Detail::Auto), 765);
        assert_eq!(count("gpt-4o", None, Detail::Low), 85);
    }
}
